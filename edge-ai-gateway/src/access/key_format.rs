use std::fmt;

use edge_ai_core::{Entropy, Secret};
use sha2::{Digest, Sha256};

/// A key of the gateway's making: `eai_`, 43 letters and digits, and a checksum of six.
///
/// - The 43 are drawn evenly from 62 characters: 256 bits of chance, which nobody guesses or searches.
/// - The checksum, the CRC-32 of all that is before it in base 62, tells a slip of typing from a key without a look into any store, and
///   lets scanners of leaked keys find one without false alarms
///   ([GitHub's form](https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/)).
/// - What is kept is its SHA-256. A password needs a slow hash since it can be guessed; 256 bits cannot, at any speed, and each request
///   would pay for the slowness.
///
/// ```
/// use edge_ai_core::SeededEntropy;
/// use edge_ai_gateway::VirtualKey;
///
/// let key = VirtualKey::generate(&SeededEntropy::new(1));
/// assert!(VirtualKey::parse(key.expose().as_bytes()).is_some());
/// ```
#[derive(Clone)]
pub struct VirtualKey(Secret);

impl VirtualKey {
    /// What every key starts with.
    pub const PREFIX: &str = "eai_";

    const BODY: usize = 43;
    const CHECKSUM: usize = 6;
    const LENGTH: usize = Self::PREFIX.len() + Self::BODY + Self::CHECKSUM;

    /// A new key. `entropy` must be fit for secrets: in a Worker `WorkerEntropy`.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = String::with_capacity(Self::LENGTH);
        key.push_str(Self::PREFIX);
        random_into(&mut key, Self::BODY, entropy);
        let checksum = checksum(key.as_bytes());
        key.push_str(&checksum);
        Self(Secret::new(key))
    }

    /// Whether something is meant to be a key, well-formed or not.
    pub fn is_meant(token: &[u8]) -> bool {
        token.starts_with(Self::PREFIX.as_bytes())
    }

    /// A key that is well-formed; whether it opens anything is another question.
    pub fn parse(token: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(token).ok()?;
        let (signed, sum) = text.split_at_checked(Self::LENGTH - Self::CHECKSUM)?;
        let fits = text.len() == Self::LENGTH
            && Self::is_meant(token)
            && text
                .bytes()
                .skip(Self::PREFIX.len())
                .all(|byte| byte.is_ascii_alphanumeric())
            && checksum(signed.as_bytes()) == sum;
        fits.then(|| Self(Secret::new(text)))
    }

    /// The key itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Its first eight characters: enough for its owner to recognise it, and of no help to anybody else.
    pub fn start(&self) -> &str {
        self.expose().get(..8).unwrap_or_default()
    }

    pub(crate) fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.expose()).into())
    }
}

impl fmt::Debug for VirtualKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VirtualKey(eai_…)")
    }
}

/// The SHA-256 of a key: what stores know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest([u8; 32]);

impl KeyDigest {
    pub(crate) fn to_hex(self) -> String {
        hex(&self.0)
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(*DIGITS.get(usize::from(nibble & 15)).unwrap_or(&b'0'));
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn letter(value: u64) -> char {
    usize::try_from(value % 62)
        .ok()
        .and_then(|at| ALPHABET.get(at))
        .copied()
        .map_or('0', char::from)
}

/// Adds letters and digits, each as likely as the others: bytes of 248 and above would favor some, and are thrown away.
fn random_into(text: &mut String, count: usize, entropy: &dyn Entropy) {
    let mut left = count;
    while left > 0 {
        for byte in entropy.next_u64().to_le_bytes() {
            if left > 0 && byte < 248 {
                text.push(letter(byte.into()));
                left -= 1;
            }
        }
    }
}

/// A public identifier: the later it was made, the later it sorts, to the millisecond.
pub(crate) fn new_id(prefix: &str, now_ms: u64, entropy: &dyn Entropy) -> String {
    let mut id = String::from(prefix);
    // Eight digits of base 62 hold milliseconds until the year 8888.
    for place in (0..8_u32).rev() {
        id.push(letter(now_ms / 62_u64.pow(place)));
    }
    random_into(&mut id, 12, entropy);
    id
}

fn checksum(bytes: &[u8]) -> String {
    let crc = u64::from(crc32(bytes));
    (0..6_u32)
        .rev()
        .map(|place| letter(crc / 62_u64.pow(place)))
        .collect()
}

/// CRC-32 as in zlib ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952#section-8)), bit by bit: for 47 bytes a table would be the longer way.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let odd = 0_u32.wrapping_sub(crc & 1);
            crc = (crc >> 1) ^ (0xEDB8_8320 & odd);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::SeededEntropy;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_is_zlibs() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(hex(&[0x0f, 0xa0]), "0fa0");
    }

    #[test]
    fn identifiers_sort_by_time() {
        let entropy = SeededEntropy::new(3);
        let ids: Vec<_> = [1, 61, 62, 1_795_000_000_000]
            .map(|now| new_id("key_", now, &entropy))
            .to_vec();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 24), "{ids:?}");
    }

    #[test]
    fn nothing_else_is_a_key() {
        for no in ["", "eai_", "sk-123", "eai_é", &format!("eai_{}", "0".repeat(49))] {
            assert!(VirtualKey::parse(no.as_bytes()).is_none(), "{no}");
        }
        assert!(!format!("{:?}", VirtualKey::generate(&SeededEntropy::new(1))).contains("eai_0"));
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_found(seed: u64, at in 4_usize..53, by in 1_u64..62) {
            let key = VirtualKey::generate(&SeededEntropy::new(seed));
            prop_assert_eq!(key.expose().len(), VirtualKey::LENGTH);
            prop_assert!(VirtualKey::parse(key.expose().as_bytes()).is_some());
            let mut bytes = key.expose().as_bytes().to_vec();
            let was = ALPHABET.iter().position(|letter| *letter == bytes[at]).unwrap();
            bytes[at] = u8::try_from(letter(u64::try_from(was).unwrap() + by)).unwrap();
            prop_assert!(VirtualKey::parse(&bytes).is_none());
        }

        #[test]
        fn no_bytes_confuse_it(bytes: Vec<u8>) {
            prop_assert!(VirtualKey::parse(&bytes).is_none());
        }
    }
}
