use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use edge_ai_core::{Dialect, Error, Extra, RawJson, Result};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Path, scan};

/// Up to so many fields, names are compared one by one; beyond, they are looked up.
const FEW: usize = 32;

/// The fields of an object, taken one by one; what is left are the unknown ones.
///
/// A field that is `null` counts as absent.
pub(crate) struct Fields<'a> {
    path: Path<'a>,
    /// With an empty text for the value of a field that is taken.
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Fields<'a> {
    /// Reads the object at `path`. Of a field that comes twice the last counts.
    ///
    /// At the root the text is checked to be JSON; deeper it is the text of a field or an element, which is checked already.
    ///
    /// # Errors
    /// When the text is not JSON or not an object.
    pub(crate) fn parse(text: &'a str, path: Path<'a>) -> Result<Self> {
        if path.is_root() {
            read::<IgnoredAny>(text, &path)?;
        }
        match scan::entries(text) {
            Some(fields) => Ok(Self {
                path,
                fields: without_repeated(fields),
            }),
            None => Err(read::<AnyObject>(text, &path)
                .err()
                .unwrap_or_else(|| not_an_object(&path))),
        }
    }

    /// Where the object stands.
    pub(crate) const fn path(&self) -> &Path<'a> {
        &self.path
    }

    /// Takes a field as its text.
    pub(crate) fn take_raw(&mut self, name: &str) -> Option<&'a str> {
        let (_, value) = self.fields.iter_mut().find(|(field, _)| field == name)?;
        Some(std::mem::take(value)).filter(|value| !matches!(*value, "" | "null"))
    }

    /// Looks at a field's text without taking it.
    pub(crate) fn peek_raw(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        Some(*value).filter(|value| !matches!(*value, "" | "null"))
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
        serde_json::from_str(value).ok()
    }

    /// What nobody took.
    pub(crate) fn rest(self, dialect: &Dialect) -> Extra {
        let owned =
            |(name, value): (Cow<'_, str>, &str)| Some((name.into_owned(), RawJson::parse(value).ok()?));
        Extra::new(dialect.clone(), self.into_entries().filter_map(owned).collect())
    }

    /// What nobody took, in its order.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
        self.fields.into_iter().filter(|(_, value)| !value.is_empty())
    }
}

/// Of a field that comes twice the last value counts, at the first one's place.
fn without_repeated<'a>(fields: Vec<(Cow<'a, str>, &'a str)>) -> Vec<(Cow<'a, str>, &'a str)> {
    let apart = || {
        let mut names = fields.iter().map(|(name, _)| name);
        let others = names.clone();
        fields.len() <= FEW
            && (1..)
                .zip(&mut names)
                .all(|(next, name)| !others.clone().skip(next).any(|other| other == name))
    };
    if apart() {
        return fields;
    }
    let mut places = BTreeMap::new();
    let mut kept: Vec<(Cow<'a, str>, &'a str)> = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let place = *places.entry(name.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(field) => field.1 = value,
            None => kept.push((name, value)),
        }
    }
    kept
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
    if path.is_root() {
        read::<IgnoredAny>(text, path)?;
    }
    match scan::elements(text) {
        Some(elements) => Ok(elements),
        None => read::<Vec<&RawValue>>(text, path)
            .map(|elements| elements.into_iter().map(RawValue::get).collect()),
    }
}

trait InvalidBody {
    fn invalid_body(message: String, source: serde_json::Error) -> Self;
}

impl InvalidBody for Error {
    fn invalid_body(message: String, source: serde_json::Error) -> Self {
        Self::new(edge_ai_core::ErrorKind::InvalidRequest, message).with_source(source)
    }
}

fn not_an_object(path: &Path<'_>) -> Error {
    Error::invalid(path.to_string(), "must be an object")
}

/// Any object: what else the text may be is told by the parser's error.
struct AnyObject;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = AnyObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<AnyObject, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(AnyObject)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

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
    fn of_a_field_that_comes_twice_the_last_counts() {
        let many: String = (0..100)
            .map(|number| format!("\"f{number}\":{number},"))
            .collect();
        for before in ["", &many] {
            let text = format!(r#"{{"a":1,{before}"b":2,"a":3,"z":4,"a":5}}"#);
            let fields = Fields::parse(&text, Path::ROOT).unwrap();
            let entries: Vec<_> = fields.into_entries().collect();
            assert_eq!(entries.first(), Some(&(Cow::Borrowed("a"), "5")));
            assert_eq!(entries.len(), 3 + before.matches(':').count());
        }
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
