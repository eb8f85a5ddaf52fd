use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::open::fingerprint;
use super::{Authenticator, Presented, Principal};

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
pub struct ApiKeys(Vec<([u8; 32], Arc<Principal>)>);

impl ApiKeys {
    /// No key: nobody gets in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key of a tenant. A tenant may have several.
    #[must_use]
    pub fn with(mut self, tenant: impl Into<Arc<str>>, key: impl AsRef<str>) -> Self {
        let key = key.as_ref().as_bytes();
        let mut principal = Principal::of(tenant);
        principal.key = Some(fingerprint("key_", key));
        self.0.push((Sha256::digest(key).into(), Arc::new(principal)));
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
            if keys.find(key.as_bytes()).is_some() {
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

    fn find(&self, key: &[u8]) -> Option<Arc<Principal>> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let mut found = u32::MAX;
        for (at, (known, _)) in (0_u32..).zip(&self.0) {
            let same: Choice = known.ct_eq(&digest);
            found = u32::conditional_select(&found, &at, same);
        }
        self.0
            .get(usize::try_from(found).ok()?)
            .map(|(_, principal)| Arc::clone(principal))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(_, principal)| &principal.tenant))
            .finish()
    }
}

#[async_trait]
impl Authenticator for ApiKeys {
    async fn authenticate(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>> {
        Ok(presented.token().and_then(|key| self.find(key)))
    }
}

#[cfg(test)]
mod tests;
