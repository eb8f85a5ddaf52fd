//! A fault asked for in the text itself, `[[fault: status=429]]`, which passes through any gateway unchanged.

use serde_json::Value;

const OPEN: &str = "[[fault:";
const CLOSE: &str = "]]";

/// The specification in a text's last directive.
pub(crate) fn find(text: &str) -> Option<&str> {
    let after = text.rsplit_once(OPEN)?.1;
    after.split_once(CLOSE).map(|(spec, _)| spec.trim())
}

/// The text without its directives.
pub(crate) fn strip(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((_, tail)) = after.split_once(CLOSE) else {
            break;
        };
        kept.push_str(before);
        rest = tail;
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

/// The text of a request's body that a directive is looked for in: the last user message, else the input.
pub(crate) fn text_of(body: &Value) -> Option<String> {
    let body = body
        .get("inputs")
        .filter(|inputs| inputs.is_object())
        .unwrap_or(body);
    let input = body.get("input").filter(|input| has_roles(input));
    if let Some(messages) = body.get("messages").or(input).and_then(Value::as_array) {
        let said = messages
            .iter()
            .rev()
            .filter(|m| m.get("role").is_some_and(|role| role == "user"));
        // A message that only brings tool results says nothing itself.
        return said
            .filter_map(|m| m.get("content"))
            .map(flatten)
            .find(|text| !text.trim().is_empty());
    }
    if let Some(contents) = body.get("contents").and_then(Value::as_array) {
        let said = contents
            .iter()
            .rev()
            .filter(|content| content.get("role").is_none_or(|role| role == "user"));
        return said
            .filter_map(|content| content.get("parts"))
            .map(flatten)
            .find(|text| !text.trim().is_empty());
    }
    if let Some(requests) = body.get("requests").and_then(Value::as_array) {
        let parts = requests
            .iter()
            .filter_map(|request| request.pointer("/content/parts"));
        return Some(parts.map(flatten).collect::<Vec<_>>().join("\n"));
    }
    ["prompt", "input", "text", "queries", "documents", "query"]
        .iter()
        .find_map(|key| body.get(*key))
        .map(flatten)
}

/// Whether an input is a conversation, as in the Responses API.
fn has_roles(input: &Value) -> bool {
    let items = input.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().any(|item| item.get("role").is_some())
}

fn flatten(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flatten).collect::<Vec<_>>().join("\n"),
        Value::Object(part) => part.get("text").map(flatten).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn found_and_stripped() {
        let text = "Hello [[fault: cut=2, slow=5ms]] world";
        assert_eq!(find(text), Some("cut=2, slow=5ms"));
        assert_eq!(strip(text), "Hello  world");
        assert_eq!(
            (find("[[fault: open"), strip("[[fault: open")),
            (None, "[[fault: open".to_owned())
        );
    }

    #[test]
    fn only_the_last_user_message_counts() {
        let body = json!({ "messages": [
            { "role": "user", "content": "[[fault: hang]]" },
            { "role": "user", "content": [{ "type": "text", "text": "second" }] },
            { "role": "assistant", "content": "[[fault: cut=1]]" }] });
        assert_eq!(text_of(&body).as_deref(), Some("second"));
        let looped = json!({ "messages": [{ "role": "user", "content": "first" },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t", "content": "21" }] }] });
        assert_eq!(text_of(&looped).as_deref(), Some("first"));
        assert_eq!(
            text_of(&json!({ "inputs": { "text": ["a", "b"] } })).as_deref(),
            Some("a\nb")
        );
        assert_eq!(text_of(&json!({ "input": "x" })).as_deref(), Some("x"));
        assert_eq!(text_of(&json!([1])), None);
    }
}
