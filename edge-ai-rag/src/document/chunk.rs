use std::ops::Range;
use std::sync::Arc;

use edge_ai_core::JsonObject;

/// A piece of a document: what is embedded, found and cited.
///
/// Three texts may differ: the chunk's own ([`text`](Self::text)), which is a range of the document; the one to embed
/// ([`embedded_text`](Self::embedded_text)), which may carry its headings; and the one to answer from ([`answer_text`](Self::answer_text)), which
/// may be the larger passage around it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Chunk {
    /// Its place among the document's chunks, from 0.
    pub ordinal: u32,
    /// Its own text: `document.text[range]`.
    pub text: String,
    /// The bytes of [`ParsedDocument::text`](crate::ParsedDocument::text) that it is.
    pub range: Range<usize>,
    /// The headings above it, outermost first.
    pub heading: Vec<String>,
    /// What to embed and index when that is not the chunk's own text.
    pub embedded: Option<String>,
    /// The passage to answer from when that is not the chunk itself.
    pub parent: Option<ParentChunk>,
    /// What is known about it beside the document's metadata, such as its `page`.
    pub metadata: JsonObject,
}

impl Chunk {
    /// A chunk that is embedded and answered from as it is.
    pub fn new(ordinal: u32, text: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            ordinal,
            text: text.into(),
            range,
            heading: Vec::new(),
            embedded: None,
            parent: None,
            metadata: JsonObject::new(),
        }
    }

    /// The text to embed, and to index for keywords.
    pub fn embedded_text(&self) -> &str {
        self.embedded.as_deref().unwrap_or(&self.text)
    }

    /// The text to answer from.
    pub fn answer_text(&self) -> &str {
        self.parent.as_ref().map_or(&self.text, |parent| &parent.text)
    }

    /// The bytes of the document's text that [`answer_text`](Self::answer_text) is.
    pub fn answer_range(&self) -> Range<usize> {
        let range = self.parent.as_ref().map_or(&self.range, |parent| &parent.range);
        range.clone()
    }
}

/// The passage that a chunk is found for: the section that it is a part of, or the sentences around it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParentChunk {
    /// Its place among the document's passages, from 0; chunks with the same one have the same passage.
    pub ordinal: u32,
    /// Its text, shared by its chunks: `document.text[range]`.
    pub text: Arc<str>,
    /// The bytes of the document's text that it is.
    pub range: Range<usize>,
}

impl ParentChunk {
    /// A passage.
    pub fn new(ordinal: u32, text: impl Into<Arc<str>>, range: Range<usize>) -> Self {
        Self {
            ordinal,
            text: text.into(),
            range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_its_own_text_until_told_otherwise() {
        let mut chunk = Chunk::new(0, "two", 4..7);
        assert_eq!((chunk.embedded_text(), chunk.answer_text()), ("two", "two"));
        assert_eq!(chunk.answer_range(), 4..7);
        chunk.embedded = Some("Numbers\n\ntwo".to_owned());
        chunk.parent = Some(ParentChunk::new(0, "one two", 0..7));
        assert_eq!(
            (chunk.embedded_text(), chunk.answer_text()),
            ("Numbers\n\ntwo", "one two")
        );
        assert_eq!(chunk.answer_range(), 0..7);
    }
}
