//! What OpenAI refuses in a request to the Responses API.

use serde_json::{Map, Value};

use super::super::check::{integer, number, present};
use super::super::error::Error;
use super::super::strict;

mod items;

/// Every parameter there is: another one is refused by its name.
const PARAMETERS: [&str; 30] = [
    "background",
    "conversation",
    "frequency_penalty",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Those of a request for a count.
const COUNTED: [&str; 12] = [
    "conversation",
    "input",
    "instructions",
    "model",
    "parallel_tool_calls",
    "personality",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
];

pub(super) fn request(body: &Map<String, Value>, model: &str) -> Result<(), Error> {
    known(body, &PARAMETERS)?;
    number(body, "temperature", 0.0, 2.0)?;
    number(body, "top_p", 0.0, 1.0)?;
    integer(body, "max_output_tokens", 16, i64::MAX)?;
    integer(body, "top_logprobs", 0, 20)?;
    for flag in ["stream", "store", "background", "parallel_tool_calls"] {
        if let Some(other) = present(body, flag).filter(|value| !value.is_boolean()) {
            return Err(Error::wrong_type(flag, "a boolean", other));
        }
    }
    prompt(body)?;
    let wants = |include: &Value| include == "reasoning.encrypted_content";
    let includes = present(body, "include").and_then(Value::as_array);
    if includes.is_some_and(|all| all.iter().any(wants)) && !reasons(model) {
        return Err(Error::invalid("Encrypted content is not supported with this model.").param("include"));
    }
    Ok(())
}

pub(super) fn count(body: &Map<String, Value>, _model: &str) -> Result<(), Error> {
    known(body, &COUNTED)?;
    prompt(body)
}

fn prompt(body: &Map<String, Value>) -> Result<(), Error> {
    if let Some(id) = present(body, "previous_response_id") {
        // The stand-in keeps none.
        let message = format!(
            "Previous response with id '{}' not found.",
            id.as_str().unwrap_or_default()
        );
        return Err(Error::invalid(&message)
            .param("previous_response_id")
            .code("previous_response_not_found"));
    }
    items::check(body)?;
    tools(body)?;
    format(body)
}

fn known(body: &Map<String, Value>, parameters: &[&str]) -> Result<(), Error> {
    match body.keys().find(|name| !parameters.contains(&name.as_str())) {
        Some(name) => Err(Error::invalid(&format!("Unknown parameter: '{name}'."))
            .param(name)
            .code("unknown_parameter")),
        None => Ok(()),
    }
}

fn reasons(model: &str) -> bool {
    ["gpt-5", "gpt-6", "o1", "o3", "o4"]
        .iter()
        .any(|family| model.starts_with(family))
}

fn tools(body: &Map<String, Value>) -> Result<(), Error> {
    let tools = match present(body, "tools") {
        None => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(other) => return Err(Error::wrong_type("tools", "an array of objects", other)),
    };
    for (at, tool) in tools.iter().enumerate() {
        let kind = tool.get("type").and_then(Value::as_str);
        if kind.ok_or_else(|| Error::missing(&format!("tools[{at}].type")))? != "function" {
            continue;
        }
        let param = format!("tools[{at}].name");
        let name = tool
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::missing(&param))?;
        if tool.get("strict") == Some(&Value::Bool(true)) {
            let schema = tool.get("parameters").unwrap_or(&Value::Null);
            strict::check(schema).map_err(|problem| {
                Error::invalid(&format!("Invalid schema for function '{name}': {problem}"))
                    .param(&format!("tools[{at}].parameters"))
                    .code("invalid_function_parameters")
            })?;
        }
    }
    Ok(())
}

fn format(body: &Map<String, Value>) -> Result<(), Error> {
    let Some(format) = body.get("text").and_then(|text| text.get("format")) else {
        return Ok(());
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") => {
            let missing = |name: &str| Error::missing(&format!("text.format.{name}"));
            let name = format
                .get("name")
                .and_then(Value::as_str)
                .ok_or_else(|| missing("name"))?;
            let schema = format.get("schema").ok_or_else(|| missing("schema"))?;
            if format.get("strict") == Some(&Value::Bool(false)) {
                return Ok(());
            }
            strict::check(schema).map_err(|problem| {
                Error::invalid(&format!("Invalid schema for response_format '{name}': {problem}"))
                    .param("text.format.schema")
                    .code("invalid_json_schema")
            })
        }
        _ => Err(Error::missing("text.format.type")),
    }
}
