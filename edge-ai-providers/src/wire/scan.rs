//! Where the parts of a JSON text begin and end, for text that is known to be JSON.
//!
//! A body is checked once, as a whole. Reading its fields level by level with a checking parser would check the innermost text once for
//! every level around it; this only looks for quotes and brackets. Text that is not JSON after all gives `None` or a wrong part, never a panic.

use std::borrow::Cow;

use memchr::memchr2;

/// The fields of an object in their order, with repeated names.
pub(super) fn entries(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.open(b'{')?;
    let mut entries = Vec::with_capacity(8);
    if scanner.close(b'}') {
        return Some(entries);
    }
    loop {
        let name = scanner.string()?;
        scanner.open(b':')?;
        entries.push((unquote(name)?, scanner.value()?));
        if scanner.close(b'}') {
            return Some(entries);
        }
        scanner.open(b',')?;
    }
}

/// The elements of an array.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.open(b'[')?;
    let mut elements = Vec::new();
    if scanner.close(b']') {
        return Some(elements);
    }
    loop {
        elements.push(scanner.value()?);
        if scanner.close(b']') {
            return Some(elements);
        }
        scanner.open(b',')?;
    }
}

fn unquote(name: &str) -> Option<Cow<'_, str>> {
    if name.contains('\\') {
        return serde_json::from_str(name).ok().map(Cow::Owned);
    }
    name.get(1..name.len().checked_sub(1)?).map(Cow::Borrowed)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Passes a mark and the space around it.
    fn open(&mut self, mark: u8) -> Option<()> {
        self.close(mark).then_some(())
    }

    /// The same, if it comes next.
    fn close(&mut self, mark: u8) -> bool {
        self.space();
        let here = self.byte(self.at) == Some(mark);
        if here {
            self.at += 1;
            self.space();
        }
        here
    }

    fn space(&mut self) {
        while self.byte(self.at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Passes a string, quotes included.
    fn string(&mut self) -> Option<&'a str> {
        if self.byte(self.at) != Some(b'"') {
            return None;
        }
        self.up_to(self.string_end(self.at)?)
    }

    fn value(&mut self) -> Option<&'a str> {
        let end = match self.byte(self.at)? {
            b'"' => self.string_end(self.at)?,
            b'{' | b'[' => self.bracket_end(self.at)?,
            _ => {
                let rest = self.text.as_bytes().get(self.at..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                self.at + rest.iter().position(ends).unwrap_or(rest.len())
            }
        };
        self.up_to(end)
    }

    fn up_to(&mut self, end: usize) -> Option<&'a str> {
        let part = self.text.get(self.at..end)?;
        self.at = end;
        Some(part)
    }

    /// Where the string that begins at `start` ends.
    fn string_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes.get(at) == Some(&b'"') {
                return Some(at + 1);
            }
            at += 2;
        }
    }

    /// Where the object or array that begins at `start` ends.
    fn bracket_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        let mut at = start;
        loop {
            match bytes.get(at)? {
                b'"' => {
                    at = self.string_end(at)?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn parts_are_found_as_they_were_written() {
        let text = r#" { "a" : [1, {"x": "]}\\"}] ,"b\u0041":-1e5,"c":"\"","d":{}, "e" :null } "#;
        let found: Vec<_> = entries(text)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value))
            .collect();
        let expected = [
            ("a", r#"[1, {"x": "]}\\"}]"#),
            ("bA", "-1e5"),
            ("c", r#""\"""#),
            ("d", "{}"),
            ("e", "null"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(elements(" [ ] ").unwrap(), [""; 0]);
        assert_eq!(elements(r#"[1 ,"," , [ ] ]"#).unwrap(), ["1", r#"",""#, "[ ]"]);
        assert_eq!(
            (entries("[]"), elements("{}"), entries("5"), entries("")),
            (None, None, None, None)
        );
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            "[\"\\\\{}\\[\\],: ]*".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,3}", inner, 0..6)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_a_parser_finds(value in json(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let found = entries(&text).map(|entries| {
                entries.into_iter().map(|(name, value)| (name.into_owned(), serde_json::from_str(value).unwrap())).collect::<serde_json::Map<_, _>>()
            });
            prop_assert_eq!(found.as_ref(), value.as_object());
            let found = elements(&text).map(|elements| elements.into_iter().map(|value| serde_json::from_str(value).unwrap()).collect::<Vec<Value>>());
            prop_assert_eq!(found.as_ref(), value.as_array());
        }

        #[test]
        fn no_text_panics(text in "[\"\\\\{}\\[\\],: a1é\u{0}]*") {
            let _ = (entries(&text), elements(&text));
        }
    }
}
