use edge_ai_core::{Error, ErrorKind, Result, async_trait};
use lopdf::{Document as Pdf, LoadOptions, Object};
use serde_json::Value;

use super::{Limits, Parser};
use crate::{Document, MediaType, ParsedDocument};

/// Takes the text out of PDFs, page by page; chunks carry the number of their page.
///
/// An encrypted PDF, and one of pictures alone as a scanner makes them, is refused with the remedy: `AI.toMarkdown` reads the latter.
#[derive(Clone, Copy, Debug, Default)]
pub struct PdfParser {
    limits: Limits,
}

impl PdfParser {
    /// With bounds of its own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// The pages as text, without waiting.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn read(&self, document: &Document) -> Result<ParsedDocument> {
        let limits = self.limits;
        limits.check_body(document.body.len())?;
        let options = LoadOptions::with_max_decompressed_size(limits.max_text_bytes);
        let pdf = Pdf::load_mem_with_options(&document.body, options).map_err(|error| unreadable(&error))?;
        if pdf.is_encrypted() || pdf.was_encrypted() {
            return Err(encrypted());
        }
        let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
        if pages.len() > limits.max_pages {
            let message = format!(
                "the PDF has {} pages; at most {} are taken: cut it into several, or raise `Limits::max_pages`",
                pages.len(),
                limits.max_pages
            );
            return Err(Error::new(ErrorKind::TooLarge, message).with_param("body"));
        }
        let mut parsed = ParsedDocument::new(String::new(), MediaType::PLAIN);
        let mut unread = Vec::new();
        for page in pages {
            parsed.pages.push(parsed.text.len());
            match pdf.extract_text_with_limit(&[page], limits.max_text_bytes) {
                Ok(text) => append(&mut parsed.text, &text),
                Err(_) => unread.push(page.to_string()),
            }
            limits.check_text(parsed.text.len())?;
        }
        if parsed.text.trim().is_empty() {
            return Err(no_text());
        }
        if !unread.is_empty() {
            let pages = unread.join(", ");
            parsed
                .warnings
                .push(format!("no text could be read on page {pages}"));
        }
        describe(&pdf, &mut parsed);
        Ok(parsed)
    }
}

#[async_trait]
impl Parser for PdfParser {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        self.read(document)
    }

    fn fingerprint(&self) -> String {
        "pdf/1".to_owned()
    }
}

/// A page's lines without white space at their ends, and no more than one blank line in a row.
fn append(text: &mut String, page: &str) {
    let mut blank = true;
    for line in page.lines() {
        let line = line.trim_end();
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        // What fonts without a table of characters leave behind.
        text.extend(
            line.chars()
                .filter(|character| !character.is_control() || *character == '\t'),
        );
        text.push('\n');
    }
    text.push('\n');
}

/// Title and author, from the information dictionary.
fn describe(pdf: &Pdf, parsed: &mut ParsedDocument) {
    let information = pdf
        .trailer
        .get(b"Info")
        .and_then(|information| match information {
            Object::Reference(id) => pdf.get_dictionary(*id),
            other => other.as_dict(),
        });
    let Ok(information) = information else { return };
    let read = |name: &[u8]| {
        let text = lopdf::decode_text_string(information.get(name).ok()?).ok()?;
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    parsed.title = read(b"Title");
    for (name, field) in [
        ("author", &b"Author"[..]),
        ("description", b"Subject"),
        ("keywords", b"Keywords"),
    ] {
        if let Some(text) = read(field) {
            parsed.metadata.insert(name.to_owned(), Value::String(text));
        }
    }
}

fn unreadable(error: &lopdf::Error) -> Error {
    match error {
        lopdf::Error::Decryption(_) | lopdf::Error::InvalidPassword => encrypted(),
        error => Error::invalid(
            "body",
            format!("the PDF does not read ({error}): check that it came whole, or print it to a new one"),
        ),
    }
}

fn encrypted() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the PDF is encrypted: save it without a password, for instance with `qpdf --decrypt`",
    )
    .with_param("body")
    .with_code("encrypted_pdf")
}

fn no_text() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the PDF has no text, only pictures, as a scanner makes them: recognize its text first (for instance with `ocrmypdf`), or have \
         `AiMarkdownParser` read it",
    )
    .with_param("body")
    .with_code("scanned_pdf")
}

#[cfg(test)]
mod tests;
