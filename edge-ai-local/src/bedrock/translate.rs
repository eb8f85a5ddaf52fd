//! A Converse request in Anthropic's words, which the checks, the prompt and the prompt cache of this program know.

use serde_json::{Map, Value, json};

use super::error::Error;

const IMAGES: &[&str] = &["png", "jpeg", "gif", "webp"];
const DOCUMENTS: &[&str] = &["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// The longest identifier of a call.
const MAX_ID: usize = 64;

pub(super) fn request(body: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let mut request = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            request.insert(key.to_owned(), value);
        }
    };
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.filter(|messages| !messages.is_empty()).ok_or_else(|| {
        Error::invalid("The value at messages is not valid: a conversation must start with a user message.")
    })?;
    let mut decoded = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        // Turns alternate, and the user begins.
        if role != if at.is_multiple_of(2) { "user" } else { "assistant" } {
            let message = "A conversation must alternate between user and assistant roles. Make sure the conversation alternates \
                           between user and assistant roles and try again.";
            return Err(Error::invalid(message));
        }
        let content = blocks(message.get("content"), &format!("messages.{at}.content"))?;
        decoded.push(json!({ "role": role, "content": content }));
    }
    let uses_tools = decoded.iter().any(|message| {
        let content = message.get("content").and_then(Value::as_array);
        let tool = |block: &Value| {
            let kind = block.get("type").and_then(Value::as_str);
            matches!(kind, Some("tool_use" | "tool_result"))
        };
        content.is_some_and(|content| content.iter().any(tool))
    });
    if uses_tools && body.get("toolConfig").is_none() {
        let message =
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.";
        return Err(Error::invalid(message));
    }
    set("messages", Some(Value::Array(decoded)));
    if let Some(system) = body.get("system") {
        set("system", Some(Value::Array(blocks(Some(system), "system")?)));
    }
    let inference = |key: &str| {
        body.get("inferenceConfig")
            .and_then(|config| config.get(key))
            .cloned()
    };
    set("max_tokens", inference("maxTokens"));
    set("temperature", inference("temperature"));
    set("top_p", inference("topP"));
    set("stop_sequences", inference("stopSequences"));
    if let Some(config) = body.get("toolConfig") {
        set("tools", Some(Value::Array(tools(config)?)));
        set("tool_choice", tool_choice(config)?);
    }
    set("output_config", output_config(body)?);
    // The model's own fields stand above what Converse makes of its request.
    for (key, value) in body
        .get("additionalModelRequestFields")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        set(key, Some(value.clone()));
    }
    Ok(request)
}

fn blocks(list: Option<&Value>, path: &str) -> Result<Vec<Value>, Error> {
    let list = list.and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| {
        Error::invalid(format!(
            "The content field in the Message object at {path} is empty. Add a ContentBlock object to the content field and try again."
        ))
    })?;
    let mut blocks: Vec<Value> = Vec::new();
    for (at, block) in list.iter().enumerate() {
        let path = format!("{path}.{at}");
        let (kind, value) = union(block, &path)?;
        if kind == "cachePoint" {
            let mark =
                json!({ "type": "ephemeral", "ttl": value.get("ttl").cloned().unwrap_or(json!("5m")) });
            if let Some(Value::Object(marked)) = blocks.last_mut() {
                marked.insert("cache_control".to_owned(), mark);
            }
            continue;
        }
        blocks.push(self::block(kind, value, &path)?);
    }
    Ok(blocks)
}

/// The one member of a union.
fn union<'v>(block: &'v Value, path: &str) -> Result<(&'v str, &'v Value), Error> {
    let mut members = block.as_object().into_iter().flatten();
    match (members.next(), members.next()) {
        (Some((kind, value)), None) => Ok((kind, value)),
        _ => Err(Error::invalid(format!(
            "The value at {path} must have exactly one member."
        ))),
    }
}

fn block(kind: &str, value: &Value, path: &str) -> Result<Value, Error> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    match kind {
        "text" => match value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(json!({ "type": "text", "text": text })),
            _ => Err(Error::invalid(format!(
                "The text field in the ContentBlock object at {path} is blank. Add text to the text field, and try again."
            ))),
        },
        "image" | "document" => media(kind, value, path),
        "toolUse" => Ok(
            json!({ "type": "tool_use", "id": id(value, path)?, "name": value.get("name"), "input": value.get("input") }),
        ),
        "toolResult" => {
            let content = match value.get("content").and_then(Value::as_array) {
                Some(list) if list.is_empty() => Vec::new(),
                _ => blocks(value.get("content"), &format!("{path}.toolResult.content"))?,
            };
            Ok(
                json!({ "type": "tool_result", "tool_use_id": id(value, path)?, "content": content,
                       "is_error": text("/status") == Some("error") }),
            )
        }
        "json" => Ok(json!({ "type": "text", "text": value.to_string() })),
        "reasoningContent" => match (text("/reasoningText/text"), text("/redactedContent")) {
            (Some(thinking), _) => Ok(json!({ "type": "thinking", "thinking": thinking,
                                              "signature": text("/reasoningText/signature") })),
            (None, Some(data)) => Ok(json!({ "type": "redacted_thinking", "data": data })),
            _ => Err(Error::invalid(format!(
                "The reasoningContent at {path} is empty."
            ))),
        },
        other => Err(Error::invalid(format!(
            "The model does not take the content block `{other}` at {path}."
        ))),
    }
}

fn media(kind: &str, value: &Value, path: &str) -> Result<Value, Error> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let format = text("/format").unwrap_or_default();
    let known = if kind == "image" { IMAGES } else { DOCUMENTS };
    if !known.contains(&format) {
        let message = format!(
            "Value '{format}' at '{path}.{kind}.format' failed to satisfy constraint: Member must satisfy enum value set: {known:?}"
        );
        return Err(Error::invalid(message));
    }
    if kind == "document" {
        let name = text("/name").unwrap_or_default();
        let allowed = |char: char| char.is_ascii_alphanumeric() || " -()[]".contains(char);
        if name.is_empty() || name.contains("  ") || !name.chars().all(allowed) {
            return Err(Error::invalid(
                "The file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and \
                 square brackets. The name can't contain more than one consecutive whitespace character.",
            ));
        }
    }
    let source = match (text("/source/bytes"), text("/source/s3Location/uri")) {
        (Some(bytes), _) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD
                .decode(bytes)
                .map_err(|_| Error::of(400, "").named("SerializationException"))?;
            json!({ "type": "base64", "media_type": format!("{kind}/{format}"), "data": bytes })
        }
        (None, Some(uri)) => json!({ "type": "url", "url": uri }),
        _ => return Err(Error::invalid(format!("The source at {path} is empty."))),
    };
    Ok(json!({ "type": kind, "source": source }))
}

fn id<'v>(value: &'v Value, path: &str) -> Result<&'v str, Error> {
    let id = value.get("toolUseId").and_then(Value::as_str).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(allowed) {
        let message = format!(
            "Value '{id}' at '{path}.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
        );
        return Err(Error::invalid(message));
    }
    Ok(id)
}

fn tools(config: &Value) -> Result<Vec<Value>, Error> {
    let list = config
        .get("tools")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let list =
        list.ok_or_else(|| Error::invalid("The value at toolConfig.tools must have at least one tool."))?;
    let mut tools: Vec<Value> = Vec::new();
    for (at, tool) in list.iter().enumerate() {
        let path = format!("toolConfig.tools.{at}");
        let (kind, spec) = union(tool, &path)?;
        if kind == "toolSpec" {
            let schema = spec.pointer("/inputSchema/json");
            let schema = schema.ok_or_else(|| {
                Error::invalid(format!("The value at {path}.toolSpec.inputSchema is missing."))
            })?;
            let mut tool = json!({ "name": spec.get("name"), "input_schema": schema });
            if let (Some(description), Value::Object(tool)) = (spec.get("description"), &mut tool) {
                tool.insert("description".to_owned(), description.clone());
            }
            tools.push(tool);
        }
    }
    Ok(tools)
}

fn tool_choice(config: &Value) -> Result<Option<Value>, Error> {
    let Some(choice) = config.get("toolChoice") else {
        return Ok(None);
    };
    let (kind, value) = union(choice, "toolConfig.toolChoice")?;
    match kind {
        "auto" | "any" => Ok(Some(json!({ "type": kind }))),
        "tool" => Ok(Some(json!({ "type": "tool", "name": value.get("name") }))),
        other => Err(Error::invalid(format!(
            "The tool choice `{other}` is not one of auto, any, tool."
        ))),
    }
}

fn output_config(body: &Map<String, Value>) -> Result<Option<Value>, Error> {
    let Some(format) = body
        .get("outputConfig")
        .and_then(|config| config.get("textFormat"))
    else {
        return Ok(None);
    };
    let schema = format
        .pointer("/structure/jsonSchema/schema")
        .and_then(Value::as_str);
    let schema: Option<Value> = schema.and_then(|schema| serde_json::from_str(schema).ok());
    match (format.get("type"), schema) {
        (Some(kind), Some(schema)) if kind == "json_schema" => Ok(Some(
            json!({ "format": { "type": "json_schema", "schema": schema } }),
        )),
        _ => Err(Error::invalid(
            "outputConfig.textFormat: the type must be json_schema, and the schema the text of a JSON schema",
        )),
    }
}
