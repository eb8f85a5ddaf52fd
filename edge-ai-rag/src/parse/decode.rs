//! Bytes to text.

use edge_ai_core::{Error, Result};

use super::Limits;
use crate::Document;

/// A text, with what was lost.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) warnings: Vec<String>,
}

/// The text of a document's body.
pub(super) fn text(document: &Document, limits: &Limits) -> Result<Decoded> {
    let body = &document.body;
    limits.check_body(body.len())?;
    let text = match &body[..] {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        bytes => match document.content_type.charset() {
            Some("iso-8859-1" | "latin1" | "us-ascii" | "windows-1252")
                if std::str::from_utf8(bytes).is_err() =>
            {
                bytes.iter().map(|byte| windows_1252(*byte)).collect()
            }
            _ => String::from_utf8_lossy(bytes).into_owned(),
        },
    };
    limits.check_text(text.len())?;
    let lost = text.matches(char::REPLACEMENT_CHARACTER).count();
    let zeros = text.bytes().filter(|byte| *byte == 0).count();
    // A picture read as text is a third of such characters.
    if (lost + zeros) * 10 > text.chars().count() {
        return Err(Error::invalid(
            "body",
            format!(
                "the body is no text in UTF-8, though its type is {}: send it with the type that it has, or as UTF-8",
                document.content_type
            ),
        ));
    }
    let warnings = match lost {
        0 => Vec::new(),
        lost => vec![format!(
            "{lost} characters were not readable and became U+FFFD: the text is not UTF-8 throughout"
        )],
    };
    Ok(Decoded { text, warnings })
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [one, two] => read([*one, *two]),
        _ => 0xfffd,
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The [Encoding Standard](https://encoding.spec.whatwg.org/#names-and-labels) reads all of Latin-1's names as this one.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DocumentId, MediaType};

    fn read(content_type: &str, body: &[u8]) -> Result<Decoded> {
        let id = DocumentId::new("a").unwrap();
        let document = Document::new(id, MediaType::parse(content_type), body.to_vec());
        text(&document, &Limits::default())
    }

    #[test]
    fn encodings_are_told_by_mark_and_name() {
        for (content_type, body) in [
            ("text/plain", &b"caf\xc3\xa9"[..]),
            ("text/plain", b"\xef\xbb\xbfcaf\xc3\xa9"),
            ("text/plain", b"\xff\xfec\0a\0f\0\xe9\0"),
            ("text/plain", b"\xfe\xff\0c\0a\0f\0\xe9"),
            ("text/plain; charset=latin1", b"caf\xe9"),
            ("text/plain; charset=latin1", b"caf\xc3\xa9"),
        ] {
            let decoded = read(content_type, body).unwrap();
            assert_eq!(decoded.text, "café", "{content_type} {body:?}");
            assert!(decoded.warnings.is_empty());
        }
    }

    #[test]
    fn what_is_lost_is_told_and_what_is_no_text_is_refused() {
        let decoded = read("text/plain", b"a long text with one \xff in it").unwrap();
        assert!(decoded.warnings.concat().contains("1 characters"));
        let error = read("text/plain", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0")
            .err()
            .unwrap();
        assert_eq!(error.param(), Some("body"));
    }
}
