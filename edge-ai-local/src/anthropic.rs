//! The Anthropic API: messages, token counts, models.

mod cache;
pub(crate) mod check;
pub(crate) mod decode;
mod encode;
pub(crate) mod error;
mod messages;
mod models;
pub(crate) mod thinking;
pub(crate) mod vertex;

pub(crate) use cache::{Cached, PromptCache};

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::clock::rfc3339;
use crate::id;
use crate::reply::Reply;
use error::Error;

/// Answers a request below `/anthropic`.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(|error| error.reply(Some(&request_id(call.number))))
}

/// Headers of every answer.
pub(crate) fn headers(call: u64, now_ms: u64) -> Vec<(&'static str, String)> {
    let reset = rfc3339(now_ms + 1000);
    vec![
        ("request-id", request_id(call)),
        ("anthropic-organization-id", "edge-ai-local".into()),
        ("anthropic-ratelimit-requests-limit", "4000".into()),
        ("anthropic-ratelimit-requests-remaining", "3999".into()),
        ("anthropic-ratelimit-requests-reset", reset.clone()),
        ("anthropic-ratelimit-input-tokens-limit", "400000".into()),
        ("anthropic-ratelimit-input-tokens-remaining", "399000".into()),
        ("anthropic-ratelimit-input-tokens-reset", reset.clone()),
        ("anthropic-ratelimit-output-tokens-limit", "80000".into()),
        ("anthropic-ratelimit-output-tokens-remaining", "79000".into()),
        ("anthropic-ratelimit-output-tokens-reset", reset),
    ]
}

fn request_id(call: u64) -> String {
    format!("req_{}", id::alphanumeric(call, "anthropic request", 24))
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    if vertex::is_resource(call.path) {
        return vertex::answer(call, body(call)?);
    }
    authorize(call)?;
    let path = call
        .path
        .strip_prefix("/v1")
        .unwrap_or(call.path)
        .trim_end_matches('/');
    match (call.method.as_str(), path) {
        ("POST", "/messages") => messages::answer(call, body(call)?),
        ("POST", "/messages/count_tokens") => {
            let body = body(call)?;
            check::model(body)?;
            check::request(body, takes_system_messages(call))?;
            Ok(Reply::json(
                &json!({ "input_tokens": decode::prompt(body).tokens() }),
            ))
        }
        ("GET", "/models") => Ok(models::list()),
        ("GET", path) if path.starts_with("/models/") => models::one(path.trim_start_matches("/models/")),
        (_, "/messages" | "/messages/count_tokens" | "/models") => Err(Error::of(405, "Method Not Allowed")),
        _ => Err(Error::of(404, "Not found")),
    }
}

fn authorize(call: &Call<'_>) -> Result<(), Error> {
    let bearer = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    match call.header("x-api-key").or(bearer).map(str::trim) {
        None | Some("") => return Err(Error::of(401, "x-api-key header is required")),
        Some(key) if key.starts_with("invalid") => return Err(Error::of(401, "invalid x-api-key")),
        Some(_) => {}
    }
    match call.header("anthropic-version") {
        None => Err(Error::invalid("anthropic-version: header is required")),
        Some(version) if is_date(version) => Ok(()),
        Some(other) => Err(Error::invalid(&format!(
            "anthropic-version: {other:?} is not a valid version"
        ))),
    }
}

/// Versions of the API after the first ones take messages of the role `system`.
fn takes_system_messages(call: &Call<'_>) -> bool {
    !call
        .header("anthropic-version")
        .is_some_and(|version| version.starts_with("2023-"))
}

fn is_date(version: &str) -> bool {
    let shape: String = version
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00"
}

fn body<'c>(call: &Call<'c>) -> Result<&'c Map<String, Value>, Error> {
    match call.json {
        Some(Value::Object(body)) => Ok(body),
        Some(_) => Err(Error::invalid("Input should be an object")),
        None => Err(Error::invalid("The request body is not valid JSON")),
    }
}
