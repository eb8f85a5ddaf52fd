use edge_ai_core::{CacheKey, ChatRequest, Error, ErrorKind, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Changes whenever a key or a kept value means something else than before.
const VERSION: u8 = 1;

/// The name under which the answer to a request is kept: SHA-256 over all that the answer depends on.
///
/// Tenant, model name and the request's whole content count, unknown fields included. The order of JSON fields, white space,
/// and whether the answer is streamed do not.
///
/// ```
/// use edge_ai_cache::chat_key;
/// use edge_ai_core::ChatRequest;
///
/// let key = |model: &str| chat_key(&ChatRequest::new(model).user("hi"));
/// assert_eq!(key("a")?, key("a")?);
/// assert_ne!(key("a")?, key("b")?);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`] when the content cannot be written as JSON.
pub fn chat_key(request: &ChatRequest) -> Result<CacheKey> {
    let content = serde_json::to_value(&*request.input)
        .map_err(|error| Error::new(ErrorKind::Internal, "a request cannot be named").with_source(error))?;
    let mut hash = Sha256::new();
    hash.update([VERSION]);
    match &request.context.tenant {
        None => hash.update([0]),
        Some(tenant) => {
            hash.update([1]);
            text(&mut hash, tenant);
        }
    }
    text(&mut hash, &request.model);
    value(&mut hash, &content);
    Ok(CacheKey::from_digest("chat", &hash.finalize()))
}

/// A text after its length, so that no two texts run together.
fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

/// A value after a mark of its type. Objects come in the order of their names.
fn value(hash: &mut Sha256, of: &Value) {
    match of {
        Value::Null => hash.update(b"0"),
        Value::Bool(value) => hash.update(if *value { b"t" } else { b"f" }),
        Value::Number(number) => {
            hash.update(b"n");
            text(hash, &number.to_string());
        }
        Value::String(string) => {
            hash.update(b"s");
            text(hash, string);
        }
        Value::Array(elements) => {
            hash.update(b"a");
            hash.update((elements.len() as u64).to_le_bytes());
            elements.iter().for_each(|element| value(hash, element));
        }
        Value::Object(fields) => {
            hash.update(b"o");
            hash.update((fields.len() as u64).to_le_bytes());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, field) in fields {
                text(hash, name);
                value(hash, field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatInput, Context, Dialect, Extra, RawJson};

    fn with_extra(fields: &[(&str, &str)]) -> ChatRequest {
        let fields = fields
            .iter()
            .map(|(name, json)| ((*name).to_owned(), RawJson::parse(*json).unwrap()));
        let mut input = ChatInput::default();
        input.extra = Extra::new(Dialect::new("d"), fields.collect());
        ChatRequest::from_input("m", input).user("hi")
    }

    fn key(request: &ChatRequest) -> CacheKey {
        chat_key(request).unwrap()
    }

    #[test]
    fn order_and_white_space_do_not_matter() {
        let a = with_extra(&[("x", r#"{"a":1,"b":[true, null]}"#), ("y", "2")]);
        let b = with_extra(&[("y", " 2 "), ("x", r#"{ "b":[true,null], "a":1 }"#)]);
        assert_eq!(key(&a), key(&b));
    }

    #[test]
    fn everything_else_matters() {
        let base = || ChatRequest::new("m").user("hi");
        let tenant = |tenant: &str| base().with_context(Context::default().with_tenant(tenant));
        let requests = [
            base(),
            ChatRequest::new("n").user("hi"),
            base().user(""),
            base().temperature(0.0),
            base().temperature(0.5),
            base().max_output_tokens(5),
            tenant("a"),
            tenant("b"),
            tenant(""),
            with_extra(&[("x", "1")]),
            with_extra(&[("x", "\"1\"")]),
            with_extra(&[("x", "[1]")]),
        ];
        let keys: std::collections::HashSet<_> = requests.iter().map(key).collect();
        assert_eq!(keys.len(), requests.len());
    }
}
