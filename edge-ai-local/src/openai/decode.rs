//! A chat request as the generator's neutral prompt.

use serde_json::{Map, Value, json};

use crate::generate::{Format, Media, Prompt, Role, ToolChoice, ToolSpec, Turn};

/// Tokens an image counts for at low detail.
const IMAGE_TOKENS: usize = 85;

/// Decodes the members that bear on the answer; whatever else the request has is let be.
pub(crate) fn prompt(body: &Map<String, Value>) -> Prompt {
    let list = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let mut names: Vec<(&str, &str)> = Vec::new();
    let turns = list("messages")
        .iter()
        .map(|message| turn(message, &mut names))
        .collect();
    let limit = body
        .get("max_completion_tokens")
        .or(body.get("max_tokens"))
        .and_then(Value::as_u64);
    Prompt {
        turns,
        tools: list("tools").iter().filter_map(tool).collect(),
        tool_choice: tool_choice(body.get("tool_choice")),
        parallel_tool_calls: body
            .get("parallel_tool_calls")
            .and_then(Value::as_bool)
            .unwrap_or(true),
        format: format(body.get("response_format")),
        max_tokens: limit.map(|limit| limit as usize),
        stop: match body.get("stop") {
            Some(Value::String(stop)) => vec![stop.clone()],
            Some(Value::Array(stops)) => stops
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        },
        reasoning: body
            .get("reasoning_effort")
            .and_then(Value::as_str)
            .is_some_and(|e| !matches!(e, "none" | "minimal")),
    }
}

fn turn<'b>(message: &'b Value, names: &mut Vec<(&'b str, &'b str)>) -> Turn {
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let role = match text("role") {
        Some("system" | "developer") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ => Role::User,
    };
    for call in message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
        let name = call
            .pointer("/function/name")
            .or(call.get("name"))
            .and_then(Value::as_str);
        names.extend(name.map(|name| (id, name)));
    }
    let mut turn = Turn::new(role, "");
    content(message.get("content").unwrap_or(&Value::Null), &mut turn);
    if role == Role::Tool {
        let id = text("tool_call_id").unwrap_or_default();
        let called = names
            .iter()
            .rev()
            .find(|(known, _)| *known == id)
            .map(|(_, name)| *name);
        turn.tool_name = called.or(text("name")).map(str::to_owned);
    }
    turn
}

fn content(content: &Value, turn: &mut Turn) {
    match content {
        Value::String(text) => turn.text.push_str(text),
        Value::Array(parts) => {
            for part in parts {
                if let Some(text) = part.get("text").and_then(Value::as_str) {
                    if !turn.text.is_empty() {
                        turn.text.push('\n');
                    }
                    turn.text.push_str(text);
                } else {
                    turn.media.extend(media(part));
                }
            }
        }
        _ => {}
    }
}

fn media(part: &Value) -> Option<Media> {
    let text = |pointer: &str| part.pointer(pointer).and_then(Value::as_str);
    let (described, tokens) = match text("/type")? {
        "image_url" => (
            format!(
                "image ({})",
                source(text("/image_url/url").or(text("/image_url"))?)
            ),
            IMAGE_TOKENS,
        ),
        "input_audio" => {
            let bytes = text("/input_audio/data").map_or(0, decoded_len);
            (
                format!(
                    "audio ({}, {bytes} bytes)",
                    text("/input_audio/format").unwrap_or("unknown")
                ),
                bytes / 1000 + 1,
            )
        }
        "file" => {
            let name = text("/file/filename")
                .or(text("/file/file_id"))
                .unwrap_or("unnamed");
            let bytes = text("/file/file_data")
                .map_or(0, |data| decoded_len(data.rsplit(',').next().unwrap_or(data)));
            (format!("file ({name}, {bytes} bytes)"), bytes / 4 + 1)
        }
        _ => return None,
    };
    Some(Media { described, tokens })
}

/// What an image's address is, in words: a data URL's type and size, or the address itself.
fn source(url: &str) -> String {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
        Some((kind, data)) => {
            format!(
                "{}, {} bytes",
                kind.split(';').next().unwrap_or_default(),
                decoded_len(data)
            )
        }
        None => crate::generate::text::shorten(url, 200),
    }
}

/// Bytes that a Base64 text stands for.
fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

fn tool(tool: &Value) -> Option<ToolSpec> {
    let function = tool.get("function").unwrap_or(tool);
    Some(ToolSpec {
        name: function.get("name")?.as_str()?.to_owned(),
        description: function
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        parameters: function
            .get("parameters")
            .cloned()
            .unwrap_or_else(|| json!({ "type": "object" })),
    })
}

fn tool_choice(choice: Option<&Value>) -> ToolChoice {
    let named = |choice: &Value| {
        choice
            .pointer("/function/name")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match choice {
        Some(Value::String(choice)) if choice == "none" => ToolChoice::None,
        Some(Value::String(choice)) if choice == "required" || choice == "any" => ToolChoice::Required,
        Some(choice) => named(choice).map_or(ToolChoice::Auto, ToolChoice::Named),
        None => ToolChoice::Auto,
    }
}

fn format(format: Option<&Value>) -> Format {
    let Some(format) = format else { return Format::Text };
    match format.get("type").and_then(Value::as_str) {
        Some("json_object") => Format::JsonObject,
        // Workers AI puts the schema itself where OpenAI puts its wrapper.
        Some("json_schema") => format
            .pointer("/json_schema/schema")
            .or(format.get("json_schema"))
            .map_or(Format::JsonObject, |schema| Format::JsonSchema(schema.clone())),
        _ => Format::Text,
    }
}
