use edge_ai_core::{Result, async_trait};
use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser as Events, Tag, TagEnd};
use serde_json::Value;

use super::{Limits, Parser, decode};
use crate::{Document, Heading, MediaType, ParsedDocument};

/// Finds the headings of Markdown ([CommonMark](https://spec.commonmark.org), with tables); the text stays as it is.
///
/// The title is front matter's `title`, else the first heading of the first level. Other plain fields of front matter become metadata.
///
/// ```
/// use edge_ai_rag::{Document, DocumentId, MarkdownParser, MediaType};
///
/// let document = Document::new(DocumentId::new("tea")?, MediaType::MARKDOWN, "# *Tea*\n\n70 °C.\n\n## Black\n\n95 °C.");
/// let parsed = MarkdownParser::default().read(&document)?;
/// assert_eq!(parsed.title.as_deref(), Some("Tea"));
/// assert_eq!((parsed.headings[1].text.as_str(), parsed.headings[1].level), ("Black", 2));
/// assert!(parsed.text[parsed.headings[1].offset..].starts_with("## Black"));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MarkdownParser {
    limits: Limits,
}

impl MarkdownParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The document's text and headings, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let decoded = decode::text(document, &self.limits)?;
        let mut parsed = ParsedDocument::new(decoded.text, MediaType::MARKDOWN);
        parsed.warnings = decoded.warnings;
        mark(&mut parsed);
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for MarkdownParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "markdown/1".to_owned()
    }
}

/// Puts title, headings and metadata of Markdown beside its text.
pub(super) fn mark(parsed: &mut ParsedDocument) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut headings = Vec::new();
    let mut open: Option<Heading> = None;
    let mut front = None;
    let mut is_front = false;
    for (event, range) in Events::new_ext(&parsed.text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some(Heading::new(number(level), "", range.start));
            }
            Event::End(TagEnd::Heading(_)) => headings.extend(open.take()),
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) => is_front = true,
            Event::End(TagEnd::MetadataBlock(_)) => is_front = false,
            Event::Text(text) if is_front => front = Some(text.into_string()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut open {
                    heading.text.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut open {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    for (name, value) in front.iter().flat_map(|front| fields(front)) {
        if name == "title" {
            parsed.title = Some(value);
        } else {
            parsed.metadata.insert(name.to_owned(), Value::String(value));
        }
    }
    if parsed.title.is_none() {
        let first = headings.iter().find(|heading| heading.level == 1);
        parsed.title = first.map(|heading| heading.text.clone());
    }
    parsed.headings = headings;
}

const fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The fields of front matter that are one line of text each: `name: value`.
fn fields(front: &str) -> impl Iterator<Item = (&str, String)> {
    front.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let plain = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let value = value.trim().trim_matches(['"', '\'']);
        // Lists, objects and texts of many lines are YAML's.
        let simple = !value.is_empty() && !value.starts_with(['[', '{', '|', '>', '&', '*', '#']);
        (plain && simple).then(|| (name, value.to_owned()))
    })
}
