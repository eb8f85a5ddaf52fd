use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge_ai_core::{Error, ErrorKind, Result, Secret};
use sha2::{Digest, Sha256};

use crate::access::hex;

/// The keys that vendor keys are encrypted with: the first seals, all of them open.
///
/// To change it, put a new one before the old one, have everything sealed again (`POST /admin/vendor-keys/reseal`), then take the old one away.
#[derive(Clone)]
pub struct MasterKeys(Vec<MasterKey>);

#[derive(Clone)]
pub(super) struct MasterKey {
    /// Public: it tells the keys apart and is no help in finding them.
    pub(super) id: String,
    pub(super) key: [u8; 32],
}

impl MasterKeys {
    /// Reads keys of 32 bytes in base64, with commas in between: what `openssl rand -base64 32` prints.
    ///
    /// ```
    /// use edge_ai_gateway::MasterKeys;
    ///
    /// assert!(MasterKeys::parse(&"7QyXn5L0f3xT0bS5sQk2k8m1mJY3s9d0h1b2c3d4e5g=".into()).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for anything else; it does not repeat it.
    pub fn parse(secret: &Secret) -> Result<Self> {
        let wrong = |what: String| {
            let remedy = "make one with `openssl rand -base64 32`";
            Error::new(ErrorKind::Configuration, format!("`MASTER_KEY` {what}; {remedy}"))
        };
        let texts = secret
            .expose()
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let mut keys = Vec::new();
        for (at, text) in texts.enumerate() {
            let bytes = STANDARD.decode(text).ok();
            let key: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
                wrong(format!(
                    "has something else than 32 bytes of base64 at place {}",
                    at + 1
                ))
            })?;
            if key.iter().all(|byte| Some(byte) == key.first()) {
                return Err(wrong(format!("has no chance in it at place {}", at + 1)));
            }
            keys.push(MasterKey { id: id(&key), key });
        }
        if keys.is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
        Ok(Self(keys))
    }

    /// The one that seals.
    pub(super) fn current(&self) -> &MasterKey {
        // `parse` gives at least one.
        #[expect(clippy::indexing_slicing, reason = "there is at least one")]
        &self.0[0]
    }

    pub(super) fn find(&self, id: &str) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

fn id(key: &[u8; 32]) -> String {
    let digest = Sha256::new_with_prefix(b"edge-ai master key id\0")
        .chain_update(key)
        .finalize();
    hex(digest.get(..8).unwrap_or_default())
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_with_chance_in_them_are_taken() {
        let key = |byte: u8| STANDARD.encode((byte..byte + 32).collect::<Vec<_>>());
        let two = MasterKeys::parse(&format!("{}, {}", key(1), key(2)).into()).unwrap();
        assert_ne!(two.0[0].id, two.0[1].id);
        assert_eq!(two.find(&two.0[1].id).unwrap().key[0], 2);
        for bad in ["", ",", "c2hvcnQ=", &STANDARD.encode([7; 32]), "not base64!"] {
            let error = MasterKeys::parse(&bad.into()).unwrap_err();
            assert!(
                error.message().contains("openssl") && !error.message().contains("c2hv"),
                "{error}"
            );
        }
    }
}
