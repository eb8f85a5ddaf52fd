//! Signatures of thinking blocks: a later turn must bring a block back unchanged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Signature of a thinking block's text.
pub(crate) fn sign(thinking: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"edge-ai-local thinking\n");
    hash.update(thinking.as_bytes());
    STANDARD.encode(hash.finalize())
}

/// Whether a block is as it was signed.
pub(super) fn verify(thinking: &str, signature: &str) -> bool {
    sign(thinking) == signature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_block_is_noticed() {
        let signature = sign("I think.");
        assert!(verify("I think.", &signature));
        assert!(!verify("I think!", &signature) && !verify("I think.", "x"));
    }
}
