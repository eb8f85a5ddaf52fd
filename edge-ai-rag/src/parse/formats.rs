use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result, async_trait};

use super::{JsonParser, Limits, Parser, TextParser};
use crate::{Document, MediaType, ParsedDocument};

/// Knows which parser reads which format, by media type; where nobody named one, by the end of the name and then by how the body begins.
///
/// [`Formats::default`] has every parser that the features turn on. Later ones replace earlier ones:
///
/// ```
/// use std::sync::Arc;
/// use edge_ai_rag::{Document, DocumentId, Formats, MediaType, Parser, TextParser};
///
/// # futures_executor::block_on(async {
/// let formats = Formats::default().with(["text/x-log"], Arc::new(TextParser::default()));
/// let document = Document::new(DocumentId::new("boot.log")?, MediaType::parse("text/x-log"), "started");
/// assert_eq!(formats.parse(&document).await?.text, "started");
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Formats {
    parsers: Vec<(String, Arc<dyn Parser>)>,
}

impl Formats {
    /// None.
    pub const fn empty() -> Self {
        Self { parsers: Vec::new() }
    }

    /// Every parser that the features turn on, with these bounds.
    pub fn new(limits: Limits) -> Self {
        let formats = Self::empty()
            .with(["text/*"], Arc::new(TextParser::new(limits)))
            .with(
                [
                    "application/json",
                    "application/x-ndjson",
                    "application/ndjson",
                    "application/jsonl",
                    "application/x-jsonlines",
                ],
                Arc::new(JsonParser::new(limits)),
            )
            .with(
                [
                    "application/javascript",
                    "application/xml",
                    "application/yaml",
                    "application/toml",
                    "application/x-sh",
                ],
                Arc::new(TextParser::new(limits)),
            );
        #[cfg(feature = "markdown")]
        let formats = formats.with(
            ["text/markdown", "text/x-markdown"],
            Arc::new(super::MarkdownParser::new(limits)),
        );
        #[cfg(feature = "html")]
        let formats = formats.with(
            ["text/html", "application/xhtml+xml"],
            Arc::new(super::HtmlParser::new(limits)),
        );
        #[cfg(feature = "csv")]
        let formats = formats.with(
            ["text/csv", "text/tab-separated-values"],
            Arc::new(super::CsvParser::new(limits)),
        );
        #[cfg(feature = "pdf")]
        let formats = formats.with(["application/pdf"], Arc::new(super::PdfParser::new(limits)));
        formats
    }

    /// Has `parser` read these media types; `text/*` stands for every type of the kind that has no parser of its own.
    #[must_use]
    pub fn with<'a>(mut self, types: impl IntoIterator<Item = &'a str>, parser: Arc<dyn Parser>) -> Self {
        for essence in types {
            let essence = essence.to_ascii_lowercase();
            self.parsers.retain(|(known, _)| *known != essence);
            self.parsers.push((essence, Arc::clone(&parser)));
        }
        self
    }

    /// The media types that it reads.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.parsers.iter().map(|(essence, _)| essence.as_str())
    }

    /// What a document is: what it says, else what its name says, else what its body looks like.
    pub fn type_of(document: &Document) -> MediaType {
        let given = &document.content_type;
        // Of stores and servers that do not know better.
        if !matches!(
            given.essence(),
            "application/octet-stream"
                | "binary/octet-stream"
                | "text/plain"
                | "application/x-www-form-urlencoded"
        ) {
            return given.clone();
        }
        let named = MediaType::of_name(document.source.as_deref().unwrap_or_default())
            .or_else(|| MediaType::of_name(document.id.as_str()));
        match named {
            Some(named) => named,
            None if given.essence() == "text/plain" => given.clone(),
            None => sniff(&document.body),
        }
    }

    fn parser(&self, essence: &str) -> Option<&Arc<dyn Parser>> {
        let exact = self.parsers.iter().find(|(known, _)| known == essence);
        let kind = || {
            let (kind, _) = essence.split_once('/')?;
            self.parsers
                .iter()
                .find(|(known, _)| known.strip_suffix("/*") == Some(kind))
        };
        exact.or_else(kind).map(|(_, parser)| parser)
    }
}

impl Default for Formats {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

#[async_trait]
impl Parser for Formats {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        let media_type = Self::type_of(document);
        let Some(parser) = self.parser(media_type.essence()) else {
            let known: Vec<&str> = self.types().collect();
            let message = format!(
                "documents of type {media_type} are not read; these are: {}. Name another type, or give `Formats::with` a parser for it",
                known.join(", ")
            );
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("content-type"));
        };
        if media_type == document.content_type {
            return parser.parse(document).await;
        }
        let mut document = document.clone();
        document.content_type = media_type;
        parser.parse(&document).await
    }

    fn fingerprint(&self) -> String {
        let mut parsers: Vec<String> = self
            .parsers
            .iter()
            .map(|(essence, parser)| format!("{essence}={}", parser.fingerprint()))
            .collect();
        parsers.sort_unstable();
        format!("formats/1({})", parsers.join(","))
    }
}

/// What a body looks like, by its first bytes.
fn sniff(body: &[u8]) -> MediaType {
    let start = body.get(..body.len().min(512)).unwrap_or_default();
    let trimmed = start.trim_ascii_start();
    let begins = |tag: &str| {
        trimmed
            .get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    if start.starts_with(b"%PDF-") {
        MediaType::PDF
    } else if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") {
        MediaType::HTML
    } else if matches!(trimmed, [b'{' | b'[', ..])
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
    {
        MediaType::JSON
    } else if start.contains(&0) && !start.starts_with(b"\xff\xfe") && !start.starts_with(b"\xfe\xff") {
        MediaType::UNKNOWN
    } else {
        MediaType::PLAIN
    }
}
