//! What OpenAI refuses in a chat request.

use serde_json::{Map, Value};

use super::error::Error;
use super::strict;

mod messages;

/// Model families that take `max_completion_tokens` and refuse `max_tokens`.
const REASONING_MODELS: &[&str] = &["o1", "o3", "o4", "gpt-5"];

pub(super) fn model(body: &Map<String, Value>) -> Result<&str, Error> {
    let model = match body.get("model") {
        None | Some(Value::Null) => return Err(Error::missing("model")),
        Some(Value::String(model)) if model.is_empty() => return Err(Error::missing("model")),
        Some(Value::String(model)) => model,
        Some(other) => return Err(Error::wrong_type("model", "a string", other)),
    };
    if model.starts_with("missing") {
        Err(Error::no_model(model))
    } else {
        Ok(model)
    }
}

pub(super) fn request(body: &Map<String, Value>, model: &str) -> Result<(), Error> {
    messages::check(body)?;
    number(body, "temperature", 0.0, 2.0)?;
    number(body, "top_p", 0.0, 1.0)?;
    number(body, "frequency_penalty", -2.0, 2.0)?;
    number(body, "presence_penalty", -2.0, 2.0)?;
    integer(body, "n", 1, 128)?;
    integer(body, "top_logprobs", 0, 20)?;
    integer(body, "max_tokens", 1, i64::MAX)?;
    integer(body, "max_completion_tokens", 1, i64::MAX)?;
    for flag in ["stream", "logprobs", "parallel_tool_calls", "store"] {
        match body.get(flag) {
            None | Some(Value::Null | Value::Bool(_)) => {}
            Some(other) => return Err(Error::wrong_type(flag, "a boolean", other)),
        }
    }
    token_limit(body, model)?;
    stop(body)?;
    stream_options(body)?;
    tools(body)?;
    response_format(body)
}

pub(super) fn present<'b>(body: &'b Map<String, Value>, param: &str) -> Option<&'b Value> {
    body.get(param).filter(|value| !value.is_null())
}

fn token_limit(body: &Map<String, Value>, model: &str) -> Result<(), Error> {
    if present(body, "max_tokens").is_none() {
        return Ok(());
    }
    if present(body, "max_completion_tokens").is_some() {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Error::invalid(message).code("invalid_parameter_combination"));
    }
    if REASONING_MODELS.iter().any(|family| model.starts_with(family)) && !model.contains("chat") {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(Error::invalid(message)
            .param("max_tokens")
            .code("unsupported_parameter"));
    }
    Ok(())
}

pub(super) fn number(
    body: &Map<String, Value>,
    param: &'static str,
    low: f64,
    high: f64,
) -> Result<(), Error> {
    let Some(value) = present(body, param) else {
        return Ok(());
    };
    let given = value
        .as_f64()
        .ok_or_else(|| Error::wrong_type(param, "a decimal", value))?;
    let (word, sign, bound, code) = match given {
        _ if given < low => ("below minimum", ">=", low, "decimal_below_min_value"),
        _ if given > high => ("above maximum", "<=", high, "decimal_above_max_value"),
        _ => return Ok(()),
    };
    let message = format!(
        "Invalid '{param}': decimal {word} value. Expected a value {sign} {bound}, but got {value} instead."
    );
    Err(Error::invalid(&message).param(param).code(code))
}

pub(super) fn integer(
    body: &Map<String, Value>,
    param: &'static str,
    low: i64,
    high: i64,
) -> Result<(), Error> {
    let Some(value) = present(body, param) else {
        return Ok(());
    };
    let given = value
        .as_i64()
        .ok_or_else(|| Error::wrong_type(param, "an integer", value))?;
    let (word, sign, bound, code) = match given {
        _ if given < low => ("below minimum", ">=", low, "integer_below_min_value"),
        _ if given > high => ("above maximum", "<=", high, "integer_above_max_value"),
        _ => return Ok(()),
    };
    let message = format!(
        "Invalid '{param}': integer {word} value. Expected a value {sign} {bound}, but got {given} instead."
    );
    Err(Error::invalid(&message).param(param).code(code))
}

fn stop(body: &Map<String, Value>) -> Result<(), Error> {
    match present(body, "stop") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(list)) if list.len() > 4 => Err(Error::invalid(&format!(
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length {} \
             instead.",
            list.len()
        ))
        .param("stop")
        .code("array_above_max_length")),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => Ok(()),
        Some(other) => Err(Error::wrong_type("stop", "a string or an array of strings", other)),
    }
}

fn stream_options(body: &Map<String, Value>) -> Result<(), Error> {
    let streams = body.get("stream") == Some(&Value::Bool(true));
    if present(body, "stream_options").is_some() && !streams {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Error::invalid(message).param("stream_options"));
    }
    Ok(())
}

fn tools(body: &Map<String, Value>) -> Result<(), Error> {
    let tools = match present(body, "tools") {
        None => None,
        Some(Value::Array(tools)) => Some(tools),
        Some(other) => return Err(Error::wrong_type("tools", "an array of objects", other)),
    };
    if tools.is_some_and(Vec::is_empty) {
        let message = "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array \
                       instead.";
        return Err(Error::invalid(message).param("tools").code("empty_array"));
    }
    for (at, tool) in tools.into_iter().flatten().enumerate() {
        let Some(function) = tool
            .get("function")
            .filter(|_| tool.get("type").is_none_or(|t| t == "function"))
        else {
            continue;
        };
        let param = format!("tools[{at}].function.name");
        let name = function
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::missing(&param))?;
        if name.is_empty()
            || name.len() > 64
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        {
            let message = format!(
                "Invalid '{param}': string does not match pattern. Expected a string that matches the pattern \
                 '^[a-zA-Z0-9_-]+$'."
            );
            return Err(Error::invalid(&message).param(&param).code("invalid_value"));
        }
        if function.get("strict") == Some(&Value::Bool(true)) {
            let schema = function.get("parameters").unwrap_or(&Value::Null);
            strict::check(schema).map_err(|problem| {
                let message = format!("Invalid schema for function '{name}': {problem}");
                Error::invalid(&message)
                    .param(&format!("tools[{at}].function.parameters"))
                    .code("invalid_function_parameters")
            })?;
        }
    }
    if let Some(choice) = present(body, "tool_choice").filter(|choice| *choice != "none" && *choice != "auto")
    {
        if tools.is_none() {
            let message =
                "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
            return Err(Error::invalid(message).param("tool_choice"));
        }
        if let Some(wanted) = choice.pointer("/function/name") {
            let known = tools
                .into_iter()
                .flatten()
                .any(|tool| tool.pointer("/function/name") == Some(wanted));
            if !known {
                let message = format!(
                    "Invalid value for 'tool_choice': tool choice {wanted} not found in 'tools' parameter."
                );
                return Err(Error::invalid(&message).param("tool_choice"));
            }
        }
    }
    Ok(())
}

fn response_format(body: &Map<String, Value>) -> Result<(), Error> {
    let Some(format) = present(body, "response_format") else {
        return Ok(());
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(()),
        Some("json_object") => {
            let messages = body.get("messages").map(Value::to_string).unwrap_or_default();
            if messages.to_lowercase().contains("json") {
                return Ok(());
            }
            let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type \
                           'json_object'.";
            Err(Error::invalid(message).param("messages"))
        }
        Some("json_schema") => {
            let param = "response_format.json_schema";
            let wrapper = format.get("json_schema").ok_or_else(|| Error::missing(param))?;
            let name = wrapper
                .get("name")
                .and_then(Value::as_str)
                .ok_or_else(|| Error::missing(&format!("{param}.name")))?;
            let schema = wrapper.get("schema").unwrap_or(&Value::Null);
            if wrapper.get("strict") != Some(&Value::Bool(true)) {
                return Ok(());
            }
            strict::check(schema).map_err(|problem| {
                let message = format!("Invalid schema for response_format '{name}': {problem}");
                Error::invalid(&message).param("response_format")
            })
        }
        Some(other) => {
            let message = format!(
                "Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'."
            );
            Err(Error::invalid(&message)
                .param("response_format.type")
                .code("invalid_value"))
        }
        None => Err(Error::missing("response_format.type")),
    }
}
