//! What Anthropic refuses in a messages request.

use serde_json::{Map, Value};

use super::decode::thinks;
use super::error::Error;

mod messages;

/// Blocks that may carry `cache_control`.
const CACHE_MARKS: usize = 4;
/// Least budget for thinking.
const THINKING_BUDGET: u64 = 1024;

pub(super) fn model(body: &Map<String, Value>) -> Result<&str, Error> {
    match body.get("model") {
        None => Err(Error::required("model")),
        Some(Value::String(model)) if model.starts_with("missing") => {
            Err(Error::of(404, &format!("model: {model}")))
        }
        Some(Value::String(model)) if !model.is_empty() => Ok(model),
        Some(Value::String(_)) => Err(Error::invalid("model: String should have at least 1 character")),
        Some(_) => Err(Error::invalid("model: Input should be a valid string")),
    }
}

pub(super) fn max_tokens(body: &Map<String, Value>) -> Result<(), Error> {
    match body.get("max_tokens") {
        None | Some(Value::Null) => Err(Error::required("max_tokens")),
        Some(value) => match value.as_i64() {
            Some(1..) => Ok(()),
            Some(_) => Err(Error::invalid(
                "max_tokens: Input should be greater than or equal to 1",
            )),
            None => Err(Error::invalid("max_tokens: Input should be a valid integer")),
        },
    }
}

pub(crate) fn request(body: &Map<String, Value>, system_messages: bool) -> Result<(), Error> {
    messages::check(body, system_messages)?;
    for param in ["temperature", "top_p"] {
        if let Some(value) = body.get(param).filter(|value| !value.is_null()) {
            let given = value
                .as_f64()
                .ok_or_else(|| Error::invalid(&format!("{param}: Input should be a valid number")))?;
            if !(0.0..=1.0).contains(&given) {
                return Err(Error::invalid(&format!("{param}: range: 0..1")));
            }
        }
    }
    if body.get("stream").is_some_and(|stream| !stream.is_boolean()) {
        return Err(Error::invalid("stream: Input should be a valid boolean"));
    }
    tools(body)?;
    thinking(body)?;
    let marks = count_marks(&Value::Object(body.clone()));
    if marks > CACHE_MARKS {
        let message =
            format!("A maximum of {CACHE_MARKS} blocks with cache_control may be provided. Found {marks}.");
        return Err(Error::invalid(&message));
    }
    Ok(())
}

fn tools(body: &Map<String, Value>) -> Result<(), Error> {
    let tools = match body.get("tools") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(_) => return Err(Error::invalid("tools: Input should be a valid list")),
    };
    let own = |tool: &Value| tool.get("type").is_none_or(|kind| kind == "custom");
    for (at, tool) in tools.iter().enumerate().filter(|(_, tool)| own(tool)) {
        let path = format!("tools.{at}.custom");
        let name = tool
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::required(format!("{path}.name")))?;
        if name.is_empty()
            || name.len() > 128
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        {
            let message = format!("{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'");
            return Err(Error::invalid(&message));
        }
        let schema = tool
            .get("input_schema")
            .ok_or_else(|| Error::required(format!("{path}.input_schema")))?;
        match schema.get("type") {
            Some(kind) if kind == "object" => {}
            None => return Err(Error::required(format!("{path}.input_schema.type"))),
            Some(_) => {
                return Err(Error::invalid(&format!(
                    "{path}.input_schema.type: Input should be 'object'"
                )));
            }
        }
    }
    let wanted = body
        .get("tool_choice")
        .filter(|choice| choice.get("type").is_some_and(|kind| kind == "tool"));
    if let Some(name) = wanted.and_then(|choice| choice.get("name"))
        && !tools.iter().any(|tool| tool.get("name") == Some(name))
    {
        return Err(Error::invalid(&format!(
            "tool_choice: Tool {name} not found in provided tools"
        )));
    }
    Ok(())
}

fn thinking(body: &Map<String, Value>) -> Result<(), Error> {
    let Some(thinking) = body.get("thinking").filter(|_| thinks(body)) else {
        return Ok(());
    };
    if thinking.get("type").is_some_and(|kind| kind == "enabled") {
        let budget = thinking
            .get("budget_tokens")
            .and_then(Value::as_u64)
            .ok_or_else(|| Error::required("thinking.enabled.budget_tokens"))?;
        if budget < THINKING_BUDGET {
            let message = format!(
                "thinking.enabled.budget_tokens: Input should be greater than or equal to {THINKING_BUDGET}"
            );
            return Err(Error::invalid(&message));
        }
        if body
            .get("max_tokens")
            .and_then(Value::as_u64)
            .is_some_and(|max| max <= budget)
        {
            return Err(Error::invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`.",
            ));
        }
    }
    let forced = body
        .get("tool_choice")
        .and_then(|choice| choice.get("type"))
        .and_then(Value::as_str);
    if matches!(forced, Some("any" | "tool")) {
        return Err(Error::invalid(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    if body
        .get("temperature")
        .and_then(Value::as_f64)
        .is_some_and(|temperature| temperature != 1.0)
    {
        return Err(Error::invalid(
            "`temperature` may only be set to 1 when thinking is enabled.",
        ));
    }
    Ok(())
}

fn count_marks(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_marks).sum(),
        Value::Object(map) => {
            let own = usize::from(map.get("cache_control").is_some_and(Value::is_object));
            let inner = |key: &str| map.get(key).map_or(0, count_marks);
            own + ["tools", "system", "messages", "content"]
                .into_iter()
                .map(inner)
                .sum::<usize>()
        }
        _ => 0,
    }
}
