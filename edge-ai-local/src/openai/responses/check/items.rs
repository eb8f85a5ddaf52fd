//! What OpenAI refuses in the items of a request.

use serde_json::{Map, Value};

use super::super::super::check::present;
use super::super::super::error::Error;
use super::super::seal;

pub(super) fn check(body: &Map<String, Value>) -> Result<(), Error> {
    let items = match present(body, "input") {
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) => items,
        None => return Err(Error::missing("input")),
        Some(other) => {
            return Err(Error::wrong_type(
                "input",
                "a string or an array of objects",
                other,
            ));
        }
    };
    let mut waiting: Vec<&str> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let place = format!("input[{at}]");
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let needed = |name: &str| text(name).ok_or_else(|| Error::missing(&format!("{place}.{name}")));
        let kind = match text("type") {
            None if text("role").is_some() => "message",
            None => return Err(Error::missing(&format!("{place}.type"))),
            Some(kind) => kind,
        };
        match kind {
            "message" => message(&place, needed("role")?, item)?,
            "function_call" => {
                needed("name")?;
                needed("arguments")?;
                waiting.push(needed("call_id")?);
            }
            "function_call_output" => {
                let id = needed("call_id")?;
                if item.get("output").is_none() {
                    return Err(Error::missing(&format!("{place}.output")));
                }
                let before = waiting.len();
                waiting.retain(|call| *call != id);
                if waiting.len() == before {
                    let message = format!("No tool call found for function call output with call_id {id}.");
                    return Err(Error::invalid(&message).param("input"));
                }
            }
            "reasoning" => {
                let id = text("id").unwrap_or_default();
                if item.get("summary").and_then(Value::as_array).is_none() {
                    return Err(Error::missing(&format!("{place}.summary")));
                }
                // Without encrypted content it would have to be one that is kept, and none is.
                if !text("encrypted_content").is_some_and(|encrypted| seal::verify(id, encrypted)) {
                    let message = format!("The encrypted content for item {id} could not be verified.");
                    return Err(Error::invalid(&message)
                        .param("input")
                        .code("invalid_encrypted_content"));
                }
            }
            "item_reference" => {
                let message = format!("Item with id '{}' not found.", text("id").unwrap_or_default());
                return Err(Error::invalid(&message).status(404).param("input"));
            }
            _ => {}
        }
    }
    match waiting.first() {
        Some(id) => {
            Err(Error::invalid(&format!("No tool output found for function call {id}.")).param("input"))
        }
        None => Ok(()),
    }
}

fn message(place: &str, role: &str, item: &Value) -> Result<(), Error> {
    let wanted: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        "system" | "developer" => &["input_text"],
        "user" => &["input_text", "input_image", "input_file", "input_audio"],
        other => {
            let message = format!(
                "Invalid value: '{other}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
            );
            return Err(Error::invalid(&message)
                .param(&format!("{place}.role"))
                .code("invalid_value"));
        }
    };
    let Some(parts) = item.get("content").and_then(Value::as_array) else {
        return match item.get("content") {
            Some(Value::String(_)) => Ok(()),
            _ => Err(Error::missing(&format!("{place}.content"))),
        };
    };
    for (at, part) in parts.iter().enumerate() {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        if !wanted.contains(&kind) {
            let supported: Vec<_> = wanted.iter().map(|kind| format!("'{kind}'")).collect();
            let message = format!(
                "Invalid value: '{kind}'. Supported values are: {}.",
                supported.join(", ")
            );
            return Err(Error::invalid(&message)
                .param(&format!("{place}.content[{at}]"))
                .code("invalid_value"));
        }
    }
    Ok(())
}
