use std::sync::Arc;

use super::Splitter;
use super::place::Path;
use crate::{Chunk, Heading, ParentChunk, ParsedDocument};

/// Cuts a document into passages to answer from, and those into chunks to find them by: small chunks are found more exactly, large ones answer more fully.
///
/// ```
/// use edge_ai_rag::{MediaType, ParentChildSplitter, ParsedDocument, RecursiveSplitter, Splitter};
///
/// let splitter = ParentChildSplitter::new(RecursiveSplitter::characters(60), RecursiveSplitter::characters(20));
/// let chunks = splitter.split(&ParsedDocument::new("Green tea: 70 °C.\nBlack tea: 95 °C.\n\nCoffee: 93 °C, freshly ground, please.", MediaType::PLAIN));
/// assert_eq!(chunks[0].embedded_text(), "Green tea: 70 °C.");
/// assert_eq!(chunks[0].answer_text(), "Green tea: 70 °C.\nBlack tea: 95 °C.");
/// ```
#[derive(Clone, Debug)]
pub struct ParentChildSplitter<P, C> {
    parents: P,
    children: C,
}

impl<P: Splitter, C: Splitter> ParentChildSplitter<P, C> {
    /// Passages by `parents`, each cut by `children`. What passages share by overlap is found in the first of them.
    pub const fn new(parents: P, children: C) -> Self {
        Self { parents, children }
    }
}

impl<P: Splitter, C: Splitter> Splitter for ParentChildSplitter<P, C> {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let mut path = Path::new(document);
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut headings = document.headings.iter().peekable();
        let mut covered = 0;
        for parent in self.parents.split(document) {
            let start = parent.range.start.max(covered);
            covered = parent.range.end;
            let passage: Arc<str> = parent.text.into();
            let parent_chunk = ParentChunk::new(parent.ordinal, passage, parent.range.clone());
            let text = document.text.get(start..parent.range.end).unwrap_or_default();
            let mut part = ParsedDocument::new(text, document.media_type.clone());
            while headings.next_if(|heading| heading.offset < start).is_some() {}
            while let Some(heading) = headings.next_if(|heading| heading.offset < parent.range.end) {
                part.headings.push(Heading::new(
                    heading.level,
                    heading.text.clone(),
                    heading.offset - start,
                ));
            }
            for mut child in self.children.split(&part) {
                child.ordinal = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
                child.range = start + child.range.start..start + child.range.end;
                if document.headings.is_empty() {
                    // Of code: what the passage is inside of, then what the chunk is inside of there.
                    child.heading.splice(0..0, parent.heading.iter().cloned());
                } else {
                    child.heading = path.at(child.range.start);
                }
                let own = std::mem::take(&mut child.metadata);
                child.metadata.clone_from(&parent.metadata);
                child.metadata.extend(own);
                if let Some(page) = document.page_of(child.range.start) {
                    child.metadata.insert("page".to_owned(), page.into());
                }
                child.parent = Some(parent_chunk.clone());
                chunks.push(child);
            }
        }
        chunks
    }

    fn fingerprint(&self) -> String {
        let (parents, children) = (self.parents.fingerprint(), self.children.fingerprint());
        format!("parent-child/1({parents};{children})")
    }
}
