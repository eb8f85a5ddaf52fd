mod write;

use edge_ai_core::{Result, async_trait};
use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};
use serde_json::Value;

use super::{Limits, Parser, decode};
use crate::{Document, MediaType, ParsedDocument};
use write::Writer;

/// Takes the text out of web pages, as Markdown: headings, paragraphs, lists, tables, code and the words of links; entities are read.
///
/// Scripts, styles, forms, navigation, and a page's own header and footer are left out. The title is `<title>`, else the first heading; `description`, `author` and
/// `lang` become metadata. It reads any tag soup, in one pass.
///
/// ```
/// use edge_ai_rag::{Document, DocumentId, HtmlParser, MediaType};
///
/// let html = "<title>Tea</title><nav>Home</nav><h1>Green &amp; black</h1><p>Steep at <b>70 °C</b>.<ul><li>Sencha<li>Gyokuro</ul>";
/// let parsed = HtmlParser::default().read(&Document::new(DocumentId::new("tea")?, MediaType::HTML, html))?;
/// assert_eq!(parsed.text, "# Green & black\n\nSteep at 70 °C.\n\n- Sencha\n- Gyokuro\n");
/// assert_eq!(parsed.title.as_deref(), Some("Tea"));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HtmlParser {
    limits: Limits,
}

impl HtmlParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The page's text and headings, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let decoded = decode::text(document, &self.limits)?;
        let mut parsed = ParsedDocument::new(String::new(), MediaType::MARKDOWN);
        parsed.warnings = decoded.warnings;
        let mut writer = Writer::new(self.limits);
        let mut page = Page::default();
        let mut emitter = DefaultEmitter::default();
        // Scripts and styles are no markup.
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(decoded.text.as_str(), emitter) {
            let token = match token {
                Ok(token) => token,
                Err(never) => match never {},
            };
            match token {
                Token::StartTag(tag) => page.start(&tag, &mut writer, &mut parsed)?,
                Token::EndTag(tag) => page.end(&tag.name, &mut writer),
                Token::String(text) => page.text(&String::from_utf8_lossy(&text), &mut writer),
                _ => {}
            }
            self.limits.check_text(writer.length())?;
        }
        (parsed.text, parsed.headings) = writer.finish();
        let first = || parsed.headings.iter().find(|heading| heading.level == 1);
        parsed.title = Some(page.title.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|title| !title.is_empty())
            .or_else(|| first().map(|heading| heading.text.clone()));
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for HtmlParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "html/1".to_owned()
    }
}

/// Where in the page the reader is.
#[derive(Debug, Default)]
struct Page {
    /// The element that is left out, and how many of its name are open.
    skipped: Option<(Vec<u8>, usize)>,
    /// How many `article`, `main` and `section` are open: a header in one is a part of its text.
    sections: usize,
    in_title: bool,
    title: String,
}

impl Page {
    fn start(&mut self, tag: &StartTag<()>, writer: &mut Writer, parsed: &mut ParsedDocument) -> Result<()> {
        let name: &[u8] = &tag.name;
        // A paragraph ends where the next block begins, with or without its end tag.
        if self.skipped.as_ref().is_some_and(|(skipped, _)| skipped == b"p") && write::is_block(name) {
            self.skipped = None;
        }
        if let Some((skipped, open)) = &mut self.skipped {
            if skipped == name && !tag.self_closing {
                *open += 1;
            }
            return Ok(());
        }
        let attribute = |name: &str| {
            let value = tag.attributes.get(&HtmlString::from(name.as_bytes().to_vec()))?;
            Some(String::from_utf8_lossy(value).trim().to_owned())
        };
        let hidden = attribute("hidden").is_some() || attribute("aria-hidden").as_deref() == Some("true");
        let skipped = match name {
            b"script" | b"style" | b"noscript" | b"template" | b"svg" | b"math" | b"iframe" | b"object"
            | b"canvas" | b"nav" | b"form" | b"button" | b"select" | b"textarea" | b"dialog" => true,
            b"header" | b"footer" | b"aside" => self.sections == 0,
            // They have no end.
            b"br" | b"hr" | b"img" | b"input" | b"meta" | b"link" | b"wbr" | b"col" | b"area" | b"base"
            | b"source" => false,
            // Whose end may be left out, too.
            b"html" | b"body" | b"li" | b"td" | b"th" | b"tr" | b"dt" | b"dd" | b"option" => false,
            _ => hidden,
        };
        if skipped {
            if !tag.self_closing {
                self.skipped = Some((name.to_vec(), 1));
            }
            return Ok(());
        }
        match name {
            b"title" => self.in_title = self.title.is_empty(),
            b"html" => {
                if let Some(language) = attribute("lang").filter(|language| !language.is_empty()) {
                    parsed.metadata.insert("lang".to_owned(), Value::String(language));
                }
            }
            b"meta" => {
                let name = attribute("name").unwrap_or_default().to_ascii_lowercase();
                let content = attribute("content").filter(|content| !content.is_empty());
                if let (Some(content), "description" | "author" | "keywords") = (content, name.as_str()) {
                    parsed.metadata.insert(name, Value::String(content));
                }
            }
            b"article" | b"main" | b"section" => {
                self.sections += 1;
                writer.start(name, None)?;
            }
            b"img" => {
                if let Some(words) = attribute("alt") {
                    writer.text(&words);
                }
            }
            name => writer.start(name, attribute("class").as_deref())?,
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8], writer: &mut Writer) {
        if let Some((skipped, open)) = &mut self.skipped {
            if skipped == name {
                *open -= 1;
                if *open == 0 {
                    self.skipped = None;
                }
            }
            return;
        }
        match name {
            b"title" => self.in_title = false,
            b"article" | b"main" | b"section" => {
                self.sections = self.sections.saturating_sub(1);
                writer.end(name);
            }
            name => writer.end(name),
        }
    }

    fn text(&mut self, text: &str, writer: &mut Writer) {
        if self.in_title {
            self.title.push_str(text);
        } else if self.skipped.is_none() {
            writer.text(text);
        }
    }
}
