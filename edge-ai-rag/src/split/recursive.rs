use super::cut::{Sizes, cut};
use super::place;
use super::prose::Prose;
use super::{ChunkSize, Splitter};
use crate::{Chunk, ParsedDocument};

/// Cuts any text as well as it can be without knowing what it is: at the last paragraph that fits, else the last line, sentence, word, character.
///
/// ```
/// use edge_ai_rag::{MediaType, ParsedDocument, RecursiveSplitter, Splitter};
///
/// let document = ParsedDocument::new("Water boils at 100 °C.\n\nIt freezes at 0 °C. Ice floats.", MediaType::PLAIN);
/// let chunks = RecursiveSplitter::characters(25).split(&document);
/// let texts: Vec<_> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
/// assert_eq!(texts, ["Water boils at 100 °C.", "It freezes at 0 °C.", "Ice floats."]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RecursiveSplitter {
    sizes: Sizes,
}

impl RecursiveSplitter {
    /// Chunks of at most `size`, without overlap.
    pub fn new(size: ChunkSize) -> Self {
        Self {
            sizes: Sizes::new(size),
        }
    }

    /// Chunks of at most so many characters.
    pub fn characters(most: usize) -> Self {
        Self::new(ChunkSize::Characters(most))
    }

    /// Chunks of at most so many tokens, as they are [estimated](ChunkSize::Tokens).
    pub fn tokens(most: usize) -> Self {
        Self::new(ChunkSize::Tokens(most))
    }

    /// Repeats up to so much of a chunk's end at the next one's beginning, at most half of the size, in its unit: whole lines or sentences where there are
    /// any, and less where it would cut what fits whole.
    #[must_use]
    pub fn overlap(mut self, most: usize) -> Self {
        self.sizes = self.sizes.overlapping(most);
        self
    }

    pub(super) const fn sizes(&self) -> Sizes {
        self.sizes
    }
}

impl Splitter for RecursiveSplitter {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let mut ranges = Vec::new();
        let text = &document.text;
        cut(text, 0..text.len(), self.sizes, &Prose, &mut ranges);
        place::chunks(document, ranges)
    }

    fn fingerprint(&self) -> String {
        self.sizes.fingerprint("recursive/1")
    }
}
