use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text that some servers write as another type: `null`, a number, or an array of parts with texts.
#[derive(Debug, Default, PartialEq)]
pub(in crate::openai) struct Lenient(pub(in crate::openai) String);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Lenient;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient, E> {
        Ok(Lenient(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Lenient, E> {
        Ok(Lenient(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Lenient, E> {
        Ok(Lenient(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Lenient, E> {
        Ok(Lenient(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Lenient, E> {
        Ok(Lenient(number.to_string()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Lenient, E> {
        Ok(Lenient(truth.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Lenient, E> {
        Ok(Lenient::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Lenient, A::Error> {
        let mut whole = String::new();
        while let Some(Lenient(text)) = parts.next_element()? {
            whole.push_str(&text);
        }
        Ok(Lenient(whole))
    }

    /// A part: its `text`.
    fn visit_map<A: MapAccess<'de>>(self, mut part: A) -> Result<Lenient, A::Error> {
        let mut text = Lenient::default();
        while let Some(Lenient(name)) = part.next_key()? {
            if name == "text" {
                text = part.next_value()?;
            } else {
                part.next_value::<IgnoredAny>()?;
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_a_text() {
        for (json, text) in [
            (r#""a\n""#, "a\n"),
            ("null", ""),
            ("7", "7"),
            ("-7", "-7"),
            ("0.5", "0.5"),
            ("true", "true"),
            (r#"[{"type":"text","text":"a"},"b",{"type":"x"}]"#, "ab"),
        ] {
            assert_eq!(
                serde_json::from_str::<Lenient>(json).unwrap(),
                Lenient(text.into()),
                "{json}"
            );
        }
    }
}
