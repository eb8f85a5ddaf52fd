//! Contents: roles, parts, and what belongs together across turns.

use serde_json::{Map, Value};

use super::known;
use crate::gemini::decode::{field, list};
use crate::gemini::error::Error;
use crate::gemini::model::Generation;
use crate::gemini::signature;

const PART: &[&str] = &[
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "videoMetadata",
    "mediaResolution",
    "partMetadata",
];
/// Of a part's members, one of these.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
];
/// Pictures that are read.
const IMAGES: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/heic",
    "image/heif",
];

type Part = Map<String, Value>;

pub(super) fn check(body: &Map<String, Value>, generation: Generation) -> Result<(), Error> {
    let contents = list(field(body, "contents"));
    if contents.is_empty() {
        let message = "* GenerateContentRequest.contents: contents is not specified";
        return Err(Error::field("contents", message));
    }
    for (at, content) in contents.iter().enumerate() {
        let path = format!("contents[{at}]");
        let content = content
            .as_object()
            .ok_or_else(|| Error::field(&path, "Invalid value: must be an object"))?;
        known(content, &["role", "parts"], &path)?;
        match field(content, "role").and_then(Value::as_str) {
            None | Some("user" | "model") => {}
            Some(_) => return Err(Error::invalid("Please use a valid role: user, model.")),
        }
        let parts = list(field(content, "parts"));
        if parts.is_empty() {
            let message = format!("* GenerateContentRequest.{path}.parts: contents.parts must not be empty.");
            return Err(Error::field(&format!("{path}.parts"), &message));
        }
        for (index, part) in parts.iter().enumerate() {
            check_part(part, &format!("{path}.parts[{index}]"), generation)?;
        }
    }
    let last = contents.last().and_then(|last| last.get("role"));
    if generation.late && last.is_some_and(|role| role == "model") {
        return Err(Error::invalid(
            "Requests ending with a model turn are not supported.",
        ));
    }
    results(contents, generation)?;
    signatures(contents, generation)
}

fn check_part(part: &Value, path: &str, generation: Generation) -> Result<(), Error> {
    let part = part
        .as_object()
        .ok_or_else(|| Error::field(path, "Invalid value: must be an object"))?;
    known(part, PART, path)?;
    if DATA.iter().filter(|name| field(part, name).is_some()).count() != 1 {
        let message = format!(
            "* GenerateContentRequest.{path}.data: required oneof field 'data' must have one initialized field"
        );
        return Err(Error::field(&format!("{path}.data"), &message));
    }
    if let Some(data) = field(part, "inlineData").and_then(Value::as_object) {
        known(
            data,
            &["mimeType", "data", "displayName"],
            &format!("{path}.inline_data"),
        )?;
        let kind = field(data, "mimeType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if kind.is_empty() || (kind.starts_with("image/") && !IMAGES.contains(&kind)) {
            return Err(Error::invalid(&format!("Unsupported MIME type: {kind}")));
        }
    }
    if let Some(data) = field(part, "fileData").and_then(Value::as_object) {
        known(
            data,
            &["mimeType", "fileUri", "displayName"],
            &format!("{path}.file_data"),
        )?;
    }
    for (name, fields) in [
        (
            "functionCall",
            &["id", "name", "args", "partialArgs", "willContinue"][..],
        ),
        (
            "functionResponse",
            &["id", "name", "response", "parts", "willContinue", "scheduling"],
        ),
    ] {
        let Some(function) = field(part, name) else {
            continue;
        };
        let function = function
            .as_object()
            .ok_or_else(|| Error::field(path, "Invalid value: must be an object"))?;
        known(function, fields, &format!("{path}.{name}"))?;
        let struct_like = ["args", "response"]
            .iter()
            .all(|name| field(function, name).is_none_or(Value::is_object));
        if field(function, "name").is_none() || !struct_like {
            let message = format!(
                "* GenerateContentRequest.{path}.{name}: name must be set, args and response must be objects"
            );
            return Err(Error::field(&format!("{path}.{name}"), &message));
        }
        if generation.third && field(function, "id").is_none() {
            return Err(Error::invalid(&format!(
                "The id of {path}.{name} is missing: it must be that of the call."
            )));
        }
    }
    Ok(())
}

fn parts_of(content: &Value) -> impl Iterator<Item = &Part> {
    list(content.get("parts")).iter().filter_map(Value::as_object)
}

fn functions<'c>(content: &'c Value, name: &'static str) -> impl Iterator<Item = &'c Part> {
    parts_of(content)
        .filter_map(move |part| field(part, name))
        .filter_map(Value::as_object)
}

/// As many results as calls, right after them, with their ids.
fn results(contents: &[Value], generation: Generation) -> Result<(), Error> {
    let mut before: Option<&Value> = None;
    for content in contents {
        let results: Vec<_> = functions(content, "functionResponse").collect();
        let calls: Vec<_> = before
            .into_iter()
            .flat_map(|before| functions(before, "functionCall"))
            .collect();
        if results.len() != calls.len() {
            return Err(Error::invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts of \
                 the function call turn.",
            ));
        }
        let known = |result: &&Part| calls.iter().any(|call| field(call, "id") == field(result, "id"));
        if generation.third && !results.iter().all(known) {
            return Err(Error::invalid(
                "A function response has an id that no function call of the turn before it has.",
            ));
        }
        before = Some(content);
    }
    Ok(())
}

/// In the turn that goes on, the first call of each step is signed.
fn signatures(contents: &[Value], generation: Generation) -> Result<(), Error> {
    if !generation.third {
        return Ok(());
    }
    let begins = |content: &Value| {
        content.get("role").is_none_or(|role| role != "model")
            && functions(content, "functionResponse").next().is_none()
    };
    let from = contents.iter().rposition(begins).unwrap_or_default();
    for (at, content) in contents.iter().enumerate() {
        for (index, part) in parts_of(content).enumerate() {
            let signature = field(part, "thoughtSignature").and_then(Value::as_str);
            let call = field(part, "functionCall").and_then(Value::as_object);
            let first = call.is_some()
                && parts_of(content)
                    .take(index)
                    .all(|before| field(before, "functionCall").is_none());
            let name = call
                .and_then(|call| field(call, "name"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            match (signature, call) {
                (None, Some(_)) if first && at > from => {
                    return Err(Error::invalid(&format!(
                        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work \
                         correctly, and missing thought_signature may lead to degraded model performance. Function call \
                         `default_api:{name}`, position {at}."
                    )));
                }
                (Some(signature), Some(call)) => {
                    let arguments = field(call, "args").cloned().unwrap_or_default();
                    if !signature::fits_call(signature, name, &arguments) {
                        return Err(Error::invalid("Thought signature is not valid."));
                    }
                }
                (Some(signature), None) if signature != signature::of_text() => {
                    return Err(Error::invalid("Thought signature is not valid."));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
