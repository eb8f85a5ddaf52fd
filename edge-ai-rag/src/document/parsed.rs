use edge_ai_core::JsonObject;

use super::MediaType;

/// The text of a document, in which headings, chunks and citations point by byte.
///
/// Of plain text, code and Markdown in UTF-8 (without a byte order mark) the text is the source itself, byte for byte, so that offsets into it are offsets into the source.
/// Of every other format, and of other encodings, it is what the parser took from it, and offsets are offsets into that.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParsedDocument {
    /// The text.
    pub text: String,
    /// How the text is written, by which a splitter may choose: `text/markdown` for what came from HTML, for instance.
    pub media_type: MediaType,
    /// What the document calls itself.
    pub title: Option<String>,
    /// Its headings in the order of the text.
    pub headings: Vec<Heading>,
    /// Where each page begins in the text; empty for a format without pages.
    pub pages: Vec<usize>,
    /// What the document says about itself, such as `author` or `description`.
    pub metadata: JsonObject,
    /// What was lost or left out on the way, for the one who ingests it.
    pub warnings: Vec<String>,
}

impl ParsedDocument {
    /// A text without headings and the rest.
    pub fn new(text: impl Into<String>, media_type: MediaType) -> Self {
        Self {
            text: text.into(),
            media_type,
            title: None,
            headings: Vec::new(),
            pages: Vec::new(),
            metadata: JsonObject::new(),
            warnings: Vec::new(),
        }
    }

    /// The number of the page, from 1, on which a byte of the text is.
    pub fn page_of(&self, offset: usize) -> Option<usize> {
        let page = self.pages.partition_point(|start| *start <= offset);
        (page > 0).then_some(page)
    }
}

/// A heading of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heading {
    /// From 1, the highest, to 6.
    pub level: u8,
    /// Its words, without markup.
    pub text: String,
    /// Where its line begins in the text.
    pub offset: usize,
}

impl Heading {
    /// A heading.
    pub fn new(level: u8, text: impl Into<String>, offset: usize) -> Self {
        Self {
            level,
            text: text.into(),
            offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_on_the_page_that_began_last() {
        let mut document = ParsedDocument::new("one two", MediaType::PLAIN);
        assert_eq!(document.page_of(3), None);
        document.pages = vec![0, 4];
        assert_eq!(
            [0, 3, 4, 6].map(|at| document.page_of(at)),
            [1, 1, 2, 2].map(Some)
        );
    }
}
