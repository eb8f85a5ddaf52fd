//! Encrypted thoughts: a later turn must bring one back under the id that it was given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The encrypted content of a thought.
pub(super) fn seal(id: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"edge-ai-local reasoning\n");
    hash.update(id.as_bytes());
    format!("gAAAAAB{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Whether it is the thought's own.
pub(super) fn verify(id: &str, encrypted: &str) -> bool {
    seal(id) == encrypted
}
