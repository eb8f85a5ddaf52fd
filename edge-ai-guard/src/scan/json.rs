//! JSON as it reads: escapes are what they stand for.

use std::borrow::Cow;
use std::ops::Range;

use super::Encoding;

/// A text as it reads, and where each part of it is written.
pub(super) struct Decoded<'a> {
    text: Cow<'a, str>,
    /// The escapes, in order.
    escapes: Vec<Escape>,
    json: bool,
}

/// An escape: where it ends as it reads and as it is written.
struct Escape {
    text_end: usize,
    raw_end: usize,
}

impl<'a> Decoded<'a> {
    /// Reads `raw`. An escape that is cut off at its end is left for later, unless it is complete.
    pub(super) fn new(raw: &'a str, encoding: Encoding, complete: bool) -> Self {
        let json = encoding == Encoding::Json;
        if !json || !raw.contains('\\') {
            return Self {
                text: Cow::Borrowed(raw),
                escapes: Vec::new(),
                json,
            };
        }
        let mut text = String::with_capacity(raw.len());
        let mut escapes = Vec::new();
        let mut rest = raw;
        while let Some(at) = rest.find('\\') {
            let (plain, escape) = rest.split_at(at);
            text.push_str(plain);
            let Some((character, len)) = read_escape(escape, complete) else {
                rest = "";
                break;
            };
            text.push(character);
            rest = escape.get(len..).unwrap_or_default();
            escapes.push(Escape {
                text_end: text.len(),
                raw_end: raw.len() - rest.len(),
            });
        }
        text.push_str(rest);
        Self {
            text: Cow::Owned(text),
            escapes,
            json,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Where a string begins or ends next, in JSON; the text's end, if nowhere.
    pub(super) fn next_quote(&self, from: usize) -> usize {
        self.quote_in(from..self.text.len()).unwrap_or(self.text.len())
    }

    /// Whether a string begins or ends within a part of the text, in JSON.
    pub(super) fn has_quote(&self, span: Range<usize>) -> bool {
        self.quote_in(span).is_some()
    }

    fn quote_in(&self, span: Range<usize>) -> Option<usize> {
        if !self.json {
            return None;
        }
        let quotes = self.text.get(span.clone())?.match_indices('"');
        let mut places = quotes.map(|(at, _)| span.start + at);
        places.find(|at| {
            self.escapes
                .binary_search_by_key(&(at + 1), |escape| escape.text_end)
                .is_err()
        })
    }

    /// Where a place in the text is written.
    pub(super) fn raw_position(&self, at: usize) -> usize {
        let before = self.escapes.partition_point(|escape| escape.text_end <= at);
        match before.checked_sub(1).and_then(|last| self.escapes.get(last)) {
            Some(escape) => escape.raw_end + (at - escape.text_end),
            None => at,
        }
    }
}

/// The character of the escape that `text` starts with, and its length; `None` when it is cut off.
fn read_escape(text: &str, complete: bool) -> Option<(char, usize)> {
    let cut = || complete.then_some(('\\', 1));
    let Some(kind) = text.as_bytes().get(1) else {
        return cut();
    };
    Some(match kind {
        b'n' => ('\n', 2),
        b't' => ('\t', 2),
        b'r' => ('\r', 2),
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'u' => {
            let Some(first) = hex(text, 2) else {
                // Cut off, or no escape at all.
                return if text.len() < 6 { cut() } else { Some(('\\', 1)) };
            };
            if !(0xD800..0xDC00).contains(&first) {
                return Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6));
            }
            let second = text.get(6..).unwrap_or_default();
            if second.len() < 6
                && "\\u".starts_with(second.get(..second.len().min(2)).unwrap_or("x"))
                && !complete
            {
                return None;
            }
            match hex(text, 8).filter(|second| (0xDC00..0xE000).contains(second)) {
                Some(low) if second.starts_with("\\u") => {
                    let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                _ => (char::REPLACEMENT_CHARACTER, 6),
            }
        }
        b'"' | b'\\' | b'/' => (char::from(*kind), 2),
        _ => ('\\', 1),
    })
}

fn hex(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Whether a string is open after `raw`. A piece never ends within an escape.
pub(super) fn in_string_after(raw: &str, mut in_string: bool) -> bool {
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    in_string
}

/// A text as the inside of a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inside = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, complete: bool) -> String {
        Decoded::new(raw, Encoding::Json, complete).text().to_owned()
    }

    #[test]
    fn escapes_are_what_they_stand_for() {
        assert_eq!(read(r#"a\n\"\u0040\ud83d\ude00b"#, true), "a\n\"@\u{1f600}b");
        assert_eq!(read(r"\ud83dx", true), "\u{fffd}x");
        assert_eq!(read(r"\ud83d\ud83d\ude00", true), "\u{fffd}\u{1f600}");
        assert_eq!(read(r"\q\u00g0", true), r"\q\u00g0");
    }

    #[test]
    fn a_cut_escape_waits() {
        for cut in [
            r"ab\",
            r"ab\u",
            r"ab\u00",
            r"ab\ud83d",
            r"ab\ud83d\",
            r"ab\ud83d\ude",
        ] {
            assert_eq!(read(cut, false), "ab", "{cut}");
            assert!(read(cut, true).starts_with("ab"), "{cut}");
        }
    }

    #[test]
    fn places_map_back() {
        let decoded = Decoded::new(r"a\n\u0040b", Encoding::Json, true);
        let places: Vec<usize> = (0..=4).map(|at| decoded.raw_position(at)).collect();
        assert_eq!(places, [0, 1, 3, 9, 10]);
    }
}
