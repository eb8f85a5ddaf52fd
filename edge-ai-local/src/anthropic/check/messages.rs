//! What Anthropic refuses in the messages of a request.

use serde_json::{Map, Value};

use super::super::decode::thinks;
use super::super::error::Error;
use super::super::thinking;

const BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "container_upload",
    "mcp_tool_use",
    "mcp_tool_result",
];
const IMAGE_TYPES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

pub(super) fn check(body: &Map<String, Value>, system_messages: bool) -> Result<(), Error> {
    let messages = match body.get("messages") {
        None | Some(Value::Null) => return Err(Error::required("messages")),
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(Error::invalid("messages: Input should be a valid list")),
    };
    if messages.is_empty() {
        return Err(Error::invalid("messages: at least one message is required"));
    }
    match body.get("system") {
        None | Some(Value::Null | Value::String(_) | Value::Array(_)) => {}
        Some(_) => return Err(Error::invalid("system: Input should be a valid string or list")),
    }
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let is_last = at + 1 == messages.len();
        let role = role(at, message, system_messages)?;
        content(at, message, role == "assistant" && is_last)?;
        let answered = ids(message, "tool_result", "tool_use_id");
        if let Some((n, unknown)) = answered.iter().enumerate().find(|(_, id)| !open.contains(id)) {
            return Err(Error::invalid(&format!(
                "messages.{at}.content.{n}: unexpected `tool_use_id` found in `tool_result` blocks: {unknown}. Each \
                 `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        unanswered(
            at,
            open.iter().copied().filter(|id| !answered.contains(id)).collect(),
        )?;
        open = if role == "assistant" {
            ids(message, "tool_use", "id")
        } else {
            Vec::new()
        };
    }
    unanswered(messages.len(), open)?;
    if thinks(body) {
        thought_first(messages)
    } else {
        Ok(())
    }
}

fn role(at: usize, message: &Value, system_messages: bool) -> Result<&str, Error> {
    match message.get("role") {
        None => Err(Error::required(format!("messages.{at}.role"))),
        Some(Value::String(role)) if role == "user" || role == "assistant" => Ok(role),
        Some(Value::String(role)) if role == "system" && system_messages => Ok(role),
        Some(Value::String(role)) if role == "system" => Err(Error::invalid(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \
             \"system\" as an input message role.",
        )),
        Some(_) => Err(Error::invalid(&format!(
            "messages.{at}.role: Input should be 'user' or 'assistant'"
        ))),
    }
}

fn content(at: usize, message: &Value, may_be_empty: bool) -> Result<(), Error> {
    let empty = || {
        if may_be_empty {
            return Ok(());
        }
        Err(Error::invalid(&format!(
            "messages.{at}: all messages must have non-empty content except for the optional final assistant message"
        )))
    };
    match message.get("content") {
        None => Err(Error::required(format!("messages.{at}.content"))),
        Some(Value::String(text)) if text.is_empty() => empty(),
        Some(Value::String(text)) if may_be_empty && text.ends_with(char::is_whitespace) => Err(
            Error::invalid("messages: final assistant content cannot end with trailing whitespace"),
        ),
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) if blocks.is_empty() => empty(),
        Some(Value::Array(blocks)) => blocks
            .iter()
            .enumerate()
            .try_for_each(|(n, block)| self::block(at, n, block)),
        Some(_) => Err(Error::invalid(&format!(
            "messages.{at}.content: Input should be a valid list"
        ))),
    }
}

fn block(at: usize, n: usize, block: &Value) -> Result<(), Error> {
    let path = format!("messages.{at}.content.{n}");
    let field = |pointer: &str| block.pointer(pointer).and_then(Value::as_str);
    let kind = field("/type").ok_or_else(|| Error::required(format!("{path}.type")))?;
    let need = |name: &str| {
        block
            .get(name)
            .map(|_| ())
            .ok_or_else(|| Error::required(format!("{path}.{kind}.{name}")))
    };
    match kind {
        "text" => match field("/text") {
            None => Err(Error::required(format!("{path}.text.text"))),
            Some("") => Err(Error::invalid("messages: text content blocks must be non-empty")),
            Some(text) if text.trim().is_empty() => Err(Error::invalid(
                "messages: text content blocks must contain non-whitespace text",
            )),
            Some(_) => Ok(()),
        },
        "image" => {
            need("source")?;
            match (field("/source/type"), field("/source/media_type")) {
                (Some("base64"), Some(media)) if !IMAGE_TYPES.contains(&media) => {
                    Err(Error::invalid(&format!(
                        "{path}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or \
                     'image/webp'"
                    )))
                }
                (Some("base64"), None) => {
                    Err(Error::required(format!("{path}.image.source.base64.media_type")))
                }
                (Some("base64"), _) if field("/source/data").is_none() => {
                    Err(Error::required(format!("{path}.image.source.base64.data")))
                }
                (Some("url"), _) if field("/source/url").is_none() => {
                    Err(Error::required(format!("{path}.image.source.url.url")))
                }
                (Some("base64" | "url" | "file"), _) => Ok(()),
                _ => Err(Error::required(format!("{path}.image.source.type"))),
            }
        }
        "document" => need("source"),
        "tool_use" => ["id", "name", "input"].into_iter().try_for_each(need),
        "tool_result" => need("tool_use_id"),
        "thinking" => {
            need("thinking")?;
            need("signature")?;
            if thinking::verify(
                field("/thinking").unwrap_or_default(),
                field("/signature").unwrap_or_default(),
            ) {
                Ok(())
            } else {
                Err(Error::invalid(&format!(
                    "{path}: Invalid `signature` in `thinking` block"
                )))
            }
        }
        known if BLOCKS.contains(&known) => Ok(()),
        unknown => Err(Error::invalid(&format!(
            "{path}: Input tag '{unknown}' found using 'type' does not match any of the expected tags: '{}'",
            BLOCKS.join("', '")
        ))),
    }
}

fn ids<'m>(message: &'m Value, kind: &str, key: &str) -> Vec<&'m str> {
    let blocks = message
        .get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    blocks
        .filter(|block| block.get("type").is_some_and(|t| t == kind))
        .filter_map(|block| block.get(key).and_then(Value::as_str))
        .collect()
}

fn unanswered(at: usize, ids: Vec<&str>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(&format!(
        "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` \
         block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    )))
}

/// With thinking on, the turn that called a tool comes back with its thinking in front.
fn thought_first(messages: &[Value]) -> Result<(), Error> {
    let Some(at) = messages
        .iter()
        .rposition(|message| message.get("role").is_some_and(|role| role == "assistant"))
    else {
        return Ok(());
    };
    let Some(message) = messages
        .get(at)
        .filter(|message| !ids(message, "tool_use", "id").is_empty())
    else {
        return Ok(());
    };
    match message.pointer("/content/0/type").and_then(Value::as_str) {
        Some("thinking" | "redacted_thinking") => Ok(()),
        found => Err(Error::invalid(&format!(
            "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{}`. When `thinking` \
             is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of \
             `tool_use` and `tool_result` blocks).",
            found.unwrap_or("none")
        ))),
    }
}
