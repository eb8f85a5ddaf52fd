use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// SHA-256 over parts that cannot run into each other: each comes with its length.
#[derive(Clone, Debug)]
pub(crate) struct Digest(Sha256);

impl Digest {
    /// Of some kind, so that the same parts mean different things for different kinds.
    pub(crate) fn new(kind: &str) -> Self {
        Self(Sha256::new()).part(kind)
    }

    pub(crate) fn part(self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        let length = (part.len() as u64).to_le_bytes();
        Self(self.0.chain_update(length).chain_update(part))
    }

    pub(crate) fn optional(self, part: Option<&str>) -> Self {
        match part {
            None => Self(self.0.chain_update(u64::MAX.to_le_bytes())),
            Some(part) => self.part(part),
        }
    }

    /// 43 characters.
    pub(crate) fn into_base64(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| {
            let digest = parts
                .iter()
                .fold(Digest::new("x"), |digest, part| digest.part(part));
            digest.into_base64()
        };
        assert_eq!(of(&["a", "b"]).len(), 43);
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["a", ""]), of(&["a"]));
        assert_ne!(
            Digest::new("x").optional(None).into_base64(),
            Digest::new("x").optional(Some("")).into_base64()
        );
    }
}
