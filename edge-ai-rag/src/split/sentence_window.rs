use std::ops::Range;
use std::sync::Arc;

use super::cut::{Break, Breaks, Sizes, cut, skip_space, slice, trim_end};
use super::place;
use super::prose::{self, first_sentence_end};
use super::{ChunkSize, Splitter};
use crate::{Chunk, ParentChunk, ParsedDocument};

/// Makes every sentence a chunk, to be found by itself and answered from together with the sentences around it.
///
/// A sentence ends at `.`, `!`, `?` before white space, at `。`, `！`, `？`, and where a paragraph ends; common abbreviations and initials end none.
///
/// ```
/// use edge_ai_rag::{MediaType, ParsedDocument, SentenceWindowSplitter, Splitter};
///
/// let document = ParsedDocument::new("One. Two. Three. Four.", MediaType::PLAIN);
/// let chunks = SentenceWindowSplitter::new(1).split(&document);
/// assert_eq!(chunks[1].embedded_text(), "Two.");
/// assert_eq!(chunks[1].answer_text(), "One. Two. Three.");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SentenceWindowSplitter {
    window: usize,
    sizes: Sizes,
}

impl SentenceWindowSplitter {
    /// Sentences with `window` others before and after, at most 32; one of more than 256 tokens is cut.
    pub fn new(window: usize) -> Self {
        Self {
            window: window.min(32),
            sizes: Sizes {
                size: ChunkSize::Tokens(256),
                overlap: ChunkSize::Tokens(0),
            },
        }
    }

    /// The size at which a sentence is cut.
    #[must_use]
    pub fn max_sentence(mut self, size: ChunkSize) -> Self {
        self.sizes = Sizes::new(size);
        self
    }
}

impl Splitter for SentenceWindowSplitter {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let text = &document.text;
        let mut ranges = Vec::new();
        for sentence in sentences(text) {
            cut(text, sentence, self.sizes, &Inline, &mut ranges);
        }
        let windows: Vec<Range<usize>> = (0..ranges.len())
            .filter_map(|at| {
                let first = ranges.get(at.saturating_sub(self.window))?;
                let last = ranges.get((at + self.window).min(ranges.len() - 1))?;
                Some(first.start..last.end)
            })
            .collect();
        let mut chunks = place::chunks(document, ranges);
        for (chunk, range) in chunks.iter_mut().zip(windows) {
            let passage: Arc<str> = slice(text, range.start, range.end).into();
            chunk.parent = Some(ParentChunk::new(chunk.ordinal, passage, range));
        }
        chunks
    }

    fn fingerprint(&self) -> String {
        let name = format!("sentence-window/1:window={}", self.window);
        self.sizes.fingerprint(&name)
    }
}

/// A sentence is one line of text, wherever it was wrapped.
struct Inline;

impl Breaks for Inline {
    fn best(&self, text: &str, fresh: usize, reach: usize) -> Break {
        prose::inline(text, fresh, reach)
    }
}

/// The sentences of a text, paragraph by paragraph.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut at = skip_space(text, 0, text.len());
    while at < text.len() {
        let paragraph = paragraph_end(text, at);
        while at < paragraph {
            let rest = slice(text, at, paragraph);
            let end = at + first_sentence_end(rest).unwrap_or(rest.len());
            sentences.push(at..at + trim_end(slice(text, at, end)));
            at = skip_space(text, end, paragraph);
        }
        at = skip_space(text, paragraph, text.len());
    }
    sentences
}

/// Where the paragraph that `from` is in ends: before a blank line.
fn paragraph_end(text: &str, from: usize) -> usize {
    let rest = slice(text, from, text.len());
    let newlines = memchr::memchr_iter(b'\n', rest.as_bytes());
    newlines
        .map(|at| from + at)
        .find(|at| {
            let next = slice(text, at + 1, text.len()).trim_start_matches([' ', '\t', '\r']);
            next.starts_with('\n')
        })
        .unwrap_or(text.len())
}
