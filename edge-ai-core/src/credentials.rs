use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Secret;

/// The caller's own keys for vendors, by the provider's name: what a provider sends in place of the operator's key.
///
/// ```
/// use edge_ai_core::{Credential, Credentials};
///
/// let own = Credentials::default().with("openai", Credential::new("acme/openai/default", "sk-acme"));
/// assert_eq!(own.get("openai").map(|own| own.secret.expose()), Some("sk-acme"));
/// assert!(own.get("anthropic").is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Credentials(Option<Arc<BTreeMap<String, Credential>>>);

impl Credentials {
    /// Adds the caller's key for a provider.
    #[must_use]
    pub fn with(mut self, provider: impl Into<String>, credential: Credential) -> Self {
        let all = self.0.get_or_insert_default();
        Arc::make_mut(all).insert(provider.into(), credential);
        self
    }

    /// The caller's key for a provider; `None` where the operator's is used.
    pub fn get(&self, provider: &str) -> Option<&Credential> {
        self.0.as_ref()?.get(provider)
    }

    /// Whether the caller has no keys of its own.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|all| all.is_empty())
    }
}

/// A vendor's key that is not the operator's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credential {
    /// A public name of the key: what is learnt with it, such as that its quota is used up, is kept under this name, apart from what is
    /// learnt with other keys.
    pub id: Arc<str>,
    /// The key.
    pub secret: Secret,
}

impl Credential {
    /// A key under a public name.
    pub fn new(id: impl Into<Arc<str>>, secret: impl Into<Secret>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
        }
    }
}
