use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Dialect;

/// A body as its sender wrote it, with the dialect it is written in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Native {
    /// The wire format of `body`.
    pub dialect: Dialect,
    /// The text, byte for byte.
    pub body: Bytes,
}

impl Native {
    /// A body in a dialect.
    pub const fn new(dialect: Dialect, body: Bytes) -> Self {
        Self { dialect, body }
    }
}

/// A value together with the text it was read from.
///
/// Reading goes to the value. While nobody has edited it, a writer of the same dialect sends the text itself, so that
/// nothing is lost or reordered on the way; the first [`edit`](Self::edit) drops the text, since it no longer says the same.
/// Clones share the value until one of them is edited: a request that is tried at several places is held once.
///
/// ```
/// use edge_ai_core::{Dialect, Verbatim};
///
/// let dialect = Dialect::new("greeting");
/// let mut value = Verbatim::new(String::from("hello")).with_native(dialect.clone(), "\"hello\"".into());
/// assert_eq!(value.native_in(&dialect).unwrap(), "\"hello\"");
/// value.edit().push('!');
/// assert!(value.native_in(&dialect).is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verbatim<T> {
    value: Arc<T>,
    native: Option<Native>,
}

impl<T> Verbatim<T> {
    /// A value of our own making.
    pub fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
            native: None,
        }
    }

    /// Adds the text that the value was read from.
    #[must_use]
    pub fn with_native(self, dialect: Dialect, body: Bytes) -> Self {
        Self {
            native: Some(Native::new(dialect, body)),
            ..self
        }
    }

    /// The original text, if there is one in `dialect` and nobody has edited the value.
    pub fn native_in(&self, dialect: &Dialect) -> Option<&Bytes> {
        self.native
            .as_ref()
            .filter(|native| native.dialect == *dialect)
            .map(|native| &native.body)
    }
}

impl<T: Clone> Verbatim<T> {
    /// The value to change; the original text is dropped.
    pub fn edit(&mut self) -> &mut T {
        self.native = None;
        Arc::make_mut(&mut self.value)
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.value)
    }
}

impl<T> Deref for Verbatim<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> From<T> for Verbatim<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[derive(Serialize)]
struct Stored<'a, T> {
    value: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'a Dialect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native: Option<&'a str>,
}

#[derive(Deserialize)]
struct Loaded<T> {
    value: T,
    #[serde(default)]
    dialect: Option<Dialect>,
    #[serde(default)]
    native: Option<String>,
}

/// Stored with its text, so that an answer from a cache is the answer that was given. A text that is not UTF-8 is left out.
impl<T: Serialize> Serialize for Verbatim<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let native = self
            .native
            .as_ref()
            .and_then(|native| Some((native, std::str::from_utf8(&native.body).ok()?)));
        let (dialect, native) = native.map(|(native, text)| (&native.dialect, text)).unzip();
        Stored {
            value: &*self.value,
            dialect,
            native,
        }
        .serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Verbatim<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Loaded {
            value,
            dialect,
            native,
        } = Loaded::deserialize(deserializer)?;
        let native = dialect
            .zip(native)
            .map(|(dialect, body)| Native::new(dialect, body.into()));
        Ok(Self {
            value: Arc::new(value),
            native,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_keeps_the_original_text() {
        let dialect = Dialect::new("d");
        let value = Verbatim::new(1u8).with_native(dialect.clone(), Bytes::from_static(b"{ \"n\": 1 }"));
        let back: Verbatim<u8> = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        assert_eq!(back, value);
        assert_eq!(back.native_in(&Dialect::new("other")), None);
    }
}
