use super::{ChunkSize, CodeSplitter, MarkdownSplitter, RecursiveSplitter, Splitter};
use crate::{Chunk, ParsedDocument};

/// Cuts each document by what it is: one with headings by [`MarkdownSplitter`], code by [`CodeSplitter`], the rest by [`RecursiveSplitter`].
///
/// ```
/// use edge_ai_rag::{AutoSplitter, MediaType, ParsedDocument, Splitter};
///
/// let code = ParsedDocument::new("fn one() {\n    1\n}\n\nfn two() {\n    2\n}\n", MediaType::parse("text/x-rust"));
/// assert_eq!(AutoSplitter::characters(24).split(&code)[1].text, "fn two() {\n    2\n}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AutoSplitter {
    markdown: MarkdownSplitter,
    code: CodeSplitter,
    recursive: RecursiveSplitter,
}

impl AutoSplitter {
    /// Chunks of at most `size`, without overlap.
    pub fn new(size: ChunkSize) -> Self {
        Self {
            markdown: MarkdownSplitter::new(size),
            code: CodeSplitter::new(size),
            recursive: RecursiveSplitter::new(size),
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

    /// Repeats up to so much of a chunk's end at the next one's beginning, at most half of the size; code has no overlap.
    #[must_use]
    pub fn overlap(mut self, most: usize) -> Self {
        self.markdown = self.markdown.overlap(most);
        self.recursive = self.recursive.overlap(most);
        self
    }
}

impl Splitter for AutoSplitter {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let essence = document.media_type.essence();
        if !document.headings.is_empty() || essence == "text/markdown" {
            self.markdown.split(document)
        } else if essence.starts_with("text/x-") || matches!(essence, "text/javascript" | "text/css") {
            self.code.split(document)
        } else {
            self.recursive.split(document)
        }
    }

    fn fingerprint(&self) -> String {
        self.recursive.sizes().fingerprint("auto/1")
    }
}
