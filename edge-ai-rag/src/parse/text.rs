use edge_ai_core::{Result, async_trait};

use super::{Limits, Parser, decode};
use crate::{Document, MediaType, ParsedDocument};

/// Takes text as it is: UTF-8, UTF-16 with a byte order mark, and Latin-1 where the document says so.
///
/// What is no text in that encoding becomes `U+FFFD`, with a warning; a body that is mostly so is refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextParser {
    limits: Limits,
}

impl TextParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The text of a document, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let decoded = decode::text(document, &self.limits)?;
        let media_type = match document.content_type.essence() {
            "application/octet-stream" => MediaType::PLAIN,
            essence => MediaType::parse(essence),
        };
        let mut parsed = ParsedDocument::new(decoded.text, media_type);
        parsed.warnings = decoded.warnings;
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for TextParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "text/1".to_owned()
    }
}
