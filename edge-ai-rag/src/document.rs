//! What is ingested, and what becomes of it: a document, its text, its chunks.

mod chunk;
mod id;
mod media_type;
mod parsed;

use bytes::Bytes;
use edge_ai_core::JsonObject;
use serde_json::Value;

pub use chunk::{Chunk, ParentChunk};
pub use id::DocumentId;
pub use media_type::MediaType;
pub use parsed::{Heading, ParsedDocument};

/// A document as it was given: bytes of some format, under a name.
///
/// ```
/// use edge_ai_rag::{Document, DocumentId, MediaType};
///
/// let document = Document::new(DocumentId::new("handbook/leave.md")?, MediaType::MARKDOWN, "# Leave\n\nThirty days.")
///     .source("https://example.com/handbook/leave.md")
///     .metadata("team", "people");
/// assert_eq!(document.id.as_str(), "handbook/leave.md");
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// Its name, unique in its namespace.
    pub id: DocumentId,
    /// What the body is.
    pub content_type: MediaType,
    /// The bytes as they came.
    pub body: Bytes,
    /// What is known about it; each chunk carries it, too.
    pub metadata: JsonObject,
    /// Where it came from: a URL, or a key in R2.
    pub source: Option<String>,
}

impl Document {
    /// A document without metadata and source.
    pub fn new(id: DocumentId, content_type: MediaType, body: impl Into<Bytes>) -> Self {
        Self {
            id,
            content_type,
            body: body.into(),
            metadata: JsonObject::new(),
            source: None,
        }
    }

    /// Says where it came from.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds one field of metadata.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }
}
