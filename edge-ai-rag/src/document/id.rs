use std::fmt;
use std::str::FromStr;

use edge_ai_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// The name of a document: 1 to 512 bytes of UTF-8 without control characters, such as a path, a key in R2 or a URL.
///
/// ```
/// use edge_ai_rag::DocumentId;
///
/// assert_eq!(DocumentId::new("guide/start.md")?.as_str(), "guide/start.md");
/// assert_eq!(DocumentId::new("").unwrap_err().param(), Some("id"));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentId(String);

impl DocumentId {
    /// The most bytes of a name.
    pub const MAX_BYTES: usize = 512;

    /// Checks a name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for `id` when it is empty, longer than 512 bytes, or has a
    /// control character.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if id.is_empty() {
            return Err(Error::invalid("id", "a document's id must not be empty"));
        }
        if id.len() > Self::MAX_BYTES {
            let message = format!(
                "a document's id has at most {} bytes, not {}",
                Self::MAX_BYTES,
                id.len()
            );
            return Err(Error::invalid("id", message));
        }
        if id.chars().any(char::is_control) {
            return Err(Error::invalid(
                "id",
                "a document's id must not have control characters",
            ));
        }
        Ok(Self(id))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DocumentId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for DocumentId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        Self::new(id)
    }
}

impl TryFrom<String> for DocumentId {
    type Error = Error;

    fn try_from(id: String) -> Result<Self> {
        Self::new(id)
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_wherever_they_come_from() {
        for id in ["a", "ä/ö ü.md", "https://example.com/a?b=c#d", &"x".repeat(512)] {
            assert_eq!(DocumentId::new(id).unwrap().as_str(), id);
        }
        for id in ["", "a\nb", "a\0", "\u{7f}", "\u{85}", &"x".repeat(513)] {
            assert_eq!(DocumentId::new(id).unwrap_err().param(), Some("id"), "{id:?}");
            let json = serde_json::to_string(id).unwrap();
            assert!(serde_json::from_str::<DocumentId>(&json).is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_name_is_a_string_in_json() {
        let id = DocumentId::new("a").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""a""#);
    }
}
