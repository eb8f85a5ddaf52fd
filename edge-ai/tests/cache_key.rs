//! What a client writes, and the name under which its answer is kept.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use edge_ai::cache::chat_key;
use edge_ai::core::CacheKey;
use edge_ai::providers::openai::decode_chat_request;
use proptest::prelude::*;
use serde_json::{Value, json};

fn key(body: &str) -> CacheKey {
    let call = decode_chat_request(&body.to_owned().into()).unwrap();
    chat_key(&call.request, b"").unwrap()
}

/// A request with a bit of everything.
fn request(text: &str, temperature: f64, tokens: u32) -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [
                {"type": "text", "text": text},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            ]},
            {"role": "assistant", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}},
            ]},
            {"role": "tool", "tool_call_id": "1", "content": "done"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
        "temperature": temperature,
        "max_completion_tokens": tokens,
        "seed": 7,
        "stop": ["x", "y"],
        "x_unknown": 5,
    })
}

/// The same JSON with the fields of objects in another order, other white space, and numbers in another form.
fn rewritten(value: &Value, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    const SPACES: [&str; 4] = ["", " ", "\n\t", "\r\n "];
    let mut next = || usize::from(choices.next().unwrap_or_default());
    let space = SPACES[next() % 4];
    out.push_str(space);
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            let turn = next() % fields.len().max(1);
            fields.rotate_left(turn);
            if next() % 2 == 0 {
                fields.reverse();
            }
            out.push('{');
            for (at, (name, field)) in fields.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(space);
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                // What is nobody's here is handed on digit for digit.
                if name == "x_unknown" {
                    out.push_str(&field.to_string());
                } else {
                    rewritten(field, choices, out);
                }
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                rewritten(element, choices, out);
            }
            out.push(']');
        }
        Value::Number(number) if number.is_f64() => {
            let form = match next() % 3 {
                0 => format!("{number}"),
                1 => format!("{number}000"),
                _ => format!("{number}e0"),
            };
            out.push_str(&form);
        }
        other => out.push_str(&other.to_string()),
    }
    out.push_str(space);
}

/// Every request that differs from `value` in one leaf.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let with = |name: &String, field: Value| {
                let mut fields = fields.clone();
                fields.insert(name.clone(), field);
                Value::Object(fields)
            };
            let each = |(name, field): (&String, &Value)| {
                let others = changed(field).into_iter();
                others.map(|field| with(name, field)).collect::<Vec<_>>()
            };
            fields.iter().flat_map(each).collect()
        }
        Value::Array(elements) => {
            let each = |(at, element): (usize, &Value)| {
                let others = changed(element).into_iter().map(move |element| (at, element));
                others.collect::<Vec<_>>()
            };
            let with = |(at, element): (usize, Value)| {
                let mut elements = elements.clone();
                elements[at] = element;
                Value::Array(elements)
            };
            elements.iter().enumerate().flat_map(each).map(with).collect()
        }
        Value::String(text) => vec![format!("{text}!").into()],
        Value::Number(number) => match number.as_u64() {
            Some(number) => vec![(number + 1).into()],
            None => vec![(number.as_f64().unwrap() + 0.125).into()],
        },
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_a_request_is_written_does_not_matter(
        text in ".{0,12}",
        eighths in 1u8..16,
        tokens in 1u32..9_999,
        choices in prop::collection::vec(any::<u8>(), 200),
        stream in any::<bool>(),
    ) {
        // A number whose digits end.
        let plain = request(&text, 0.0625 + f64::from(eighths) / 8.0, tokens);
        let mut other = plain.clone();
        other["stream"] = stream.into();
        let mut written = String::new();
        rewritten(&other, &mut choices.into_iter(), &mut written);
        prop_assert_eq!(key(&written), key(&plain.to_string()), "{}", written);
    }

    #[test]
    fn what_a_request_says_does(text in ".{0,12}", temperature in 0.5f64..1.5, tokens in 1u32..9_999) {
        let plain = request(&text, temperature, tokens);
        let known = key(&plain.to_string());
        let mut read = 0;
        for other in changed(&plain) {
            // A role or kind that does not exist is refused, and has no key.
            let Ok(call) = decode_chat_request(&other.to_string().into()) else { continue };
            read += 1;
            prop_assert_ne!(chat_key(&call.request, b"").unwrap(), known.clone(), "{}", other);
        }
        prop_assert!(read > 15, "{read} requests");
    }
}
