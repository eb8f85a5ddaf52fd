use std::collections::BTreeMap;
use std::sync::Arc;

use edge_ai_core::{LimitRule, Timestamp};

use super::ModelPermissions;

/// Whose a request is, and what it may do.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Principal {
    /// The tenant; caches, limits and stores are kept apart by it. `None` for those without a credential at an open gateway.
    pub tenant: Option<Arc<str>>,
    /// The public identifier of the key, or the subject of a token; never what proves it.
    pub key: Option<Arc<str>>,
    /// A name for people.
    pub name: Option<Arc<str>>,
    /// The models that it may ask for; all unless told.
    pub models: ModelPermissions,
    /// Limits of this key alone, budgets among them.
    pub limits: Arc<[LimitRule]>,
    /// When the credential is over.
    pub expires: Option<Timestamp>,
    /// Labels for its requests' records and routing; they win over the client's own.
    pub metadata: BTreeMap<String, String>,
    /// What a token says that its owner is, such as `admin`.
    pub roles: Vec<String>,
    /// Whether somebody who can be trusted with it has named the tenant: only then are the tenant's own vendor keys used.
    pub verified: bool,
}

impl Principal {
    /// A tenant that a credential has proved, with all models.
    pub fn of(tenant: impl Into<Arc<str>>) -> Self {
        Self {
            tenant: Some(tenant.into()),
            verified: true,
            ..Self::default()
        }
    }
}
