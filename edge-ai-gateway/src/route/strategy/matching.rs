use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a text must be like for a [`Condition`](crate::Condition): a header, a label, a name. A mere text is one that it must equal.
///
/// | test | in JSON | holds of |
/// | --- | --- | --- |
/// | [`is("pro")`](Self::is), or the text | `"pro"` | this text |
/// | [`one_of(["pro", "team"])`](Self::one_of) | `{"in": ["pro", "team"]}` | each of these |
/// | [`prefix("eu-")`](Self::prefix) | `{"prefix": "eu-"}` | a text that begins so |
/// | [`exists()`](Self::exists) | `{"exists": true}`; with `false`, that there is none | any text |
/// | [`over(3)`](Self::over), [`under(3)`](Self::under) | `{"over": 3}`, `{"under": 3}` | a whole number above or below |
/// | `!test` | `{"not": …}` | what it does not hold of, also where there is no text |
///
/// Upper and lower case are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching(Test);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Is(String),
    By(Operator),
}

/// In JSON an object with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Operator {
    In(Vec<String>),
    Prefix(String),
    Exists(bool),
    Over(i64),
    Under(i64),
    Not(Box<Matching>),
}

impl Matching {
    /// It is this text.
    pub fn is(text: impl Into<String>) -> Self {
        Self(Test::Is(text.into()))
    }

    /// It is one of these texts.
    pub fn one_of<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(Test::By(Operator::In(
            texts.into_iter().map(Into::into).collect(),
        )))
    }

    /// It begins with this text.
    pub fn prefix(text: impl Into<String>) -> Self {
        Self(Test::By(Operator::Prefix(text.into())))
    }

    /// It is there.
    pub const fn exists() -> Self {
        Self(Test::By(Operator::Exists(true)))
    }

    /// It is a whole number above this one.
    pub const fn over(number: i64) -> Self {
        Self(Test::By(Operator::Over(number)))
    }

    /// It is a whole number below this one.
    pub const fn under(number: i64) -> Self {
        Self(Test::By(Operator::Under(number)))
    }

    /// Whether it holds of a text; `None` where there is none.
    pub(super) fn holds(&self, text: Option<&str>) -> bool {
        let number = || text.and_then(|text| text.trim().parse::<i64>().ok());
        match &self.0 {
            Test::Is(wanted) => text == Some(wanted),
            Test::By(Operator::In(wanted)) => text.is_some_and(|text| wanted.iter().any(|one| one == text)),
            Test::By(Operator::Prefix(prefix)) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
            Test::By(Operator::Exists(wanted)) => text.is_some() == *wanted,
            Test::By(Operator::Over(bound)) => number().is_some_and(|number| number > *bound),
            Test::By(Operator::Under(bound)) => number().is_some_and(|number| number < *bound),
            Test::By(Operator::Not(test)) => !test.holds(text),
        }
    }
}

impl From<&str> for Matching {
    fn from(text: &str) -> Self {
        Self::is(text)
    }
}

impl From<String> for Matching {
    fn from(text: String) -> Self {
        Self::is(text)
    }
}

impl std::ops::Not for Matching {
    type Output = Self;

    fn not(self) -> Self {
        Self(Test::By(Operator::Not(Box::new(self))))
    }
}

impl Serialize for Matching {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Test::Is(text) => serializer.serialize_str(text),
            Test::By(operator) => operator.serialize(serializer),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Matching {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matching".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let operator = generator.subschema_for::<Operator>();
        schemars::json_schema!({
            "description": "A text that it must equal, or a test of it.",
            "anyOf": [{"type": "string"}, operator]
        })
    }
}

/// By hand, since an error of an untagged enum does not say what is wrong.
impl<'de> Deserialize<'de> for Matching {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expected;

        impl<'de> Visitor<'de> for Expected {
            type Value = Matching;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with one of the fields `in`, `prefix`, `exists`, `over`, `under`, `not`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Matching, E> {
                Ok(Matching::is(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Matching, A::Error> {
                Operator::deserialize(MapAccessDeserializer::new(map))
                    .map(|operator| Matching(Test::By(operator)))
            }
        }

        deserializer.deserialize_any(Expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_hold_of_texts() {
        let holds = |json: &str, text| serde_json::from_str::<Matching>(json).unwrap().holds(text);
        for (json, yes, no) in [
            (r#""pro""#, Some("pro"), Some("Pro")),
            (r#"{"in": ["a", "b"]}"#, Some("b"), Some("c")),
            (r#"{"prefix": "eu-"}"#, Some("eu-1"), Some("us-eu-")),
            (r#"{"exists": true}"#, Some(""), None),
            (r#"{"exists": false}"#, None, Some("x")),
            (r#"{"over": 3}"#, Some(" 4 "), Some("3")),
            (r#"{"under": -3}"#, Some("-4"), Some("three")),
            (r#"{"not": {"in": ["a"]}}"#, None, Some("a")),
        ] {
            assert!(holds(json, yes), "{json} of {yes:?}");
            assert!(!holds(json, no), "{json} of {no:?}");
        }
    }

    #[test]
    fn what_is_no_test_is_told() {
        for (json, told) in [
            ("7", "a text, or an object"),
            (r#"{"regex": "x"}"#, "unknown variant `regex`"),
            (r#"{"over": "3"}"#, "expected i64"),
        ] {
            let error = serde_json::from_str::<Matching>(json).unwrap_err().to_string();
            assert!(error.contains(told), "{json}: {error}");
        }
    }
}
