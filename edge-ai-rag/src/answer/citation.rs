use std::ops::Range;

use serde::Serialize;

use super::Source;
use crate::DocumentId;

/// A place of an answer, and the passage that it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Citation {
    /// The source's number, as it stands in the answer: `[1]`.
    pub number: u32,
    /// Where the mark stands in the answer's text, in characters (Unicode scalar values).
    pub at: Range<usize>,
    /// The document.
    pub document_id: DocumentId,
    /// The chunk.
    pub chunk_id: String,
    /// The document's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The headings above the chunk, outermost first.
    pub heading: Vec<String>,
    /// The bytes of the document's text that the passage is.
    pub range: Range<u64>,
    /// Where the document came from: a URL, or a key in R2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Citation {
    pub(super) fn new(source: &Source, at: Range<usize>) -> Self {
        Self {
            number: source.number,
            at,
            document_id: source.document_id.clone(),
            chunk_id: source.chunk_id.clone(),
            title: source.title.clone(),
            heading: source.heading.clone(),
            range: source.range.clone(),
            source: source.source.clone(),
        }
    }
}
