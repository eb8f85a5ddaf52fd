use edge_ai_core::{Result, async_trait};
use edge_ai_worker::AiBinding;

use super::{Limits, Parser};
use crate::{Document, MediaType, ParsedDocument};

/// Has Workers AI turn documents into Markdown: office formats, pictures, scanned PDFs ([Markdown
/// Conversion](https://developers.cloudflare.com/workers-ai/features/markdown-conversion/), with the formats it takes).
///
/// ```no_run
/// use std::sync::Arc;
/// use edge_ai_rag::{AiMarkdownParser, Formats};
/// use edge_ai_worker::EnvExt;
///
/// # fn example(env: worker::Env) -> edge_ai_core::Result<()> {
/// let office = AiMarkdownParser::new(env.required_ai("AI")?);
/// let formats = Formats::default().with(AiMarkdownParser::TYPES.iter().copied(), Arc::new(office));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AiMarkdownParser {
    ai: AiBinding,
    limits: Limits,
}

impl AiMarkdownParser {
    /// What it is mostly wanted for: office documents and pictures. Add `application/pdf` to have PDFs read by it, too.
    pub const TYPES: &'static [&'static str] = &[
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        "application/vnd.apple.numbers",
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/svg+xml",
    ];

    /// Over a binding, with the usual bounds.
    pub fn new(ai: AiBinding) -> Self {
        Self {
            ai,
            limits: Limits::default(),
        }
    }

    /// With other bounds.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

#[async_trait]
impl Parser for AiMarkdownParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.limits.check_body(document.body.len())?;
        let (name, media_type) = (document.id.as_str(), document.content_type.essence());
        let converted = self.ai.to_markdown(name, media_type, &document.body).await?;
        self.limits.check_text(converted.text.len())?;
        #[cfg_attr(
            not(feature = "markdown"),
            expect(unused_mut, reason = "headings are found by the Markdown parser")
        )]
        let mut parsed = ParsedDocument::new(converted.text, MediaType::MARKDOWN);
        #[cfg(feature = "markdown")]
        super::markdown::mark(&mut parsed);
        Ok(parsed)
    }

    fn fingerprint(&self) -> String {
        "ai-markdown/1".to_owned()
    }
}
