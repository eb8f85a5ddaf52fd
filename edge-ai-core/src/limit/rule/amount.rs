use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount as it is written: a whole number, or dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Whole(u64),
    NanoDollars(u64),
}

impl Amount {
    /// Reads `60`, `100_000`, `$12.50`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('$') {
            Some(dollars) => nano_dollars(dollars).map(Self::NanoDollars),
            None => whole(text).map(Self::Whole),
        }
    }
}

fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.starts_with(|first: char| first.is_ascii_digit());
    let plain: String = text.chars().filter(|char| *char != '_').collect();
    plain.parse().ok().filter(|_| digits)
}

/// Digits of a dollar's billionths.
const PLACES: usize = 9;

fn nano_dollars(text: &str) -> Option<u64> {
    let (dollars, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > PLACES || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<PLACES$}").parse().ok()?;
    let total = whole(dollars)?
        .checked_mul(1_000_000_000)?
        .checked_add(fraction)?;
    // As much as `Money` holds.
    i64::try_from(total).ok().map(|_| total)
}

pub(super) const EXPECTED: &str = "a whole number, or dollars as in `\"$12.50\"`";

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::NanoDollars(amount) => {
                let money = crate::Money::from_nano_dollars(i64::try_from(*amount).unwrap_or(i64::MAX));
                serializer.collect_str(&money)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`amount` as {EXPECTED}")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount::Whole(number))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
                Amount::parse(text).ok_or_else(|| E::custom(format!("`amount` is {EXPECTED}")))
            }
        }
        deserializer.deserialize_any(Written).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LimitAmount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How much: a whole number, or for `spend` dollars as text.",
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": "^(\\$[0-9][0-9_]*(\\.[0-9]{1,9})?|[0-9][0-9_]*)$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_exact() {
        for (text, amount) in [
            ("$12.50", 12_500_000_000),
            ("$0.000000001", 1),
            ("$1_000", 1_000_000_000_000),
            ("$9223372036", 9_223_372_036_000_000_000),
        ] {
            assert_eq!(Amount::parse(text), Some(Amount::NanoDollars(amount)), "{text}");
        }
        for wrong in [
            "$",
            "$1.",
            "$.5",
            "$1.0000000001",
            "$-1",
            "$1e3",
            "$9223372037",
            "1.5",
            "_1",
            "",
            "+1",
        ] {
            assert_eq!(Amount::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Amount::parse("100_000"), Some(Amount::Whole(100_000)));
    }
}
