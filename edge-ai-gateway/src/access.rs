use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Who may use the gateway, and whose tenant a request is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Access {
    /// Everybody. What is sent as a credential is not checked, but tells tenants apart: requests with different ones share nothing.
    #[default]
    Open,
    /// Those who have one of the keys.
    Keys(ApiKeys),
}

impl Access {
    /// The tenant of a request.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] without a key or with an unknown one.
    pub(crate) fn tenant(&self, headers: &HeaderMap) -> Result<Option<Arc<str>>> {
        let credential = credential(headers);
        match self {
            Self::Open => Ok(credential.map(fingerprint)),
            Self::Keys(keys) => {
                let credential = credential.ok_or_else(|| {
                    refused(
                        "no API key: send it as `Authorization: Bearer <key>`",
                        "missing_api_key",
                    )
                })?;
                keys.tenant(credential)
                    .map(Some)
                    .ok_or_else(|| refused("the API key is not known here", "invalid_api_key"))
            }
        }
    }
}

fn refused(message: &str, code: &str) -> Error {
    Error::new(ErrorKind::Authentication, message).with_code(code)
}

/// What a client sends to say who it is, in OpenAI's or Anthropic's way.
fn credential(headers: &HeaderMap) -> Option<&[u8]> {
    let value = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    let bearer = value("authorization").and_then(|value| {
        let (scheme, token) = value.trim_ascii_start().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| token.trim_ascii())
    });
    let credential = bearer
        .filter(|token| !token.is_empty())
        .or_else(|| value("x-api-key").map(<[u8]>::trim_ascii));
    credential.filter(|credential| !credential.is_empty())
}

/// A tenant's name from a credential that must not be readable in it.
fn fingerprint(credential: &[u8]) -> Arc<str> {
    use std::fmt::Write as _;
    let digest = Sha256::digest(credential);
    let mut name = String::from("key-");
    for byte in digest.iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    name.into()
}

/// The gateway's own keys, each with the tenant it stands for.
///
/// Only digests are kept, and a key is compared with all of them in constant time.
///
/// ```
/// use edge_ai_gateway::ApiKeys;
///
/// let keys = ApiKeys::parse("acme:sk-acme-1, globex:sk-globex-1")?;
/// assert_eq!(keys.len(), 2);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<([u8; 32], Arc<str>)>);

impl ApiKeys {
    /// No key: nobody gets in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of a tenant. A tenant may have several.
    #[must_use]
    pub fn with(mut self, tenant: impl Into<Arc<str>>, key: impl AsRef<str>) -> Self {
        self.0.push((Sha256::digest(key.as_ref()).into(), tenant.into()));
        self
    }

    /// Reads `tenant:key` pairs with commas in between.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a pair without a tenant or with a key of less than eight characters, for a key that comes twice,
    /// and for no pair at all; it does not repeat the key.
    pub fn parse(text: &str) -> Result<Self> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let keys = pairs.enumerate().try_fold(Self::new(), |keys, (at, pair)| {
            let (tenant, key) = pair
                .split_once(':')
                .map(|(tenant, key)| (tenant.trim(), key.trim()))
                .unwrap_or_default();
            if tenant.is_empty() || key.len() < 8 {
                let message = format!(
                    "entry {} of the keys is not `tenant:key` with at least 8 characters of key",
                    at + 1
                );
                return Err(Error::new(ErrorKind::Configuration, message));
            }
            if keys.tenant(key.as_bytes()).is_some() {
                let message = format!("entry {} of the keys has a key that an earlier one has", at + 1);
                return Err(Error::new(ErrorKind::Configuration, message));
            }
            Ok(keys.with(tenant, key))
        })?;
        if keys.is_empty() {
            let message =
                "the list of keys is empty; write `tenant:key`, or leave it out to let everybody in";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(keys)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn tenant(&self, key: &[u8]) -> Option<Arc<str>> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let mut found = u32::MAX;
        for (at, (known, _)) in (0_u32..).zip(&self.0) {
            let same: Choice = known.ct_eq(&digest);
            found = u32::conditional_select(&found, &at, same);
        }
        self.0
            .get(usize::try_from(found).ok()?)
            .map(|(_, tenant)| Arc::clone(tenant))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(_, tenant)| tenant))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn keys_name_their_tenant() {
        let access = Access::Keys(ApiKeys::parse("acme:sk-acme-1,globex:sk-globex-1").unwrap());
        let tenant = |name, value| access.tenant(&headers(name, value)).map(Option::unwrap);
        assert_eq!(&*tenant("authorization", "Bearer sk-globex-1").unwrap(), "globex");
        assert_eq!(&*tenant("authorization", "bearer  sk-acme-1 ").unwrap(), "acme");
        assert_eq!(&*tenant("x-api-key", "sk-acme-1").unwrap(), "acme");
        for wrong in ["Bearer sk-acme-2", "Bearer ", "bearer", "Basic sk-acme-1x"] {
            assert_eq!(
                tenant("authorization", wrong).unwrap_err().kind(),
                ErrorKind::Authentication,
                "{wrong}"
            );
        }
        assert_eq!(
            access.tenant(&HeaderMap::new()).unwrap_err().code(),
            Some("missing_api_key")
        );
    }

    #[test]
    fn open_access_tells_credentials_apart_without_showing_them() {
        let tenant = |value| {
            Access::Open
                .tenant(&headers("authorization", value))
                .unwrap()
                .unwrap()
        };
        assert_ne!(tenant("Bearer a-secret"), tenant("Bearer b-secret"));
        assert!(!tenant("Bearer a-secret").contains("secret"));
        assert_eq!(Access::Open.tenant(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_bad_list_is_refused_without_repeating_it() {
        for bad in [
            "sk-only-a-key",
            ":sk-no-tenant",
            "acme:short",
            "a:sk-long-enough,b",
        ] {
            let error = ApiKeys::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!error.to_string().contains("sk-"), "{error}");
        }
    }
}
