use csv::{ByteRecord, ReaderBuilder};
use edge_ai_core::{Error, Result, async_trait};

use super::{Limits, Parser, decode};
use crate::{Document, MediaType, ParsedDocument};

/// Makes each row of a table (comma, semicolon or tab) a record of `header: value` lines, which says what its numbers are wherever it is cut out.
///
/// The first row is the header. Records are paragraphs: a splitter cuts none that fits. Empty cells are left out.
///
/// ```
/// use edge_ai_rag::{CsvParser, Document, DocumentId, MediaType};
///
/// let document = Document::new(DocumentId::new("people")?, MediaType::CSV, "name,born\nAda,1815\nGrace,1906\n");
/// assert_eq!(CsvParser::default().read(&document)?.text, "name: Ada\nborn: 1815\n\nname: Grace\nborn: 1906\n");
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CsvParser {
    limits: Limits,
}

impl CsvParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The rows as text, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let decoded = decode::text(document, &self.limits)?;
        let delimiter = match document.content_type.essence() {
            "text/tab-separated-values" => b'\t',
            _ => delimiter(&decoded.text),
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(decoded.text.as_bytes());
        let mut header = ByteRecord::new();
        let mut row = ByteRecord::new();
        read(&mut reader, &mut header)?;
        let mut text = String::new();
        let mut uneven = 0_usize;
        while read(&mut reader, &mut row)? {
            uneven += usize::from(row.len() != header.len());
            let start = text.len();
            for (at, cell) in row.iter().enumerate() {
                write(&mut text, header.get(at), at, cell);
            }
            if text.len() > start {
                text.push('\n');
            }
            self.limits.check_text(text.len())?;
        }
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            text.push('\n');
        }
        let mut parsed = ParsedDocument::new(text, MediaType::PLAIN);
        parsed.warnings = decoded.warnings;
        if uneven > 0 {
            parsed
                .warnings
                .push(format!("{uneven} rows have more or fewer cells than the header"));
        }
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for CsvParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "csv/1".to_owned()
    }
}

fn read(reader: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool> {
    reader.read_byte_record(record).map_err(|error| {
        Error::invalid("body", format!("the table does not read: {error}")).with_source(error)
    })
}

/// `header: value`, on one line.
fn write(text: &mut String, header: Option<&[u8]>, at: usize, cell: &[u8]) {
    let cell = String::from_utf8_lossy(cell);
    let mut words = cell.split_whitespace().peekable();
    if words.peek().is_none() {
        return;
    }
    let header = String::from_utf8_lossy(header.unwrap_or_default());
    match header.trim() {
        "" => text.push_str(&format!("column {}", at + 1)),
        header => text.push_str(header),
    }
    text.push(':');
    for word in words {
        text.push(' ');
        text.push_str(word);
    }
    text.push('\n');
}

/// The mark that is most often in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |mark: u8| first.bytes().filter(|byte| *byte == mark).count();
    let mut best = b',';
    for mark in [b';', b'\t'] {
        if count(mark) > count(best) {
            best = mark;
        }
    }
    best
}
