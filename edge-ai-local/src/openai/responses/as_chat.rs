//! A request in the words of chat completions, which the generator's prompt is read from.

use serde_json::{Map, Value, json};

pub(super) fn request(body: &Map<String, Value>) -> Map<String, Value> {
    let mut chat = Map::new();
    let mut messages = Vec::new();
    if let Some(text) = body.get("instructions").and_then(Value::as_str) {
        messages.push(json!({ "role": "system", "content": text }));
    }
    match body.get("input") {
        Some(Value::Array(items)) => messages.extend(items.iter().filter_map(message)),
        Some(text) => messages.push(json!({ "role": "user", "content": text })),
        None => {}
    }
    chat.insert("messages".into(), messages.into());
    let tools = body.get("tools").and_then(Value::as_array);
    let tools: Vec<Value> = tools
        .into_iter()
        .flatten()
        .filter(|tool| tool.get("type").is_some_and(|kind| kind == "function"))
        .map(|tool| json!({ "type": "function", "function": tool }))
        .collect();
    chat.insert("tools".into(), tools.into());
    if let Some(choice) = body.get("tool_choice") {
        let named = choice.get("name");
        let choice = named.map_or_else(
            || choice.clone(),
            |name| json!({ "type": "function", "function": { "name": name } }),
        );
        chat.insert("tool_choice".into(), choice);
    }
    for (name, pointer) in [
        ("max_completion_tokens", body.get("max_output_tokens")),
        ("parallel_tool_calls", body.get("parallel_tool_calls")),
        (
            "reasoning_effort",
            body.get("reasoning")
                .and_then(|reasoning| reasoning.get("effort")),
        ),
    ] {
        if let Some(value) = pointer {
            chat.insert(name.into(), value.clone());
        }
    }
    if let Some(format) = body.get("text").and_then(|text| text.get("format")) {
        let format = match format.get("type").and_then(Value::as_str) {
            Some("json_schema") => json!({ "type": "json_schema", "json_schema": format }),
            _ => format.clone(),
        };
        chat.insert("response_format".into(), format);
    }
    chat
}

fn message(item: &Value) -> Option<Value> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    match text("type").unwrap_or("message") {
        "message" => Some(json!({ "role": text("role")?, "content": content(item.get("content")?) })),
        "function_call" => Some(json!({ "role": "assistant", "content": null, "tool_calls": [
            { "id": text("call_id")?, "type": "function",
              "function": { "name": text("name")?, "arguments": text("arguments")? } }] })),
        "function_call_output" => Some(json!({ "role": "tool", "tool_call_id": text("call_id")?,
            "content": content(item.get("output")?) })),
        _ => None,
    }
}

fn content(content: &Value) -> Value {
    let Some(parts) = content.as_array() else {
        return content.clone();
    };
    let part = |part: &Value| match part.get("type").and_then(Value::as_str) {
        Some("input_image") => json!({ "type": "image_url", "image_url": {
            "url": part.get("image_url").or(part.get("file_id")) } }),
        Some("input_file") => json!({ "type": "file", "file": {
            "filename": part.get("filename"), "file_id": part.get("file_id"), "file_data": part.get("file_data") } }),
        Some("refusal") => json!({ "type": "text", "text": part.get("refusal") }),
        _ => part.clone(),
    };
    parts.iter().map(part).collect()
}
