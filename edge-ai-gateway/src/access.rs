//! Who asks: from what a request shows to whose it is and what it may do.

mod api_keys;
mod authenticator;
mod credential;
mod jwt;
mod key_format;
mod key_record;
mod key_store;
mod known;
mod open;
mod permission;
mod principal;
mod virtual_keys;

use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result};

pub use api_keys::ApiKeys;
pub use authenticator::{Authenticator, Presented};
pub use jwt::{ClaimMapping, Jwt, JwtAlgorithm, SignatureVerifier};
pub use key_format::VirtualKey;
pub use key_record::{KeyRecord, KeySettings};
pub(crate) use key_store::{KeyStore, Page};
pub use permission::ModelPermissions;
pub use principal::Principal;
pub use virtual_keys::VirtualKeys;

pub(crate) use key_format::{hex, new_id};
pub(crate) use key_record::check_tenant;
pub(crate) use known::{Knowledge, Known};

/// The ways in, in order; with none, everybody is let in.
#[derive(Debug, Default)]
pub(crate) struct Access(Vec<Arc<dyn Authenticator>>);

impl Access {
    pub(crate) fn add(&mut self, way: Arc<dyn Authenticator>) {
        self.0.push(way);
    }

    /// Whose request it is, by the first way that knows its kind of credential.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] without a credential or with one that is not known, and what the way returns.
    pub(crate) async fn principal(&self, presented: &Presented<'_>) -> Result<Arc<Principal>> {
        if self.0.is_empty() {
            return Ok(open::anybody(presented));
        }
        for way in &self.0 {
            if let Some(principal) = way.authenticate(presented).await? {
                return Ok(principal);
            }
        }
        Err(if presented.token().is_none() {
            refused(
                "missing_api_key",
                "no API key: send it as `Authorization: Bearer <key>` or `x-api-key: <key>`",
            )
        } else {
            refused("invalid_api_key", "the API key is not known here")
        })
    }
}

fn refused(code: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Authentication, message).with_code(code)
}
