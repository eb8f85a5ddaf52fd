use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Presented, Principal};

/// Everybody may ask. What is sent as a credential is not checked, but tells tenants apart: requests with different ones share nothing.
pub(super) fn anybody(presented: &Presented<'_>) -> Arc<Principal> {
    Arc::new(Principal {
        tenant: presented.token().map(|token| fingerprint("key-", token)),
        ..Principal::default()
    })
}

/// A name from a credential that must not be readable in it.
pub(super) fn fingerprint(prefix: &str, credential: &[u8]) -> Arc<str> {
    let digest = Sha256::digest(credential);
    let mut name = String::from(prefix);
    for byte in digest.iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    name.into()
}
