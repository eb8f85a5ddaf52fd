use edge_ai_core::{Error, ErrorKind, Result, Secret};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A token that opens a page. Only its digest is kept.
#[derive(Clone)]
pub(super) struct Token([u8; 32]);

/// Below this, somebody could try them all.
const SHORTEST: usize = 16;

impl Token {
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that is too short, naming `setting`.
    pub(super) fn new(token: &Secret, setting: &str) -> Result<Self> {
        let token = token.expose();
        if token.len() < SHORTEST {
            let message = format!(
                "`{setting}` has fewer than {SHORTEST} characters; make one with `openssl rand -base64 32`"
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self(Sha256::digest(token).into()))
    }

    /// Whether it is this one, in a time that does not depend on where they differ.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.ct_eq(&given).into()
    }

    /// What sessions are signed with: it changes with the token, and does not tell it.
    pub(super) const fn key(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole_and_are_long() {
        let token = Token::new(&Secret::from("0123456789abcdef".to_owned()), "METRICS_TOKEN").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        assert!(!token.is(b"0123456789abcdeg") && !token.is(b""));
        let error = Token::new(&Secret::from("short".to_owned()), "METRICS_TOKEN")
            .err()
            .unwrap();
        assert!(error.message().contains("METRICS_TOKEN") && !error.message().contains("short"));
    }
}
