use super::Splitter;
use crate::{Chunk, ParsedDocument};

/// Has chunks embedded with the document's title and the headings above them, so that "It takes 30 days." is found for what it is about.
///
/// They go before the text to embed, in a line of their own, at most 200 characters of them, and count for no size; the chunk's own text stays as it is.
///
/// ```
/// use edge_ai_rag::{Heading, HeadingContext, MarkdownSplitter, MediaType, ParsedDocument, Splitter};
///
/// let mut document = ParsedDocument::new("# Returns\n\nIt takes 30 days.", MediaType::MARKDOWN);
/// document.title = Some("Handbook".into());
/// document.headings = vec![Heading::new(1, "Returns", 0)];
/// let chunks = HeadingContext::new(MarkdownSplitter::tokens(256)).split(&document);
/// assert_eq!(chunks[0].embedded_text(), "Handbook\n\n# Returns\n\nIt takes 30 days.");
/// ```
#[derive(Clone, Debug)]
pub struct HeadingContext<S> {
    inner: S,
}

impl<S: Splitter> HeadingContext<S> {
    /// Around a splitter.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

/// The most characters that go before a chunk.
const MOST: usize = 200;

impl<S: Splitter> Splitter for HeadingContext<S> {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let mut chunks = self.inner.split(document);
        for chunk in &mut chunks {
            // Headings that the chunk has in its own text need not be said twice.
            let start = document
                .headings
                .partition_point(|heading| heading.offset < chunk.range.start);
            let inside = document.headings.get(start..).unwrap_or_default();
            let inside = inside
                .iter()
                .take_while(|heading| heading.offset < chunk.range.end)
                .take(chunk.heading.len());
            let inside: Vec<&str> = inside.map(|heading| heading.text.as_str()).collect();
            let mut names: Vec<&str> = document.title.as_deref().into_iter().collect();
            for heading in chunk.heading.iter().map(String::as_str) {
                if !names.contains(&heading) && !inside.contains(&heading) {
                    names.push(heading);
                }
            }
            names.retain(|name| !name.trim().is_empty() && !inside.contains(name));
            if names.is_empty() {
                continue;
            }
            let line: String = names.join(" > ").chars().take(MOST).collect();
            chunk.embedded = Some(format!("{line}\n\n{}", chunk.embedded_text()));
        }
        chunks
    }

    fn fingerprint(&self) -> String {
        format!("heading-context/1({})", self.inner.fingerprint())
    }
}
