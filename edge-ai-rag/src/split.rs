//! From text to chunks.

use std::fmt;
use std::sync::Arc;

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
