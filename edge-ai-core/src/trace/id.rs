use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Entropy, Error};

/// The identifier of a trace: 16 bytes, not all zero, in lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The identifier of a span: 8 bytes, not all zero, in lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// A new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let (high, low) = (entropy.next_u64(), entropy.next_u64().max(1));
        Self((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
    }

    /// The eight bytes that samplers decide by: those of every program come to the same decision.
    pub fn low(&self) -> u64 {
        u128::from_be_bytes(self.0) as u64
    }
}

impl SpanId {
    /// A new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.next_u64().max(1).to_be_bytes())
    }
}

/// Exactly `N` bytes of lowercase hexadecimal digits.
pub(super) fn decode<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if hex.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn encode(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

macro_rules! identifier {
    ($name:ident, $bytes:literal, $what:literal) => {
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                decode::<$bytes>(text)
                    .filter(|bytes| bytes.iter().any(|byte| *byte != 0))
                    .map(Self)
                    .ok_or_else(|| {
                        Error::invalid(
                            $what,
                            concat!(
                                "a ",
                                $what,
                                " is ",
                                $bytes,
                                " bytes of lowercase hexadecimal digits, not all zero"
                            ),
                        )
                    })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }
    };
}

identifier!(TraceId, 16, "trace id");
identifier!(SpanId, 8, "span id");
