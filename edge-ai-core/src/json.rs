use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// A decoded JSON object, used where values are computed with rather than carried through.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// The name of a wire format, such as `openai.chat`: who shares it may exchange unknown fields and bytes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dialect(Cow<'static, str>);

impl Dialect {
    /// Names a dialect; the dialect's own module does it once.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A JSON value kept as its text: the order of fields and the digits of numbers stay as they were written.
///
/// JSON schemas are held so, because models answer in the order of a schema's properties, and unknown fields, because
/// they are nobody's to rewrite.
#[derive(Clone)]
pub struct RawJson(Arc<RawValue>);

impl RawJson {
    /// Checks that `text` is one JSON value and keeps it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when it is not JSON.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        RawValue::from_string(text.into())
            .map(Self::from)
            .map_err(|error| {
                Error::new(ErrorKind::InvalidRequest, format!("not valid JSON: {error}")).with_source(error)
            })
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the value cannot be JSON, such as a map with keys that are not strings.
    pub fn from_serialize(value: &impl Serialize) -> Result<Self> {
        serde_json::value::to_raw_value(value)
            .map(Self::from)
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "a value cannot be written as JSON").with_source(error)
            })
    }

    /// Reads the value into a type.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when the JSON has another shape.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.get()).map_err(|error| {
            Error::new(
                ErrorKind::InvalidRequest,
                format!("JSON of another shape: {error}"),
            )
            .with_source(error)
        })
    }

    /// The text, as it was written.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Arc::from(raw))
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// Equal when the texts are equal.
impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

/// Fields that arrived beside the known ones: they return to whoever speaks the same dialect, and to nobody else.
///
/// ```
/// use edge_ai_core::{Dialect, Extra, RawJson};
///
/// let dialect = Dialect::new("openai.chat");
/// let extra = Extra::new(dialect.clone(), vec![("service_tier".into(), RawJson::parse("\"flex\"")?)]);
/// assert_eq!(extra.fields_for(&dialect).count(), 1);
/// assert_eq!(extra.fields_for(&Dialect::new("anthropic.messages")).count(), 0);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Option<Box<Tagged>>);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Tagged {
    dialect: Dialect,
    fields: Fields,
}

impl Extra {
    /// The unknown `fields` of an object in `dialect`, in their order.
    pub fn new(dialect: Dialect, fields: Vec<(String, RawJson)>) -> Self {
        if fields.is_empty() {
            Self(None)
        } else {
            Self(Some(Box::new(Tagged {
                dialect,
                fields: Fields(fields),
            })))
        }
    }

    /// Adds fields of the same dialect; one of a known name replaces the known. Those of another dialect are dropped, unless there is none
    /// yet.
    pub fn extend(&mut self, more: Self) {
        let Some(tagged) = self.0.as_deref_mut() else {
            *self = more;
            return;
        };
        let Some(more) = more.0.filter(|more| more.dialect == tagged.dialect) else {
            return;
        };
        let known = &mut tagged.fields.0;
        for (name, value) in more.fields.0 {
            match known.iter_mut().find(|(field, _)| *field == name) {
                Some(field) => field.1 = value,
                None => known.push((name, value)),
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The fields for a writer of `dialect`, in the order in which they arrived; none for another dialect.
    pub fn fields_for<'a>(
        &'a self,
        dialect: &Dialect,
    ) -> impl Iterator<Item = (&'a str, &'a RawJson)> + use<'a> {
        let tagged = self.0.as_deref().filter(|tagged| tagged.dialect == *dialect);
        let fields = tagged
            .map(|tagged| tagged.fields.0.as_slice())
            .unwrap_or_default();
        fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One field, when it came in `dialect`.
    pub fn get(&self, dialect: &Dialect, name: &str) -> Option<&RawJson> {
        self.fields_for(dialect)
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }

    /// The fields of whatever dialect they came in, for a layer that rewrites texts within them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut RawJson)> {
        let fields = self.0.as_deref_mut().map(|tagged| tagged.fields.0.as_mut_slice());
        fields
            .unwrap_or_default()
            .iter_mut()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Keeps the fields that `wanted` names.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        if let Some(tagged) = self.0.as_deref_mut() {
            tagged.fields.0.retain(|(name, _)| wanted(name));
            if tagged.fields.0.is_empty() {
                self.0 = None;
            }
        }
    }

    /// Every field with its value, of whatever dialect, for a layer that reads texts within them.
    pub fn values(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        let fields = self.0.as_deref().map(|tagged| tagged.fields.0.as_slice());
        let fields = fields.unwrap_or_default().iter();
        fields.map(|(name, value)| (name.as_str(), value))
    }

    /// Every field's name with the dialect it came from, for reports of what a translation leaves out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|tagged| tagged.fields.0.iter().map(|(name, _)| name.as_str()))
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Extra"),
            Some(tagged) => f
                .debug_map()
                .entries(tagged.fields.0.iter().map(|(name, value)| (name, value)))
                .finish(),
        }
    }
}

/// An object whose order is kept.
#[derive(Clone, PartialEq)]
struct Fields(Vec<(String, RawJson)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry().map_err(A::Error::custom)? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_json_keeps_order_and_digits() {
        let text = r#"{"z":12345678901234567890123,"a":1.10}"#;
        assert_eq!(RawJson::parse(text).unwrap().get(), text);
        assert_eq!(RawJson::parse("{").unwrap_err().kind(), ErrorKind::InvalidRequest);
    }

    #[test]
    fn later_fields_replace_earlier_ones_of_their_dialect() {
        let dialect = Dialect::new("d");
        let field = |name: &str, json: &str| (name.to_owned(), RawJson::parse(json).unwrap());
        let mut extra = Extra::default();
        extra.extend(Extra::new(
            dialect.clone(),
            vec![field("a", "1"), field("b", "2")],
        ));
        extra.extend(Extra::new(
            dialect.clone(),
            vec![field("c", "3"), field("a", "4")],
        ));
        extra.extend(Extra::new(Dialect::new("other"), vec![field("a", "5")]));
        let fields: Vec<_> = extra
            .fields_for(&dialect)
            .map(|(name, value)| (name, value.get()))
            .collect();
        assert_eq!(fields, [("a", "4"), ("b", "2"), ("c", "3")]);
    }

    #[test]
    fn extra_survives_storage_in_order() {
        let extra = Extra::new(
            Dialect::new("a"),
            vec![
                ("z".into(), RawJson::parse("1").unwrap()),
                ("b".into(), RawJson::parse("[2]").unwrap()),
            ],
        );
        let stored = serde_json::to_string(&extra).unwrap();
        let back: Extra = serde_json::from_str(&stored).unwrap();
        assert_eq!(back, extra);
        assert_eq!(back.names().collect::<Vec<_>>(), ["z", "b"]);
    }

    #[test]
    fn values_are_rewritten_and_left_out_in_place() {
        let field = |name: &str| (name.to_owned(), RawJson::parse("1").unwrap());
        let mut extra = Extra::new(Dialect::new("d"), vec![field("a"), field("b")]);
        for (_, value) in extra.values_mut() {
            *value = RawJson::parse("2").unwrap();
        }
        extra.retain(|name| name != "a");
        let left: Vec<_> = extra.values().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(left, [("b", "2")]);
        extra.retain(|_| false);
        assert!(extra.is_empty());
    }

    #[test]
    fn no_extra_is_null_and_back() {
        let stored = serde_json::to_string(&Extra::default()).unwrap();
        assert_eq!(stored, "null");
        assert!(serde_json::from_str::<Extra>(&stored).unwrap().is_empty());
    }
}
