use std::borrow::Cow;
use std::fmt;

use edge_ai_core::{Dialect, Error, Extra, RawJson, Result};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Path;

/// The fields of an object, taken one by one; what is left are the unknown ones.
///
/// A field that is `null` counts as absent.
pub(crate) struct Fields<'a> {
    path: Path<'a>,
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// Reads the object at `path`.
    ///
    /// # Errors
    /// When the text is not JSON or not an object.
    pub(crate) fn parse(text: &'a str, path: Path<'a>) -> Result<Self> {
        let Ordered(fields) = read(text, &path)?;
        Ok(Self { path, fields })
    }

    /// Where the object stands.
    pub(crate) const fn path(&self) -> &Path<'a> {
        &self.path
    }

    /// Takes a field as its text.
    pub(crate) fn take_raw(&mut self, name: &str) -> Option<&'a str> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        let (_, value) = self.fields.remove(at);
        (value.get() != "null").then(|| value.get())
    }

    /// Takes a field.
    ///
    /// # Errors
    /// When it is there and of another type.
    pub(crate) fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>> {
        self.take_raw(name)
            .map(|text| read(text, &self.path.field(name)))
            .transpose()
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// When it is absent or of another type.
    pub(crate) fn require<T: Deserialize<'a>>(&mut self, name: &str) -> Result<T> {
        let text = self.require_raw(name)?;
        read(text, &self.path.field(name))
    }

    /// Takes a field that must be there as its text.
    ///
    /// # Errors
    /// When it is absent.
    pub(crate) fn require_raw(&mut self, name: &str) -> Result<&'a str> {
        self.take_raw(name)
            .ok_or_else(|| Error::invalid(self.path.field(name).to_string(), format!("`{name}` is required")))
    }

    /// Looks at a field without taking it.
    pub(crate) fn peek<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        serde_json::from_str(value.get()).ok()
    }

    /// What nobody took.
    pub(crate) fn rest(self, dialect: &Dialect) -> Extra {
        let owned = |value: &RawValue| RawJson::from(value.to_owned());
        let fields = self
            .fields
            .into_iter()
            .map(|(name, value)| (name.into_owned(), owned(value)))
            .collect();
        Extra::new(dialect.clone(), fields)
    }

    /// What nobody took, in its order.
    pub(crate) fn into_entries(self) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        self.fields
    }
}

/// Reads a value at `path`.
///
/// # Errors
/// When the text is not JSON or of another type; the error names the path.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str, path: &Path<'_>) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let path = path.to_string();
        let problem = error.to_string();
        if path.is_empty() {
            // The position helps in a body, and misleads inside a field.
            return Error::invalid_body(
                format!("the body is not the JSON object it must be: {problem}"),
                error,
            );
        }
        let problem = problem.split(" at line ").next().unwrap_or(&problem).to_owned();
        Error::invalid(path, problem).with_source(error)
    })
}

/// The elements of the array at `path`, as their texts.
///
/// # Errors
/// When it is not an array.
pub(crate) fn elements<'a>(text: &'a str, path: &Path<'_>) -> Result<Vec<&'a str>> {
    let elements: Vec<&'a RawValue> = read(text, path)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

trait InvalidBody {
    fn invalid_body(message: String, source: serde_json::Error) -> Self;
}

impl InvalidBody for Error {
    fn invalid_body(message: String, source: serde_json::Error) -> Self {
        Self::new(edge_ai_core::ErrorKind::InvalidRequest, message).with_source(source)
    }
}

/// An object in its order; of a field that comes twice the last counts.
struct Ordered<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Ordered<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut fields: Self::Value = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    match fields.iter_mut().find(|(field, _)| *field == name) {
                        Some(field) => field.1 = value,
                        None => fields.push((name, value)),
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Entries).map(Ordered)
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect::new("test");

    #[test]
    fn fields_are_taken_and_the_rest_is_kept_as_text() {
        let mut fields = Fields::parse(
            r#"{"b": 1e400, "a": "x", "c": null, "z\u0041": [1,  2]}"#,
            Path::ROOT,
        )
        .unwrap();
        assert_eq!(fields.take::<String>("a").unwrap().as_deref(), Some("x"));
        assert_eq!(fields.take::<String>("c").unwrap(), None);
        let rest = fields.rest(&DIALECT);
        let kept: Vec<_> = rest
            .fields_for(&DIALECT)
            .map(|(name, value)| (name, value.get()))
            .collect();
        assert_eq!(kept, [("b", "1e400"), ("zA", "[1,  2]")]);
    }

    #[test]
    fn errors_name_the_field() {
        let root = Path::ROOT;
        let messages = root.field("messages");
        let second = messages.index(2);
        let mut fields = Fields::parse(r#"{"content": 5}"#, second).unwrap();
        let error = fields.take::<String>("content").unwrap_err();
        assert_eq!(error.param(), Some("messages[2].content"));
        assert_eq!(error.message(), "invalid type: integer `5`, expected a string");
        assert_eq!(
            fields.require::<String>("role").unwrap_err().param(),
            Some("messages[2].role")
        );
    }

    #[test]
    fn a_body_that_is_no_object_says_so() {
        for text in ["", "[]", "{", "\"x\"", "{\"a\":1}}"] {
            assert_eq!(
                Fields::parse(text, Path::ROOT).err().unwrap().kind(),
                edge_ai_core::ErrorKind::InvalidRequest
            );
        }
    }
}
