//! Identifiers: unique within one run of the program, and the same from run to run for the same requests.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `len` letters and digits (32 at most) drawn from a number and a purpose.
pub(crate) fn alphanumeric(number: u64, purpose: &str, len: usize) -> String {
    digest(number, purpose)
        .iter()
        .take(len)
        .map(|byte| char::from(ALPHABET.get(usize::from(*byte) % 62).copied().unwrap_or(b'0')))
        .collect()
}

/// A UUID, version 4 by its form.
pub(crate) fn uuid(number: u64, purpose: &str) -> String {
    let hex: String = digest(number, purpose)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

fn digest(number: u64, purpose: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(purpose.as_bytes());
    hash.update(number.to_be_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form_and_differ() {
        let id = uuid(7, "mutation");
        assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "4", 4));
        assert_ne!(alphanumeric(1, "call", 24), alphanumeric(2, "call", 24));
        assert_eq!(alphanumeric(1, "call", 24), alphanumeric(1, "call", 24));
    }
}
