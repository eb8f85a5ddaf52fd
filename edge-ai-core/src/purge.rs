use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;

/// Which kept answers are to be forgotten. Parts that are there narrow it; one without any is everything.
///
/// ```
/// use edge_ai_core::Purge;
///
/// let purge: Purge = serde_json::from_str(r#"{"tenant": "shop", "tag": "prices"}"#)?;
/// assert_eq!(purge, Purge::default().of_tenant("shop").tagged("prices"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Purge {
    /// Those of this tenant; an empty name is the tenant of those without a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Those of this model or route, by the name that requests ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Those whose request gave this [tag](crate::CachePolicy::tags).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Purge {
    /// Everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Only those of a tenant.
    #[must_use]
    pub fn of_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Only those of a model or route.
    #[must_use]
    pub fn of_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Only those with a tag.
    #[must_use]
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }
}

/// Forgets kept answers before their time.
#[async_trait]
pub trait CachePurge: fmt::Debug + Send + Sync + 'static {
    /// Forgets every answer so far that `purge` names; answers that are under way meanwhile are not kept either. Implementations state
    /// within which time it holds everywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is too long,
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when it could not be written down: then nothing is forgotten.
    async fn purge(&self, purge: &Purge) -> Result<()>;
}

#[async_trait]
impl<T: CachePurge + ?Sized> CachePurge for Arc<T> {
    async fn purge(&self, purge: &Purge) -> Result<()> {
        (**self).purge(purge).await
    }
}
