//! From ranges to chunks: what is above each, and on which page it is.

use std::ops::Range;

use crate::{Chunk, ParsedDocument};

/// Walks along a document's headings.
#[derive(Debug)]
pub(super) struct Path<'a> {
    document: &'a ParsedDocument,
    next: usize,
    open: Vec<(u8, &'a str)>,
}

impl<'a> Path<'a> {
    pub(super) const fn new(document: &'a ParsedDocument) -> Self {
        Self {
            document,
            next: 0,
            open: Vec::new(),
        }
    }

    /// The headings above `offset`, one that begins there included; offsets come in their order.
    pub(super) fn at(&mut self, offset: usize) -> Vec<String> {
        while let Some(heading) = self.document.headings.get(self.next)
            && heading.offset <= offset
        {
            while self.open.last().is_some_and(|(level, _)| *level >= heading.level) {
                self.open.pop();
            }
            self.open.push((heading.level, &heading.text));
            self.next += 1;
        }
        self.open.iter().map(|(_, text)| (*text).to_owned()).collect()
    }
}

/// The chunks of ranges in their order, with the headings above their beginnings.
pub(super) fn chunks(document: &ParsedDocument, ranges: Vec<Range<usize>>) -> Vec<Chunk> {
    let mut path = Path::new(document);
    let chunks = ranges.into_iter().zip(0..).map(|(range, ordinal)| {
        let heading = path.at(range.start);
        chunk(document, ordinal, range, heading)
    });
    chunks.collect()
}

/// One chunk.
pub(super) fn chunk(
    document: &ParsedDocument,
    ordinal: u32,
    range: Range<usize>,
    heading: Vec<String>,
) -> Chunk {
    let text = document.text.get(range.clone()).unwrap_or_default();
    let page = document.page_of(range.start);
    let mut chunk = Chunk::new(ordinal, text, range);
    chunk.heading = heading;
    if let Some(page) = page {
        chunk.metadata.insert("page".to_owned(), page.into());
    }
    chunk
}
