//! A request as the generator's neutral prompt.

use serde_json::{Map, Value, json};

use crate::generate::{Format, Media, Prompt, Role, ToolChoice, ToolSpec, Turn};

/// Tokens an image counts for.
const IMAGE_TOKENS: usize = 1120;

/// Decodes the members that bear on the answer; whatever else the request has is let be.
pub(super) fn prompt(body: &Map<String, Value>) -> Prompt {
    let mut turns = Vec::new();
    let system = texts(field(body, "systemInstruction"));
    if !system.is_empty() {
        turns.push(Turn::new(Role::System, system));
    }
    for content in list(field(body, "contents")) {
        decode(content, &mut turns);
    }
    let empty = Map::new();
    let config = field(body, "generationConfig")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    Prompt {
        turns,
        tools: list(field(body, "tools"))
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|tool| list(field(tool, "functionDeclarations")))
            .filter_map(declared)
            .collect(),
        tool_choice: tool_choice(body),
        parallel_tool_calls: true,
        format: format(config),
        max_tokens: field(config, "maxOutputTokens")
            .and_then(Value::as_u64)
            .map(|most| most as usize),
        stop: list(field(config, "stopSequences"))
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        reasoning: thinks(config),
    }
}

/// Whether thoughts are shown.
pub(super) fn shows_thoughts(body: &Map<String, Value>) -> bool {
    let config = field(body, "generationConfig").and_then(Value::as_object);
    config
        .and_then(thinking)
        .and_then(|thinking| field(thinking, "includeThoughts"))
        == Some(&Value::Bool(true))
}

/// A member by its name, or by the name that Google's own format has for it.
pub(super) fn field<'b>(object: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    let found = object.iter().find(|(known, _)| camel(known) == name);
    found.map(|(_, value)| value).filter(|value| !value.is_null())
}

/// `thinking_config` as `thinkingConfig`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn thinking(config: &Map<String, Value>) -> Option<&Map<String, Value>> {
    field(config, "thinkingConfig").and_then(Value::as_object)
}

/// The stand-in thinks when it is told to, unlike the models, which think unasked: answers stay within small limits so.
fn thinks(config: &Map<String, Value>) -> bool {
    let Some(thinking) = thinking(config) else {
        return false;
    };
    let budget = field(thinking, "thinkingBudget").and_then(Value::as_i64);
    let minimal = field(thinking, "thinkingLevel")
        .and_then(Value::as_str)
        .is_some_and(|level| level.eq_ignore_ascii_case("minimal"));
    budget != Some(0) && !minimal
}

fn decode(content: &Value, turns: &mut Vec<Turn>) {
    let role = if content.get("role").is_some_and(|role| role == "model") {
        Role::Assistant
    } else {
        Role::User
    };
    let mut said = Turn::new(role, "");
    let mut results = Vec::new();
    for part in list(content.get("parts")).iter().filter_map(Value::as_object) {
        if let Some(response) = field(part, "functionResponse") {
            results.push(result(response));
        } else if let Some(text) = text(part) {
            if !said.text.is_empty() {
                said.text.push('\n');
            }
            said.text.push_str(text);
        } else {
            said.media.extend(media(part));
        }
    }
    // Words beside results go before them, so that the results stay what is to be answered.
    if results.is_empty() || !said.text.is_empty() || !said.media.is_empty() {
        turns.push(said);
    }
    turns.extend(results);
}

fn result(response: &Value) -> Turn {
    let value = response.get("response").unwrap_or(&Value::Null);
    let output = value.get("output").or(value.get("error"));
    let text = match (output, value) {
        (Some(Value::String(text)), _) => text.clone(),
        (_, value) => value.to_string(),
    };
    let mut turn = Turn::new(Role::Tool, text);
    turn.tool_name = response.get("name").and_then(Value::as_str).map(str::to_owned);
    let parts = list(response.get("parts")).iter().filter_map(Value::as_object);
    turn.media.extend(parts.filter_map(media));
    turn
}

fn text(part: &Map<String, Value>) -> Option<&str> {
    if field(part, "thought") == Some(&Value::Bool(true)) {
        return None;
    }
    field(part, "text")
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn texts(content: Option<&Value>) -> String {
    let parts = content
        .map(|content| list(content.get("parts")))
        .unwrap_or_default();
    let texts: Vec<_> = parts
        .iter()
        .filter_map(Value::as_object)
        .filter_map(text)
        .collect();
    texts.join("\n")
}

fn media(part: &Map<String, Value>) -> Option<Media> {
    let (data, kind_of) = match (field(part, "inlineData"), field(part, "fileData")) {
        (Some(data), _) | (None, Some(data)) => {
            let data = data.as_object()?;
            let kind = field(data, "mimeType")
                .and_then(Value::as_str)
                .unwrap_or("unknown");
            (data, kind)
        }
        _ => return None,
    };
    let kind = kind_of
        .split('/')
        .next()
        .filter(|kind| *kind != "application")
        .unwrap_or("document");
    let source = match field(data, "fileUri").and_then(Value::as_str) {
        Some(uri) => uri.to_owned(),
        None => {
            let text = field(data, "data").and_then(Value::as_str).unwrap_or_default();
            format!("{kind_of}, {} bytes", text.trim_end_matches('=').len() * 3 / 4)
        }
    };
    Some(Media {
        described: format!("{kind} ({source})"),
        tokens: IMAGE_TOKENS,
    })
}

fn declared(function: &Value) -> Option<ToolSpec> {
    let object = function.as_object()?;
    let parameters = field(object, "parametersJsonSchema").or(field(object, "parameters"));
    Some(ToolSpec {
        name: field(object, "name")?.as_str()?.to_owned(),
        description: field(object, "description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        parameters: parameters.cloned().unwrap_or_else(|| json!({ "type": "object" })),
    })
}

fn tool_choice(body: &Map<String, Value>) -> ToolChoice {
    let config = field(body, "toolConfig")
        .and_then(Value::as_object)
        .and_then(|config| field(config, "functionCallingConfig"))
        .and_then(Value::as_object);
    let mode = config
        .and_then(|config| field(config, "mode"))
        .and_then(Value::as_str);
    let only = config
        .map(|config| list(field(config, "allowedFunctionNames")))
        .unwrap_or_default();
    match (mode, only) {
        (Some("NONE"), _) => ToolChoice::None,
        (Some("ANY"), [Value::String(name)]) => ToolChoice::Named(name.clone()),
        (Some("ANY"), _) => ToolChoice::Required,
        _ => ToolChoice::Auto,
    }
}

fn format(config: &Map<String, Value>) -> Format {
    let schema = field(config, "responseJsonSchema").or(field(config, "responseSchema"));
    match (field(config, "responseMimeType").and_then(Value::as_str), schema) {
        (Some("application/json"), Some(schema)) => Format::JsonSchema(schema.clone()),
        (Some("application/json"), None) => Format::JsonObject,
        _ => Format::Text,
    }
}
