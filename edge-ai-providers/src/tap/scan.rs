/// The fields of an answer's outermost object that tell what it took.
pub(super) const TELLING: [&str; 6] = [
    "model",
    "modelVersion",
    "usage",
    "usageMetadata",
    "service_tier",
    "meta",
];

/// The most bytes of such a field.
const MAX_VALUE: usize = 16 << 10;

/// The most bytes of a name that may be one of them.
const MAX_KEY: usize = 16;

/// Finds fields of a JSON document's outermost object (or, in a document that is a list, of its objects) in the bytes as they pass, and
/// keeps nothing else.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// How many objects and lists are open.
    depth: usize,
    /// The depth of the objects whose fields are looked for: one, or two in a list.
    level: usize,
    text: Text,
    /// The last text, if it can be a name.
    key: Vec<u8>,
    /// Whether what comes is a value.
    after_colon: bool,
    value: Option<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq)]
enum Text {
    #[default]
    Outside,
    Inside,
    Escaped,
}

impl Scanner {
    /// Takes the next bytes; tells the fields that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(&str, &[u8])) {
        for &byte in bytes {
            self.take(byte, &mut tell);
        }
    }

    fn take(&mut self, byte: u8, tell: &mut impl FnMut(&str, &[u8])) {
        match self.text {
            Text::Escaped => {
                self.text = Text::Inside;
                self.keep(byte);
                return;
            }
            Text::Inside => {
                match byte {
                    b'\\' => self.text = Text::Escaped,
                    b'"' => self.text = Text::Outside,
                    _ if self.value.is_none() && !self.after_colon && self.key.len() <= MAX_KEY => {
                        self.key.push(byte)
                    }
                    _ => {}
                }
                self.keep(byte);
                return;
            }
            Text::Outside => {}
        }
        if self.depth == self.level && matches!(byte, b',' | b'}') {
            self.told(tell);
        }
        match byte {
            b'"' => {
                self.text = Text::Inside;
                if !self.after_colon {
                    self.key.clear();
                }
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b':' if self.depth == self.level && self.value.is_none() => {
                self.after_colon = true;
                if TELLING.iter().any(|name| name.as_bytes() == self.key) {
                    self.value = Some(Vec::new());
                    return;
                }
            }
            _ => {}
        }
        self.keep(byte);
    }

    fn open(&mut self, byte: u8) {
        if self.level == 0 {
            self.level = if byte == b'{' { 1 } else { 2 };
        }
        self.depth += 1;
        if self.depth == self.level {
            self.after_colon = false;
        }
    }

    /// A field has ended.
    fn told(&mut self, tell: &mut impl FnMut(&str, &[u8])) {
        self.after_colon = false;
        if let Some(value) = self.value.take()
            && let Ok(key) = std::str::from_utf8(&self.key)
        {
            tell(key, &value);
        }
    }

    fn keep(&mut self, byte: u8) {
        if let Some(value) = &mut self.value {
            value.push(byte);
            if value.len() > MAX_VALUE {
                self.value = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn scan(text: &str, cuts: usize) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        let mut scanner = Scanner::default();
        for piece in text.as_bytes().chunks(cuts.max(1)) {
            scanner.push(piece, |key, value| {
                found.push((key.to_owned(), serde_json::from_slice(value).unwrap()))
            });
        }
        found
    }

    #[test]
    fn outermost_fields_are_found_and_no_others() {
        let text = r#" {"choices":[{"usage":{"x":1},"text":"\"usage\":{}, {"}],"model" : "m\"}","usage":{"a":{"b":[1,{}]}} , "id":"usage"}"#;
        for cuts in [1, 2, 7, 1_000] {
            assert_eq!(
                scan(text, cuts),
                [
                    ("model".into(), json!("m\"}")),
                    ("usage".into(), json!({"a": {"b": [1, {}]}}))
                ]
            );
        }
        assert_eq!(
            scan(r#"[{"usageMetadata":{"a":1}},{"usageMetadata":{"a":2}}]"#, 3).len(),
            2
        );
        assert!(scan(r#"["usage",{"a":{"usage":1}},"#, 1).is_empty());
    }

    #[test]
    fn a_long_field_is_let_go() {
        let text = format!(r#"{{"usage":"{}","model":"m"}}"#, "x".repeat(MAX_VALUE));
        assert_eq!(scan(&text, 1_000), [("model".into(), json!("m"))]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}:,\\[\\] ]{0,8}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("usage".to_owned()),
            Just("model".to_owned()),
            "[a-z\"\\\\:]{0,6}"
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(key.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_parser_finds(value in value(), cuts in 1..9_usize) {
            if let Value::Object(object) = &value {
                let mut expected: Vec<_> = object.iter().filter(|(key, _)| TELLING.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect();
                let mut found = scan(&value.to_string(), cuts);
                expected.sort_by(|a, b| a.0.cmp(&b.0));
                found.sort_by(|a, b| a.0.cmp(&b.0));
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            Scanner::default().push(&bytes, |_, _| {});
        }
    }
}
