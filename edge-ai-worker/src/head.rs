//! The head of a message as one text, as `bridge.js` reads and writes it: leading lines, then a line for each header's
//! name and each value. One string crosses instead of two a header.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Writes the leading lines and the headers; a repeated header is repeated.
pub(crate) fn write(leading: &[&str], headers: &HeaderMap) -> String {
    let length = leading.iter().map(|line| line.len() + 1).sum::<usize>()
        + headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 2)
            .sum::<usize>();
    let mut text = String::with_capacity(length);
    for line in leading {
        push(&mut text, line);
    }
    for (name, value) in headers {
        push(&mut text, name.as_str());
        push(&mut text, &value_text(value));
    }
    text
}

fn push(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// UTF-8 as it is, as the runtime writes it; other bytes one by one, as the Fetch standard reads them.
fn value_text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.as_bytes().iter().copied().map(char::from).collect()),
    }
}

/// Reads headers from the lines after the leading ones. What HTTP does not allow is left out: one odd header is no
/// reason to refuse a message.
pub(crate) fn read_headers<'a>(mut lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            // Fails past 32,768 headers, far over what a runtime lets through.
            let _ = headers.try_append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_lines_and_keeps_repeated_headers() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        assert_eq!(write(&["200"], &headers), "200\nset-cookie\na=1\nset-cookie\nb=2");
        assert_eq!(
            write(&["GET", "https://example.com/"], &HeaderMap::new()),
            "GET\nhttps://example.com/"
        );
    }

    #[test]
    fn values_beyond_ascii_are_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("x", HeaderValue::from_bytes("caf\u{e9}".as_bytes()).unwrap());
        headers.insert("y", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(write(&[], &headers), "x\ncaf\u{e9}\ny\ncaf\u{e9}");
    }

    #[test]
    fn an_empty_value_is_a_header_too() {
        let headers = read_headers("x\n\ny\n1".split('\n'));
        assert_eq!(headers["x"], "");
        assert_eq!(headers["y"], "1");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}(\n\\PC{0,20}){0,9}") {
            read_headers(text.split('\n'));
        }

        #[test]
        fn comes_back(pairs in prop::collection::vec(("[a-z][a-z0-9-]{0,12}", "[ -~é]{0,20}"), 0..9)) {
            let mut headers = HeaderMap::new();
            for (name, value) in &pairs {
                headers.append(
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_bytes(value.as_bytes()).unwrap(),
                );
            }
            let text = write(&["200"], &headers);
            prop_assert_eq!(read_headers(text.split('\n').skip(1)), headers);
        }
    }
}
