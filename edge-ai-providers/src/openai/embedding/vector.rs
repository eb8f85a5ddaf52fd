use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Some servers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A vector in either encoding, read in one pass.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Vector(pub(super) Vec<f32>);

/// The numbers as 32-bit floats, little-endian, in base64.
pub(super) fn to_base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    BASE64.encode(bytes)
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Vector;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of numbers, or base64 of 32-bit floats")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vector, E> {
                let bytes = BASE64
                    .decode(text)
                    .map_err(|error| E::custom(format!("base64: {error}")))?;
                let (floats, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(E::custom("base64: the bytes are not 32-bit floats"));
                }
                floats
                    .iter()
                    .map(|bytes| finite(f32::from_le_bytes(*bytes)))
                    .collect::<Result<_, _>>()
                    .map(Vector)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vector, A::Error> {
                // The usual lengths: 384 to 3,072.
                let mut vector = Vec::with_capacity(1_024);
                while let Some(number) = seq.next_element::<f32>()? {
                    vector.push(finite(number)?);
                }
                vector.shrink_to_fit();
                Ok(Vector(vector))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn finite<E: Error>(number: f32) -> Result<f32, E> {
    if number.is_finite() {
        Ok(number)
    } else {
        Err(E::custom("a number of the vector is not finite"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_read_the_same() {
        // 0.5, -1.0 and the smallest normal number.
        let base64 = "AAAAPwAAgL8AAIAA";
        let floats = "[0.5, -1, 1.1754944e-38]";
        let vector: Vector = serde_json::from_str(floats).unwrap();
        assert_eq!(
            serde_json::from_str::<Vector>(&format!("\"{base64}\"")).unwrap(),
            vector
        );
        assert_eq!(to_base64(&vector.0), base64);
    }

    #[test]
    fn junk_is_an_error() {
        for junk in [
            r#""AAA""#,
            r#""?""#,
            r#""AADAfw==""#,
            "[1e300]",
            "[\"1\"]",
            "{}",
            "null",
        ] {
            assert!(serde_json::from_str::<Vector>(junk).is_err(), "{junk}");
        }
    }
}
