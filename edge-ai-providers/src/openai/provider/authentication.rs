use edge_ai_core::{Result, Secret};
use http::HeaderName;
use http::header::AUTHORIZATION;

use crate::client::VendorClient;

/// How a server wants the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// `authorization: Bearer …`.
    Bearer,
    /// The key alone in a header of this name, such as Azure's `api-key`.
    Header(&'static str),
    /// `Bearer …` in a header of this name, such as AI Gateway's `cf-aig-authorization`.
    BearerIn(&'static str),
}

impl Authentication {
    /// Lets the client send `key`; nothing for an empty one.
    pub(super) fn apply(self, client: VendorClient, key: &Secret) -> Result<VendorClient> {
        if key.is_empty() {
            return Ok(client);
        }
        let bearer = || format!("Bearer {}", key.expose());
        match self {
            Self::Bearer => client.secret_header(AUTHORIZATION, &bearer()),
            Self::Header(name) => client.secret_header(HeaderName::from_static(name), key.expose()),
            Self::BearerIn(name) => client.secret_header(HeaderName::from_static(name), &bearer()),
        }
    }
}
