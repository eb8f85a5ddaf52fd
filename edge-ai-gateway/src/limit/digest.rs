use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A short name of allowed letters: a key in KV has 512 bytes at most.
pub(super) fn digest(name: &str) -> String {
    let mut short = String::with_capacity(32);
    for byte in Sha256::digest(name.as_bytes()).iter().take(16) {
        // Writing to a text does not fail.
        let _ = write!(short, "{byte:02x}");
    }
    short
}
