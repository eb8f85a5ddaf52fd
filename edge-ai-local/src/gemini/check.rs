//! What Google refuses in a request for an answer.

use serde_json::{Map, Value};

use super::decode::{camel, field, list};
use super::error::Error;
use super::model::{Generation, Thinking};

mod contents;

const REQUEST: &[&str] = &[
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
];
const CONFIG: &[&str] = &[
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "mediaResolution",
];
/// Texts at which an answer may stop.
const STOPS: usize = 5;

pub(super) fn request(body: &Map<String, Value>, generation: Generation) -> Result<(), Error> {
    known(body, REQUEST, "")?;
    contents::check(body, generation)?;
    let empty = Map::new();
    let config = object(body, "generationConfig", "generation_config")?.unwrap_or(&empty);
    known(config, CONFIG, "generation_config")?;
    numbers(config, generation)?;
    thinking(config, generation)?;
    let tools = tools(body)?;
    tool_config(body, &tools)?;
    let mime = field(config, "responseMimeType").and_then(Value::as_str);
    let schema = field(config, "responseJsonSchema").or(field(config, "responseSchema"));
    match mime {
        None | Some("text/plain") if schema.is_some() => Err(Error::invalid(
            "Function calling, or schema, needs a response mime type of 'application/json'.",
        )),
        Some("application/json") if !tools.is_empty() && !generation.third => Err(Error::invalid(
            "Function calling with a response mime type: 'application/json' is unsupported",
        )),
        _ => Ok(()),
    }
}

/// No member but those that there are.
pub(super) fn known(object: &Map<String, Value>, names: &[&str], path: &str) -> Result<(), Error> {
    let unknown = object.keys().find(|name| !names.contains(&&*camel(name)));
    let Some(name) = unknown else { return Ok(()) };
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" at '{path}'")
    };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
    Err(Error::field(path, &message))
}

fn object<'b>(
    body: &'b Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<&'b Map<String, Value>>, Error> {
    match field(body, name) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Error::field(
            path,
            &format!("Invalid value at '{path}': must be an object"),
        )),
    }
}

fn numbers(config: &Map<String, Value>, generation: Generation) -> Result<(), Error> {
    for (name, low, high) in [
        ("temperature", 0.0, 2.0),
        ("topP", 0.0, 1.0),
        ("maxOutputTokens", 1.0, f64::MAX),
        ("topK", 1.0, 1_000.0),
        ("candidateCount", 1.0, 8.0),
        ("seed", -2_147_483_648.0, 2_147_483_647.0),
    ] {
        let Some(value) = field(config, name) else {
            continue;
        };
        if !value
            .as_f64()
            .is_some_and(|number| (low..=high).contains(&number))
        {
            let message = format!(
                "* GenerateContentRequest.generation_config.{name}: {name} must be in the range [{low}, {high}]."
            );
            return Err(Error::field(&format!("generation_config.{name}"), &message));
        }
    }
    let penalty = ["presencePenalty", "frequencyPenalty"]
        .into_iter()
        .any(|name| field(config, name).is_some());
    if penalty && generation.late {
        return Err(Error::invalid("Penalty is not enabled for this model"));
    }
    if list(field(config, "stopSequences")).len() > STOPS {
        let message = format!("The number of stop sequences must be at most {STOPS}.");
        return Err(Error::field("generation_config.stop_sequences", &message));
    }
    Ok(())
}

fn thinking(config: &Map<String, Value>, generation: Generation) -> Result<(), Error> {
    let Some(thinking) = object(config, "thinkingConfig", "generation_config.thinking_config")? else {
        return Ok(());
    };
    let names = ["includeThoughts", "thinkingBudget", "thinkingLevel"];
    known(thinking, &names, "generation_config.thinking_config")?;
    let budget = field(thinking, "thinkingBudget").map(|budget| budget.as_i64().unwrap_or(i64::MIN));
    let level = field(thinking, "thinkingLevel").map(|level| level.as_str().unwrap_or_default());
    let refused = |message: String| Err(Error::invalid(&message));
    if budget.is_some() && level.is_some() {
        return refused("You can only set only one of thinking budget and thinking level.".into());
    }
    match (generation.thinking, budget, level) {
        (Thinking::Never, _, _) => refused("Thinking is not enabled for this model".into()),
        (Thinking::Budget(..), _, Some(_)) => {
            refused("Thinking level is not supported for this model.".into())
        }
        (Thinking::Budget(low, high), Some(budget), _) if budget != -1 && !(low..=high).contains(&budget) => {
            refused(format!(
                "The thinking budget {budget} is invalid. Please choose a value between {low} and {high}."
            ))
        }
        (Thinking::Level { minimal }, _, Some(level)) => {
            let level = level.to_ascii_lowercase();
            if matches!(level.as_str(), "low" | "medium" | "high") || (minimal && level == "minimal") {
                Ok(())
            } else {
                refused(format!(
                    "Thinking level {} is not supported for this model.",
                    level.to_ascii_uppercase()
                ))
            }
        }
        _ => Ok(()),
    }
}

/// The names of the functions.
fn tools(body: &Map<String, Value>) -> Result<Vec<&str>, Error> {
    let mut names = Vec::new();
    for (at, tool) in list(field(body, "tools"))
        .iter()
        .filter_map(Value::as_object)
        .enumerate()
    {
        for (index, function) in list(field(tool, "functionDeclarations")).iter().enumerate() {
            let path = format!("tools[{at}].function_declarations[{index}]");
            let function = function
                .as_object()
                .ok_or_else(|| Error::field(&path, "Invalid value: must be an object"))?;
            let fields = [
                "name",
                "description",
                "behavior",
                "parameters",
                "parametersJsonSchema",
                "response",
                "responseJsonSchema",
            ];
            known(function, &fields, &path)?;
            let name = field(function, "name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
            if name.is_empty()
                || name.len() > 64
                || !name.bytes().all(plain)
                || !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            {
                let message = format!(
                    "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), \
                     underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64: {path}.name"
                );
                return Err(Error::field(&format!("{path}.name"), &message));
            }
            if names.contains(&name) {
                return Err(Error::invalid(&format!(
                    "Duplicate function declaration found: {name}"
                )));
            }
            names.push(name);
        }
    }
    Ok(names)
}

fn tool_config(body: &Map<String, Value>, tools: &[&str]) -> Result<(), Error> {
    let Some(config) = object(body, "toolConfig", "tool_config")? else {
        return Ok(());
    };
    known(
        config,
        &["functionCallingConfig", "retrievalConfig"],
        "tool_config",
    )?;
    let Some(calling) = object(
        config,
        "functionCallingConfig",
        "tool_config.function_calling_config",
    )?
    else {
        return Ok(());
    };
    let path = "tool_config.function_calling_config";
    known(calling, &["mode", "allowedFunctionNames"], path)?;
    let mode = field(calling, "mode").and_then(Value::as_str).unwrap_or("AUTO");
    if !["AUTO", "ANY", "NONE", "VALIDATED"].contains(&mode) {
        let message = format!("Invalid value at '{path}.mode', \"{mode}\"");
        return Err(Error::field(&format!("{path}.mode"), &message));
    }
    let allowed = list(field(calling, "allowedFunctionNames"));
    if !allowed.is_empty() && !["ANY", "VALIDATED"].contains(&mode) {
        return Err(Error::invalid(
            "Please set allowed_function_names only when function calling mode is ANY or VALIDATED.",
        ));
    }
    if mode == "ANY" && tools.is_empty() {
        return Err(Error::invalid(
            "Function calling config is set without function_declarations.",
        ));
    }
    let declared = |name: &Value| name.as_str().is_some_and(|name| tools.contains(&name));
    if !allowed.iter().all(declared) {
        return Err(Error::invalid(
            "allowed_function_names contains a function name that is not declared.",
        ));
    }
    Ok(())
}
