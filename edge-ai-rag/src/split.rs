//! From text to chunks.

mod auto;
mod code;
mod cut;
mod heading_context;
mod markdown;
mod parent_child;
mod place;
mod prose;
mod recursive;
mod sentence_window;
mod size;
mod structure;

use std::fmt;
use std::sync::Arc;

pub use auto::AutoSplitter;
pub use code::CodeSplitter;
pub use heading_context::HeadingContext;
pub use markdown::MarkdownSplitter;
pub use parent_child::ParentChildSplitter;
pub use recursive::RecursiveSplitter;
pub use sentence_window::SentenceWindowSplitter;
pub use size::ChunkSize;

use crate::{Chunk, ParsedDocument};

/// Cuts a document's text into chunks.
///
/// It is pure: the same text gives the same chunks. Every chunk's text is a range of the document's text; chunks come in the order of the text, with
/// ordinals from 0; together they cover every byte that is not white space; none is white space alone.
pub trait Splitter: fmt::Debug + Send + Sync + 'static {
    /// The chunks of a document.
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk>;

    /// Names the way of splitting with every parameter, such as `recursive/1:characters=1000,overlap=100`: chunks are made anew when this changes, and
    /// only then.
    fn fingerprint(&self) -> String;
}

impl<T: Splitter + ?Sized> Splitter for Arc<T> {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        (**self).split(document)
    }

    fn fingerprint(&self) -> String {
        (**self).fingerprint()
    }
}
