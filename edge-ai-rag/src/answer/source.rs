use std::ops::Range;

use serde::Serialize;

use crate::{DocumentId, RetrievedChunk};

/// A passage that an answer is made from, by the number under which the answer cites it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// Its number, from 1: the best first.
    pub number: u32,
    /// The document.
    pub document_id: DocumentId,
    /// The chunk that was found; where several are in the passage, the best.
    pub chunk_id: String,
    /// All chunks in the passage.
    pub chunk_ids: Vec<String>,
    /// The document's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The headings above the chunk, outermost first.
    pub heading: Vec<String>,
    /// The bytes of the document's text that it is.
    pub range: Range<u64>,
    /// Where the document came from: a URL, or a key in R2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the chunk was ranked by.
    pub score: f32,
    /// The text.
    pub text: String,
}

impl Source {
    pub(super) fn new(found: RetrievedChunk) -> Self {
        let RetrievedChunk {
            chunk,
            passage,
            score,
            ..
        } = found;
        Self {
            number: 0,
            document_id: chunk.document,
            chunk_id: chunk.id,
            chunk_ids: passage.chunk_ids,
            title: chunk.title,
            heading: chunk.heading,
            range: passage.range,
            source: chunk.source,
            score,
            text: passage.text,
        }
    }

    /// Title and headings, in one line.
    pub(super) fn place(&self) -> String {
        let mut place = String::new();
        let headings = self
            .heading
            .iter()
            .filter(|heading| self.title.as_ref() != Some(heading));
        for name in self.title.iter().chain(headings) {
            if !place.is_empty() {
                place.push_str(" > ");
            }
            place.extend(
                name.chars()
                    .map(|char| if char.is_control() { ' ' } else { char }),
            );
        }
        place
    }

    /// The address, where the document has one that a browser opens.
    pub(super) fn url(&self) -> Option<&str> {
        let url = self.source.as_deref()?;
        ["https://", "http://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
            .then_some(url)
    }
}
