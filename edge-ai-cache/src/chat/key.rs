mod feed;

use edge_ai_core::{CacheKey, ChatRequest, Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

/// Changes whenever a key or a kept value means something else than before.
const VERSION: u8 = 3;

/// The name under which the answer to a request is kept: SHA-256 over all that the answer depends on.
///
/// The salt, the tenant, the model's name and the request's whole content count, unknown fields included. Whether the answer is
/// streamed does not, nor does the order in which an object's fields were written, nor white space between JSON's tokens.
///
/// JSON that is handed on as it stands is the exception to the rule of order: in a schema, which models answer in the order of,
/// and in the value of an unknown field, whose meaning nobody here knows, another order is another key. Numbers in it count by
/// their digits: `1.0` is not `1`, and none is too long.
///
/// A caller's own [key](edge_ai_core::CachePolicy::key) stands for the content; the salt, the tenant and the model count all the same.
///
/// `salt` is what the answer depends on beside the request, such as a digest of the routes; empty for nothing.
///
/// ```
/// use edge_ai_cache::chat_key;
/// use edge_ai_core::ChatRequest;
///
/// let key = |model: &str, salt: &str| chat_key(&ChatRequest::new(model).user("hi"), salt.as_bytes());
/// assert_eq!(key("a", "")?, key("a", "")?);
/// assert_ne!(key("a", "")?, key("b", "")?);
/// assert_ne!(key("a", "")?, key("a", "other routes")?);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`] when the content cannot be serialized.
pub fn chat_key(request: &ChatRequest, salt: &[u8]) -> Result<CacheKey> {
    Ok(CacheKey::from_digest("chat", &digest(request, salt)?))
}

/// The digest that a key is made of.
pub(super) fn digest(request: &ChatRequest, salt: &[u8]) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let (tenant, own) = (
        request.context.tenant.as_deref(),
        request.context.cache.key.as_deref(),
    );
    hash.update([VERSION, u8::from(own.is_some())]);
    feed::text(&mut hash, salt);
    let fed = match own {
        Some(own) => feed::feed(&mut hash, &(tenant, &request.model, own)),
        None => feed::feed(&mut hash, &(tenant, &request.model, &*request.input)),
    };
    fed.map_err(|error| Error::new(ErrorKind::Internal, "a request cannot be named").with_source(error))?;
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatInput, Context, Dialect, Extra, FunctionTool, RawJson, ResponseFormat};
    use serde_json::{Value, json};
    use std::collections::HashSet;

    fn raw(json: &str) -> RawJson {
        RawJson::parse(json).unwrap()
    }

    fn with_extra(fields: &[(&str, &str)]) -> ChatRequest {
        let fields = fields.iter().map(|(name, json)| ((*name).to_owned(), raw(json)));
        let mut input = ChatInput::default();
        input.extra = Extra::new(Dialect::new("d"), fields.collect());
        ChatRequest::from_input("m", input).user("hi")
    }

    fn with_schema(schema: &str) -> ChatRequest {
        ChatRequest::new("m").response_format(ResponseFormat::JsonSchema {
            name: "s".into(),
            description: None,
            schema: raw(schema),
            strict: None,
        })
    }

    fn with_parameters(schema: &str) -> ChatRequest {
        ChatRequest::new("m").tool(FunctionTool::new("f", "", raw(schema)))
    }

    fn key(request: &ChatRequest) -> CacheKey {
        chat_key(request, b"").unwrap()
    }

    #[test]
    fn the_order_of_unknown_fields_and_white_space_do_not_matter() {
        let a = with_extra(&[("x", r#"{"a":1,"b":[true, null]}"#), ("y", "2")]);
        let b = with_extra(&[("y", " 2 "), ("x", r#"{ "a":1, "b":[true,null] }"#)]);
        assert_eq!(key(&a), key(&b));
    }

    #[test]
    fn the_order_inside_what_is_handed_on_matters() {
        let schemas = [
            r#"{"properties":{"a":{"type":"string"},"b":{"type":"string"}}}"#,
            r#"{"properties":{"b":{"type":"string"},"a":{"type":"string"}}}"#,
        ];
        for with in [with_schema, with_parameters, |json: &str| {
            with_extra(&[("x", json)])
        }] {
            assert_ne!(key(&with(schemas[0])), key(&with(schemas[1])));
            let spaced = schemas[0].replace(':', " : ").replace(',', "\n, ");
            assert_eq!(key(&with(schemas[0])), key(&with(&spaced)));
        }
    }

    #[test]
    fn numbers_beyond_64_bits_count_by_their_digits() {
        let numbers = [
            "1e999",
            "1e998",
            "12345678901234567890123",
            "12345678901234567890124",
            "0.1000000000000000000001",
            "0.1000000000000000000002",
            "1",
            "1.0",
        ];
        let keys: HashSet<_> = numbers
            .iter()
            .flat_map(|number| {
                [
                    key(&with_extra(&[("x", number)])),
                    key(&with_parameters(&format!("{{\"maximum\":{number}}}"))),
                ]
            })
            .collect();
        assert_eq!(keys.len(), 2 * numbers.len());
    }

    #[test]
    fn everything_else_matters() {
        let base = || ChatRequest::new("m").user("hi");
        let tenant = |tenant: &str| base().with_context(Context::default().with_tenant(tenant));
        let requests = [
            base(),
            ChatRequest::new("n").user("hi"),
            base().user(""),
            tenant("a"),
            tenant("b"),
            tenant(""),
            tenant("m"),
            with_extra(&[("x", "1")]),
            with_extra(&[("x", "\"1\"")]),
            with_extra(&[("x", "[1]")]),
            with_extra(&[("x", "1"), ("x", "2")]),
            with_extra(&[("x", "2"), ("x", "1")]),
        ];
        let salts: [&[u8]; 3] = [b"", b"a", b"b"];
        let keys: HashSet<_> = requests
            .iter()
            .flat_map(|request| salts.map(|salt| chat_key(request, salt).unwrap()))
            .collect();
        assert_eq!(keys.len(), salts.len() * requests.len());
    }

    #[test]
    fn a_callers_own_key_stands_for_the_content_and_nothing_else() {
        let own = |model: &str, own: &str, tenant: Option<&str>, text: &str| {
            let mut request = ChatRequest::new(model).user(text);
            request.context.tenant = tenant.map(Into::into);
            request.context.cache.key = Some(own.into());
            request
        };
        let base = own("m", "k", Some("a"), "hi");
        assert_eq!(key(&base), key(&own("m", "k", Some("a"), "something else")));
        let mut plain = ChatRequest::new("m").user("hi");
        plain.context.tenant = Some("a".into());
        let others = [
            base,
            own("m", "l", Some("a"), "hi"),
            own("n", "k", Some("a"), "hi"),
            own("m", "k", Some("b"), "hi"),
            own("m", "k", None, "hi"),
            plain,
        ];
        let keys: HashSet<_> = others.iter().map(key).collect();
        assert_eq!(keys.len(), others.len());
    }

    /// A content with every field of every type in it.
    fn full() -> Value {
        let extra = json!({"dialect": "d", "fields": {"x": 1, "y": [true]}});
        let parts = json!([
            {"text": {"text": "a", "extra": extra}},
            {"image": {"source": {"url": "u"}, "detail": "low", "extra": extra}},
            {"image": {"source": {"base64": {"media_type": "image/png", "data": "aGk="}}, "detail": "high", "extra": extra}},
            {"audio": {"data": "aGk=", "format": "wav", "extra": extra}},
            {"file": {"source": {"file_id": "f"}, "filename": "n", "extra": extra}},
            {"reasoning": {"text": "t", "signature": "s", "redacted": "r", "extra": extra}},
            {"tool_call": {"id": "1", "name": "f", "arguments": "{}", "extra": extra}},
            {"tool_result": {"call_id": "1", "content": [{"text": {"text": "b", "extra": extra}}], "is_error": true, "extra": extra}},
            {"refusal": "no"},
            {"other": extra},
        ]);
        json!({
            "messages": [{"role": "user", "content": parts, "name": "n", "extra": extra}],
            "tools": [
                {"function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true, "extra": extra}},
                {"vendor": extra},
            ],
            "tool_choice": {"function": "f"},
            "parallel_tool_calls": true,
            "response_format": {"json_schema": {"name": "n", "description": "d", "schema": {"type": "object"}, "strict": false}},
            "reasoning": {"effort": "low", "max_tokens": 1},
            "max_output_tokens": 2,
            "temperature": 0.5,
            "top_p": 0.25,
            "top_k": 3,
            "stop": ["s"],
            "seed": 4,
            "presence_penalty": 0.125,
            "frequency_penalty": 1.5,
            "choices": 1,
            "extra": extra,
        })
    }

    /// Every content that differs from `value` in one leaf, one name or one missing entry. Not each one is a content.
    fn variations(value: &Value) -> Vec<Value> {
        let mut out = Vec::new();
        match value {
            Value::Array(elements) => {
                for at in 0..elements.len() {
                    let mut fewer = elements.clone();
                    fewer.remove(at);
                    out.push(fewer.into());
                    for element in variations(&elements[at]) {
                        let mut other = elements.clone();
                        other[at] = element;
                        out.push(other.into());
                    }
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    let mut fewer = fields.clone();
                    fewer.remove(name);
                    let mut renamed = fewer.clone();
                    renamed.insert(format!("{name}2"), field.clone());
                    out.extend([fewer.into(), renamed.into()]);
                    for field in variations(field) {
                        let mut other = fields.clone();
                        other.insert(name.clone(), field);
                        out.push(other.into());
                    }
                }
            }
            Value::Number(number) => out.push((number.as_f64().unwrap() as i64 + 7).into()),
            Value::Bool(value) => out.push((!value).into()),
            Value::String(text) => out.extend([format!("{text}2").into(), "assistant".into()]),
            Value::Null => {}
        }
        out
    }

    #[test]
    fn every_field_matters() {
        let read = |value: &Value| serde_json::from_str::<ChatInput>(&value.to_string());
        let content = read(&full()).unwrap();
        // A field that is new to the vocabulary must be added above.
        let shown = format!("{content:?}");
        assert!(!shown.contains("None") && !shown.contains("[]"), "{shown}");

        let mut contents = vec![content];
        for content in variations(&full()).iter().filter_map(|value| read(value).ok()) {
            if !contents.contains(&content) {
                contents.push(content);
            }
        }
        assert!(contents.len() > 100, "{} contents", contents.len());
        let keys: HashSet<_> = contents
            .iter()
            .map(|content| key(&ChatRequest::from_input("m", content.clone())))
            .collect();
        assert_eq!(keys.len(), contents.len());
    }

    #[test]
    fn a_leaf_of_every_path_varies() {
        // The variations are only as good as what reads: each known field must be among them.
        let read = |value: &Value| serde_json::from_str::<ChatInput>(&value.to_string()).ok();
        let base = full();
        let whole = read(&base).unwrap();
        for (name, field) in base.as_object().unwrap() {
            let varies = variations(field).into_iter().any(|field| {
                let mut other = base.clone();
                other[name] = field;
                read(&other).is_some_and(|other| other != whole)
            });
            assert!(varies, "{name}");
        }
    }
}
