use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result, Secret, async_trait};
use http::header::AUTHORIZATION;
use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Says whose a request is.
#[async_trait]
pub trait Access: fmt::Debug + Send + Sync + 'static {
    /// The tenant, whose documents alone the request sees; `None` for those of nobody in particular.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] for one who may not ask at all.
    async fn tenant(&self, head: &Parts) -> Result<Option<Arc<str>>>;
}

#[async_trait]
impl<T: Access + ?Sized> Access for Arc<T> {
    async fn tenant(&self, head: &Parts) -> Result<Option<Arc<str>>> {
        (**self).tenant(head).await
    }
}

/// Lets everybody in, as nobody in particular: for what stands behind another door.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OpenAccess;

#[async_trait]
impl Access for OpenAccess {
    async fn tenant(&self, _head: &Parts) -> Result<Option<Arc<str>>> {
        Ok(None)
    }
}

/// Lets in who has a token, as its tenant: `authorization: Bearer TOKEN`.
///
/// ```
/// use edge_ai_rag::AccessTokens;
///
/// let tokens = AccessTokens::parse(&"acme:0123456789abcdef0123456789abcdef, globex:fedcba9876543210fedcba9876543210".into())?;
/// assert!(AccessTokens::parse(&"acme:short".into()).is_err());
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AccessTokens(Vec<(Arc<str>, [u8; 32])>);

impl AccessTokens {
    /// The shortest token, in bytes.
    pub const MIN_BYTES: usize = 16;

    /// Reads `tenant:token`, several with commas between them.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for anything else, for a token that is too short to be safe, and for none at all.
    pub fn parse(text: &Secret) -> Result<Self> {
        let wrong = |what: String| Error::new(ErrorKind::Configuration, what);
        let mut tokens = Vec::new();
        for entry in text
            .expose()
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (tenant, token) = entry
                .split_once(':')
                .ok_or_else(|| wrong("a token is written `tenant:token`".to_owned()))?;
            let (tenant, token) = (tenant.trim(), token.trim());
            if tenant.is_empty() || token.len() < Self::MIN_BYTES {
                let message = format!(
                    "the token of the tenant {tenant:?} must have at least {} bytes, and the tenant a name",
                    Self::MIN_BYTES
                );
                return Err(wrong(message));
            }
            tokens.push((tenant.into(), digest(token)));
        }
        if tokens.is_empty() {
            return Err(wrong("there are no tokens: write `tenant:token`".to_owned()));
        }
        Ok(Self(tokens))
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = self.0.iter().map(|(tenant, _)| tenant);
        f.debug_list().entries(tenants).finish()
    }
}

#[async_trait]
impl Access for AccessTokens {
    async fn tenant(&self, head: &Parts) -> Result<Option<Arc<str>>> {
        let presented = head
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let Some(presented) = presented else {
            return Err(refused("no token: send `authorization: Bearer TOKEN`"));
        };
        let presented = digest(presented);
        // Every token is compared, and every byte of it, whatever was presented.
        let mut found = None;
        for (tenant, token) in &self.0 {
            if token.ct_eq(&presented).into() {
                found = Some(tenant);
            }
        }
        found
            .map(|tenant| Some(Arc::clone(tenant)))
            .ok_or_else(|| refused("the token is not known here"))
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Authentication, message)
}
