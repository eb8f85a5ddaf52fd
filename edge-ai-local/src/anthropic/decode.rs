//! A messages request as the generator's neutral prompt.

use serde_json::{Map, Value, json};

use crate::generate::{Format, Media, Prompt, Role, ToolChoice, ToolSpec, Turn};

/// Tokens an image counts for, about what a 1000 by 1000 one does.
const IMAGE_TOKENS: usize = 1334;

/// Decodes the members that bear on the answer; whatever else the request has is let be.
pub(crate) fn prompt(body: &Map<String, Value>) -> Prompt {
    let list = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let mut turns = Vec::new();
    let system = blocks(body.get("system"))
        .filter_map(text)
        .collect::<Vec<_>>()
        .join("\n");
    if !system.is_empty() {
        turns.push(Turn::new(Role::System, system));
    }
    let mut names: Vec<(&str, &str)> = Vec::new();
    for message in list("messages") {
        decode(message, &mut names, &mut turns);
    }
    let choice = body.get("tool_choice");
    let parallel =
        choice.and_then(|choice| choice.get("disable_parallel_tool_use")) != Some(&Value::Bool(true));
    Prompt {
        turns,
        tools: list("tools").iter().filter_map(tool).collect(),
        tool_choice: tool_choice(choice),
        parallel_tool_calls: parallel,
        format: format(body),
        max_tokens: body
            .get("max_tokens")
            .and_then(Value::as_u64)
            .map(|max| max as usize),
        stop: list("stop_sequences")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        reasoning: thinks(body),
    }
}

/// Whether the request asks for thinking.
pub(super) fn thinks(body: &Map<String, Value>) -> bool {
    let kind = body
        .get("thinking")
        .and_then(|thinking| thinking.get("type"))
        .and_then(Value::as_str);
    matches!(kind, Some("enabled" | "adaptive" | "between_tools"))
}

fn decode<'b>(message: &'b Value, names: &mut Vec<(&'b str, &'b str)>, turns: &mut Vec<Turn>) {
    let role = match message.get("role").and_then(Value::as_str) {
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        _ => Role::User,
    };
    let mut said = Turn::new(role, "");
    let mut results = Vec::new();
    for block in blocks(message.get("content")) {
        let field = |key: &str| block.get(key).and_then(Value::as_str);
        match field("type") {
            Some("tool_use") => names.extend(field("id").zip(field("name"))),
            Some("tool_result") => {
                let id = field("tool_use_id").unwrap_or_default();
                let mut result = Turn::new(Role::Tool, "");
                blocks(block.get("content")).for_each(|part| add(&mut result, part));
                result.tool_name = names
                    .iter()
                    .rev()
                    .find(|(known, _)| *known == id)
                    .map(|(_, name)| (*name).to_owned());
                results.push(result);
            }
            _ => add(&mut said, block),
        }
    }
    // Words beside tool results go before them, so that the results stay what is to be answered.
    if results.is_empty() || !said.text.is_empty() || !said.media.is_empty() {
        turns.push(said);
    }
    turns.extend(results);
}

fn add(turn: &mut Turn, block: &Value) {
    if let Some(text) = text(block) {
        if !turn.text.is_empty() {
            turn.text.push('\n');
        }
        turn.text.push_str(text);
        return;
    }
    turn.media.extend(media(block));
}

fn media(block: &Value) -> Option<Media> {
    let field = |pointer: &str| block.pointer(pointer).and_then(Value::as_str);
    let kind = field("/type").filter(|kind| matches!(*kind, "image" | "document"))?;
    let bytes = field("/source/data").map_or(0, str::len);
    let source = match field("/source/type") {
        Some("base64") => {
            let decoded = field("/source/data").map_or(0, |data| data.trim_end_matches('=').len() * 3 / 4);
            format!(
                "{}, {decoded} bytes",
                field("/source/media_type").unwrap_or("unknown")
            )
        }
        Some("text") => format!("text, {bytes} bytes"),
        _ => field("/source/url")
            .or(field("/source/file_id"))
            .unwrap_or("no source")
            .to_owned(),
    };
    let tokens = if kind == "image" {
        IMAGE_TOKENS
    } else {
        bytes / 4 + 1
    };
    Some(Media {
        described: format!("{kind} ({source})"),
        tokens,
    })
}

/// Content is a string, or a list of blocks.
fn blocks(content: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (one, many) = match content {
        Some(Value::Array(blocks)) => (None, Some(blocks)),
        other => (other, None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

fn text(block: &Value) -> Option<&str> {
    match block {
        Value::String(text) => Some(text),
        _ if block.get("type").is_some_and(|kind| kind == "text") => {
            block.get("text").and_then(Value::as_str)
        }
        // A document given as text can be quoted from.
        _ if block.pointer("/source/type").is_some_and(|kind| kind == "text") => {
            block.pointer("/source/data").and_then(Value::as_str)
        }
        _ => None,
    }
}

fn tool(tool: &Value) -> Option<ToolSpec> {
    Some(ToolSpec {
        name: tool.get("name")?.as_str()?.to_owned(),
        description: tool
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        // A server tool has no schema, and runs at the service only.
        parameters: tool.get("input_schema")?.clone(),
    })
}

fn tool_choice(choice: Option<&Value>) -> ToolChoice {
    let field = |key: &str| choice.and_then(|choice| choice.get(key)).and_then(Value::as_str);
    match (field("type"), field("name")) {
        (Some("none"), _) => ToolChoice::None,
        (Some("any"), _) => ToolChoice::Required,
        (Some("tool"), Some(name)) => ToolChoice::Named(name.to_owned()),
        _ => ToolChoice::Auto,
    }
}

fn format(body: &Map<String, Value>) -> Format {
    let format = body
        .get("output_config")
        .and_then(|config| config.get("format"))
        .or(body.get("output_format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => Format::JsonSchema(schema.clone()),
        None if format.is_some_and(Value::is_object) => Format::JsonSchema(json!({ "type": "object" })),
        None => Format::Text,
    }
}
