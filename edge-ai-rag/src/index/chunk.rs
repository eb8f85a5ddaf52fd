use std::ops::Range;

use edge_ai_core::{JsonObject, Timestamp};

use crate::digest::Digest;
use crate::{Chunk, DocumentId, Namespace, ParentChunk};

/// A chunk as the index keeps it: what retrieval reads and answers cite.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredChunk {
    /// Its name in the stores: 43 bytes, the same for the same content of the same document under the same pipeline.
    pub id: String,
    /// The document that it is a piece of.
    pub document: DocumentId,
    /// Its place among the document's chunks, from 0.
    pub ordinal: u32,
    /// Its own text.
    pub text: String,
    /// The bytes of the document's text that it is.
    pub range: Range<u64>,
    /// The headings above it, outermost first.
    pub heading: Vec<String>,
    /// The passage to answer from when that is not the chunk itself.
    pub parent: Option<ParentChunk>,
    /// The document's title.
    pub title: Option<String>,
    /// Where the document came from: a URL, or a key in R2.
    pub source: Option<String>,
    /// The document's metadata, and over it the chunk's own.
    pub metadata: JsonObject,
    /// When the document's content was last ingested.
    pub updated: Timestamp,
}

impl StoredChunk {
    /// A chunk without anything around it.
    pub fn new(
        id: impl Into<String>,
        document: DocumentId,
        ordinal: u32,
        text: impl Into<String>,
        range: Range<u64>,
    ) -> Self {
        Self {
            id: id.into(),
            document,
            ordinal,
            text: text.into(),
            range,
            heading: Vec::new(),
            parent: None,
            title: None,
            source: None,
            metadata: JsonObject::new(),
            updated: Timestamp::default(),
        }
    }

    /// The text to answer from.
    pub fn answer_text(&self) -> &str {
        self.parent.as_ref().map_or(&self.text, |parent| &parent.text)
    }

    /// The bytes of the document's text that [`answer_text`](Self::answer_text) is.
    pub fn answer_range(&self) -> Range<u64> {
        match &self.parent {
            None => self.range.clone(),
            Some(parent) => parent.range.start as u64..parent.range.end as u64,
        }
    }
}

/// The name of a chunk: the same text of the same document has the same one under the same embedding, wherever in the document it stands.
/// `occurrence` counts equal texts of one document from 0.
pub(crate) fn chunk_id(
    namespace: &Namespace,
    document: &DocumentId,
    embedding: &str,
    chunk: &Chunk,
    occurrence: u32,
) -> String {
    Digest::new("chunk")
        .part(namespace.as_str())
        .part(document.as_str())
        .part(embedding)
        .part(chunk.embedded_text())
        .part(&chunk.text)
        .part(occurrence.to_le_bytes())
        .into_base64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunks_name_depends_on_everything_that_it_is() {
        let of = |namespace: &str, document: &str, fingerprint: &str, text: &str, occurrence| {
            let document = DocumentId::new(document).unwrap();
            chunk_id(
                &Namespace::kept(namespace),
                &document,
                fingerprint,
                &Chunk::new(0, text, 0..text.len()),
                occurrence,
            )
        };
        let one = of("n", "d", "f", "t", 0);
        assert_eq!(one, of("n", "d", "f", "t", 0));
        assert_eq!(one.len(), 43);
        for other in [
            of("m", "d", "f", "t", 0),
            of("n", "e", "f", "t", 0),
            of("n", "d", "g", "t", 0),
            of("n", "d", "f", "u", 0),
            of("n", "d", "f", "t", 1),
        ] {
            assert_ne!(one, other);
        }
    }
}
