//! What OpenAI refuses in the messages of a chat request.

use serde_json::{Map, Value};

use super::super::error::Error;

const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];

pub(super) fn check(body: &Map<String, Value>) -> Result<(), Error> {
    let messages = match body.get("messages") {
        None | Some(Value::Null) => return Err(Error::missing("messages")),
        Some(Value::Array(messages)) => messages,
        Some(other) => return Err(Error::wrong_type("messages", "an array of objects", other)),
    };
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty \
                       array instead.";
        return Err(Error::invalid(message).param("messages").code("empty_array"));
    }
    let mut pending: Vec<&str> = Vec::new();
    let mut asked: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let role = self::role(at, message)?;
        content(at, role, message)?;
        if role == "tool" {
            let id = message.get("tool_call_id").and_then(Value::as_str);
            let id = id.ok_or_else(|| Error::missing(&format!("messages[{at}].tool_call_id")))?;
            if !asked.contains(&id) {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message \
                               with 'tool_calls'.";
                return Err(Error::invalid(message).param(&format!("messages.[{at}].role")));
            }
            pending.retain(|call| *call != id);
            continue;
        }
        unanswered(&pending, at)?;
        asked = message
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|call| call.get("id").and_then(Value::as_str))
            .collect();
        pending.clone_from(&asked);
    }
    unanswered(&pending, messages.len())
}

fn role(at: usize, message: &Value) -> Result<&str, Error> {
    if !message.is_object() {
        return Err(Error::wrong_type(
            &format!("messages[{at}]"),
            "an object",
            message,
        ));
    }
    let param = format!("messages[{at}].role");
    let role = match message.get("role") {
        None | Some(Value::Null) => return Err(Error::missing(&param)),
        Some(Value::String(role)) => role,
        Some(other) => return Err(Error::wrong_type(&param, "a string", other)),
    };
    if ROLES.contains(&role.as_str()) {
        return Ok(role);
    }
    let message = format!(
        "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and \
         'developer'."
    );
    Err(Error::invalid(&message).param(&param).code("invalid_value"))
}

fn content(at: usize, role: &str, message: &Value) -> Result<(), Error> {
    let param = format!("messages[{at}].content");
    match message.get("content") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) => parts
            .iter()
            .enumerate()
            .try_for_each(|(n, part)| self::part(at, n, part)),
        None | Some(Value::Null) if role == "assistant" => {
            let speaks = ["tool_calls", "function_call", "refusal", "audio"];
            if speaks
                .iter()
                .any(|key| message.get(*key).is_some_and(|value| !value.is_null()))
            {
                Ok(())
            } else {
                Err(Error::invalid(&format!(
                    "Invalid value for 'content': expected a string, got null. (param '{param}')"
                ))
                .param(&param))
            }
        }
        None => Err(Error::missing(&param)),
        Some(other) => Err(Error::wrong_type(
            &param,
            "one of a string or array of objects",
            other,
        )),
    }
}

fn part(at: usize, n: usize, part: &Value) -> Result<(), Error> {
    let param = format!("messages[{at}].content[{n}]");
    let Some(kind) = part.get("type").and_then(Value::as_str) else {
        return Err(Error::missing(&format!("{param}.type")));
    };
    let (pointer, field) = match kind {
        "text" => ("/text", "text"),
        "image_url" => ("/image_url/url", "image_url.url"),
        "input_audio" => ("/input_audio/data", "input_audio.data"),
        "file" => ("/file", "file"),
        "refusal" => ("/refusal", "refusal"),
        other => {
            let message = format!(
                "Invalid value: '{other}'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and \
                 'file'."
            );
            return Err(Error::invalid(&message)
                .param(&format!("{param}.type"))
                .code("invalid_value"));
        }
    };
    if part.pointer(pointer).is_none() {
        return Err(Error::missing(&format!("{param}.{field}")));
    }
    if kind == "image_url" {
        let url = part.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if !["http://", "https://", "data:image/"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            let message = format!(
                "Invalid '{param}.image_url.url'. Expected a valid URL, but got a value with an invalid format."
            );
            return Err(Error::invalid(&message)
                .param(&format!("{param}.image_url.url"))
                .code("invalid_value"));
        }
    }
    Ok(())
}

fn unanswered(pending: &[&str], before: usize) -> Result<(), Error> {
    if pending.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
         The following tool_call_ids did not have response messages: {}",
        pending.join(", ")
    );
    Err(Error::invalid(&message).param(&format!("messages.[{}].role", before.saturating_sub(1))))
}
