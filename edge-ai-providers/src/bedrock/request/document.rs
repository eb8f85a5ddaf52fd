use std::collections::BTreeSet;

use edge_ai_core::{FilePart, Media, Result};

use super::block::{extension, write_source};
use crate::anthropic::{MESSAGES, Piece};
use crate::wire::ObjectWriter;

/// The formats, by media type.
const FORMATS: [(&str, &str); 10] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("text/html", "html"),
    ("text/markdown", "md"),
    ("text/plain", "txt"),
    ("application/json", "txt"),
];

/// The longest name of a document.
const MAX_NAME: usize = 200;

/// The documents of a request: Bedrock tells them apart by their names.
#[derive(Default)]
pub(super) struct Documents {
    names: BTreeSet<String>,
}

impl Documents {
    pub(super) fn write(
        &mut self,
        block: &mut ObjectWriter<'_>,
        file: &FilePart,
        piece: &Piece<'_>,
    ) -> Result<()> {
        let format = match &file.source {
            Media::Base64 { media_type, .. } => {
                let plain = media_type.split(';').next().unwrap_or_default().trim();
                FORMATS
                    .iter()
                    .find(|(known, _)| *known == plain)
                    .map(|(_, format)| *format)
            }
            Media::Url(url) if url.starts_with("s3://") => {
                let wanted = extension(url);
                FORMATS
                    .iter()
                    .map(|(_, format)| *format)
                    .find(|format| *format == wanted)
            }
            Media::Url(_) => {
                let message = "Bedrock does not fetch documents; send them as `data:<type>;base64,` or by an `s3://` address";
                return Err(piece.unsupported(message));
            }
            _ => return Err(piece.unsupported("Bedrock does not take documents from there")),
        };
        let Some(format) = format else {
            let message = "Bedrock reads pdf, csv, doc, docx, xls, xlsx, html, txt and md";
            return Err(piece.unsupported(message));
        };
        let title = file
            .extra
            .get(&MESSAGES, "title")
            .and_then(|title| title.to().ok());
        let name = self.name(title.or_else(|| file.filename.clone()).as_deref());
        block.object("document", |document| {
            document.field("format", format);
            document.field("name", name);
            write_source(document, &file.source)?;
            // Anthropic's words for both are Converse's.
            for field in ["context", "citations"] {
                document.optional(field, file.extra.get(&MESSAGES, field));
            }
            Ok(())
        })
    }

    /// A name in the characters that Bedrock takes, without its extension, that no other document of the request has.
    fn name(&mut self, wanted: Option<&str>) -> String {
        let wanted = wanted.unwrap_or_default();
        let stem = wanted.rsplit_once('.').map_or(wanted, |(stem, _)| stem);
        let allowed =
            |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '(' | ')' | '[' | ']');
        let words: Vec<_> = stem
            .split(|char| !allowed(char))
            .filter(|word| !word.is_empty())
            .collect();
        let mut name: String = words.join(" ").chars().take(MAX_NAME - 8).collect();
        if name.trim().is_empty() {
            name = "document".to_owned();
        }
        let first = name.clone();
        let mut count = 1;
        while !self.names.insert(name.clone()) {
            count += 1;
            name = format!("{first} {count}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_bedrock_takes_and_differ() {
        let mut documents = Documents::default();
        for (wanted, expect) in [
            (Some("Report_2025  (final).pdf"), "Report 2025 (final)"),
            (Some("Report 2025 (final).docx"), "Report 2025 (final) 2"),
            (None, "document"),
            (Some("..."), "document 2"),
            (Some("日本.pdf"), "document 3"),
        ] {
            assert_eq!(documents.name(wanted), expect);
        }
        assert!(documents.name(Some(&"x".repeat(500))).len() <= MAX_NAME);
    }
}
