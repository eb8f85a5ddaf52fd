mod node;

use edge_ai_core::{Error, ErrorKind, Result, async_trait};

use super::{Limits, Parser, decode};
use crate::{Document, MediaType, ParsedDocument};
use node::Node;

/// Makes JSON readable: each value on a line behind its path, each element of an outer array, or each line of NDJSON, a record.
///
/// Records are paragraphs: a splitter cuts none that fits. `null`, empty texts, arrays and objects are left out.
///
/// ```
/// use edge_ai_rag::{Document, DocumentId, JsonParser, MediaType};
///
/// let json = r#"[{"name":"Ada","born":{"year":1815}},{"name":"Grace","knows":["COBOL","FLOW-MATIC"]}]"#;
/// let document = Document::new(DocumentId::new("people")?, MediaType::JSON, json);
/// assert_eq!(
///     JsonParser::default().read(&document)?.text,
///     "name: Ada\nborn.year: 1815\n\nname: Grace\nknows: COBOL, FLOW-MATIC\n"
/// );
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonParser {
    limits: Limits,
}

impl JsonParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The values as text, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let decoded = decode::text(document, &self.limits)?;
        let mut out = Out {
            text: String::new(),
            limits: self.limits,
        };
        let lines = matches!(
            document.content_type.essence(),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines"
        );
        if lines {
            for (at, line) in decoded.text.lines().enumerate() {
                if !line.trim().is_empty() {
                    let value =
                        parse(line).map_err(|error| error.with_context(format!("line {}", at + 1)))?;
                    out.record(&value)?;
                }
            }
        } else {
            match parse(&decoded.text)? {
                Node::Array(records) => records.iter().try_for_each(|record| out.record(record))?,
                value => out.record(&value)?,
            }
        }
        let mut parsed = ParsedDocument::new(out.text, MediaType::PLAIN);
        parsed.warnings = decoded.warnings;
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for JsonParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "json/1".to_owned()
    }
}

/// It reads no deeper than 128, which is where `serde_json` stops.
fn parse(text: &str) -> Result<Node> {
    serde_json::from_str(text).map_err(|error| {
        Error::invalid("body", format!("the JSON does not read: {error}")).with_source(error)
    })
}

struct Out {
    text: String,
    limits: Limits,
}

impl Out {
    fn record(&mut self, value: &Node) -> Result<()> {
        let before = self.text.len();
        if before > 0 {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.value(&mut String::new(), value, 0)?;
        if self.text.len() == start {
            self.text.truncate(before);
        }
        Ok(())
    }

    fn value(&mut self, path: &mut String, value: &Node, depth: usize) -> Result<()> {
        if depth > self.limits.max_depth {
            let message = format!(
                "the JSON lies deeper than {} levels: flatten it, or raise `Limits::max_depth`",
                self.limits.max_depth
            );
            return Err(Error::new(ErrorKind::TooLarge, message).with_param("body"));
        }
        match value {
            Node::Object(fields) => {
                for (name, value) in fields {
                    self.below(path, name, value, depth)?;
                }
            }
            Node::Array(values) if values.iter().all(|value| matches!(value, Node::Plain(_))) => {
                let plain = values.iter().filter_map(|value| match value {
                    Node::Plain(text) if !text.is_empty() => Some(text.as_str()),
                    _ => None,
                });
                let plain: Vec<&str> = plain.collect();
                if !plain.is_empty() {
                    self.line(path, &plain.join(", "));
                }
            }
            Node::Array(values) => {
                for (at, value) in values.iter().enumerate() {
                    self.below(path, &(at + 1).to_string(), value, depth)?;
                }
            }
            Node::Plain(text) if text.is_empty() => {}
            Node::Plain(text) => self.line(path, text),
        }
        self.limits.check_text(self.text.len())
    }

    fn below(&mut self, path: &mut String, name: &str, value: &Node, depth: usize) -> Result<()> {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        let written = self.value(path, value, depth + 1);
        path.truncate(length);
        written
    }

    fn line(&mut self, path: &str, value: &str) {
        if !path.is_empty() {
            self.text.push_str(path);
            self.text.push_str(": ");
        }
        self.text.push_str(value);
        self.text.push('\n');
    }
}
