//! Signatures of thoughts: what a later turn brings back must be what was signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What Google takes in place of a signature for calls that its models did not make.
const DUMMIES: [&str; 2] = [
    "skip_thought_signature_validator",
    "context_engineering_is_the_way_to_go",
];

/// The signature that stands on a call.
pub(super) fn of_call(name: &str, arguments: &Value) -> String {
    sign(&format!("{name} {arguments}"))
}

/// The signature that stands on a text.
pub(super) fn of_text() -> String {
    sign("text")
}

/// Whether a call's signature is its own, or one that stands for it.
pub(super) fn fits_call(signature: &str, name: &str, arguments: &Value) -> bool {
    DUMMIES.contains(&signature) || signature == of_call(name, arguments)
}

fn sign(what: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"edge-ai-local gemini\n");
    hash.update(what.as_bytes());
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_changed_call_is_noticed() {
        let signature = of_call("f", &json!({ "a": 1 }));
        assert!(fits_call(&signature, "f", &json!({ "a": 1 })));
        assert!(!fits_call(&signature, "f", &json!({ "a": 2 })) && !fits_call("x", "f", &json!({})));
        assert!(fits_call(DUMMIES[0], "f", &json!({})));
    }
}
