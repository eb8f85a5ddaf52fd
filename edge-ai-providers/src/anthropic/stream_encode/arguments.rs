/// The deepest nesting that the SDKs' parsers, and ours, follow.
const MAX_DEPTH: usize = 127;

/// Follows the arguments of a call as they arrive: how far they are the beginning of a JSON object, and whether it is whole.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// What is open: the closing bracket of each object and array.
    open: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the object.
    #[default]
    Start,
    Value,
    /// A value or the end of the array.
    FirstValue,
    Key,
    /// A key or the end of the object.
    FirstKey,
    Colon,
    /// A comma or the end.
    After,
    Text {
        key: bool,
    },
    Escape {
        key: bool,
    },
    Hex {
        key: bool,
        left: u8,
    },
    /// The rest of `true`, `false` or `null`.
    Word(&'static [u8]),
    Number(Number),
    Whole,
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Sign,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Arguments {
    /// Takes more text and returns what of it goes on with the object. White space around the object is left out.
    pub(super) fn accept<'a>(&mut self, text: &'a str) -> &'a str {
        let mut start = 0;
        for (at, byte) in text.bytes().enumerate() {
            if self.state == State::Start && is_space(byte) {
                start = at + 1;
                continue;
            }
            match self.step(byte) {
                Some(state) => self.state = state,
                None => {
                    if self.state != State::Whole {
                        self.state = State::Broken;
                    }
                    return text.get(start..at).unwrap_or_default();
                }
            }
        }
        text.get(start..).unwrap_or_default()
    }

    /// Whether nothing has been accepted.
    pub(super) fn are_empty(&self) -> bool {
        self.open.is_empty() && self.state != State::Whole
    }

    /// Whether nothing more can be accepted.
    pub(super) fn are_over(&self) -> bool {
        matches!(self.state, State::Whole | State::Broken)
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        let next = match (self.state, byte) {
            (State::Start, b'{') => return self.push(b'}', State::FirstKey),
            (State::Start | State::Whole | State::Broken, _) => return None,
            (State::Text { key }, b'"') => {
                if key {
                    State::Colon
                } else {
                    State::After
                }
            }
            (State::Text { key }, b'\\') => State::Escape { key },
            (State::Text { .. }, 0x20..) => self.state,
            (State::Escape { key }, b'u') => State::Hex { key, left: 4 },
            (State::Escape { key }, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                State::Text { key }
            }
            (State::Hex { key, left }, _) if byte.is_ascii_hexdigit() => match left {
                1 => State::Text { key },
                _ => State::Hex { key, left: left - 1 },
            },
            (State::Word([next, rest @ ..]), _) if *next == byte => match rest {
                [] => State::After,
                rest => State::Word(rest),
            },
            (State::Number(number), _) => {
                return number.step(byte).map_or_else(|| self.after(number, byte), Some);
            }
            (State::Text { .. } | State::Escape { .. } | State::Hex { .. } | State::Word(_), _) => {
                return None;
            }
            (state, byte) if is_space(byte) => state,
            (State::FirstKey | State::Key, b'"') => State::Text { key: true },
            (State::Colon, b':') => State::Value,
            (State::FirstKey, b'}') | (State::FirstValue, b']') => return self.pop(byte),
            (State::FirstValue | State::Value, _) => return self.value(byte),
            (State::After, _) => return self.separator(byte),
            _ => return None,
        };
        Some(next)
    }

    fn value(&mut self, byte: u8) -> Option<State> {
        Some(match byte {
            b'{' => return self.push(b'}', State::FirstKey),
            b'[' => return self.push(b']', State::FirstValue),
            b'"' => State::Text { key: false },
            b't' => State::Word(b"rue"),
            b'f' => State::Word(b"alse"),
            b'n' => State::Word(b"ull"),
            b'-' => State::Number(Number::Sign),
            b'0' => State::Number(Number::Zero),
            b'1'..=b'9' => State::Number(Number::Digits),
            _ => return None,
        })
    }

    /// A number has no end mark: what follows it ends it.
    fn after(&mut self, number: Number, byte: u8) -> Option<State> {
        match number {
            Number::Zero | Number::Digits | Number::Fraction | Number::ExponentDigits if is_space(byte) => {
                Some(State::After)
            }
            Number::Zero | Number::Digits | Number::Fraction | Number::ExponentDigits => self.separator(byte),
            _ => None,
        }
    }

    fn separator(&mut self, byte: u8) -> Option<State> {
        match (byte, self.open.last()) {
            (b',', Some(b'}')) => Some(State::Key),
            (b',', Some(_)) => Some(State::Value),
            (byte, Some(close)) if byte == *close => self.pop(byte),
            _ => None,
        }
    }

    fn push(&mut self, close: u8, state: State) -> Option<State> {
        if self.open.len() >= MAX_DEPTH {
            return None;
        }
        self.open.push(close);
        Some(state)
    }

    fn pop(&mut self, close: u8) -> Option<State> {
        if self.open.pop() != Some(close) {
            return None;
        }
        Some(if self.open.is_empty() {
            State::Whole
        } else {
            State::After
        })
    }
}

impl Number {
    fn step(self, byte: u8) -> Option<State> {
        Some(State::Number(match (self, byte) {
            (Self::Sign, b'0') => Self::Zero,
            (Self::Sign, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Self::Digits,
            (Self::Zero | Self::Digits, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::ExponentSign,
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => Self::ExponentDigits,
            _ => return None,
        }))
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn accepted(text: &str) -> (String, bool) {
        let mut arguments = Arguments::default();
        let accepted = arguments.accept(text).to_owned();
        (accepted, arguments.state == State::Whole)
    }

    #[test]
    fn what_is_no_object_ends() {
        for (text, expect, whole) in [
            ("", "", false),
            (" \n", "", false),
            ("[1]", "", false),
            ("null", "", false),
            (" {} ", "{}", true),
            ("{}{}", "{}", true),
            (r#"{"a":tru"#, r#"{"a":tru"#, false),
            (r#"{"a":1.e}"#, r#"{"a":1."#, false),
            (r#"{"a":01}"#, r#"{"a":0"#, false),
            (r#"{"a":1,}"#, r#"{"a":1,"#, false),
            (r#"{"a":[1,]}"#, r#"{"a":[1,"#, false),
            (r#"{"a":[1}"#, r#"{"a":[1"#, false),
            ("{\"a\":\"x\ny\"}", "{\"a\":\"x", false),
            (r#"{"a\u12g4":1}"#, r#"{"a\u12"#, false),
            (r#"{'a':1}"#, "{", false),
        ] {
            assert_eq!(accepted(text), (expect.to_owned(), whole), "{text:?}");
        }
        let deep = "[".repeat(10_000);
        assert_eq!(accepted(&format!("{{\"a\":{deep}")).0.len(), 5 + MAX_DEPTH - 1);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            "[\"\\\\{}\\[\\],:\n\u{1} ]*".prop_map(Value::from)
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
        fn an_object_is_whole_at_its_end(value in prop::collection::btree_map("[a-z]{0,3}", json(), 0..4), pretty in any::<bool>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
            let value: Value = value.into_iter().collect::<serde_json::Map<_, _>>().into();
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|cut| text.is_char_boundary(*cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut arguments = Arguments::default();
            for pair in cuts.windows(2) {
                prop_assert!(pair[0] == text.len() || !arguments.are_over());
                prop_assert_eq!(arguments.accept(&text[pair[0]..pair[1]]), &text[pair[0]..pair[1]]);
            }
            prop_assert_eq!(arguments.state, State::Whole);
        }

        #[test]
        fn what_is_whole_is_json(text in "\\{[\"\\\\{}\\[\\],:a1tru.e+ é\u{0}-]{0,20}") {
            let (accepted, whole) = accepted(&text);
            prop_assert!(text.starts_with(&accepted));
            prop_assert_eq!(whole, serde_json::from_str::<Value>(&accepted).is_ok());
        }
    }
}
