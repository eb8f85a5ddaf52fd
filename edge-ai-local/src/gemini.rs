//! The Gemini API, at Google's own address and at Vertex AI's: answers, embeddings, models, and the tokens of service accounts.

mod check;
mod decode;
mod embeddings;
mod encode;
pub(crate) mod error;
mod generate;
mod model;
mod models;
mod signature;
mod token;

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::id;
use crate::reply::Reply;
use error::Error;

/// Answers a request below `/gemini` or `/vertex`.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(Reply::from)
}

/// Headers of every answer.
pub(crate) fn headers(call: u64) -> Vec<(&'static str, String)> {
    vec![
        ("x-gemini-service-tier", "standard".into()),
        ("server-timing", format!("gfet4t7; dur={call}")),
    ]
}

/// The model that an address names.
pub(crate) fn model_of(path: &str) -> Option<String> {
    resource(path).map(|(model, _)| model.to_owned())
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    let path = call.path.trim_end_matches('/');
    if path == "/token" {
        return token::answer(call);
    }
    authorize(call)?;
    match (call.method.as_str(), path, resource(path)) {
        ("POST", _, Some((model, method))) => ask(call, model, method),
        ("GET", "/v1beta/models" | "/v1/models", _) => Ok(models::list()),
        ("GET", path, _) if path.starts_with("/v1beta/models/") => {
            models::one(path.trim_start_matches("/v1beta/models/"))
        }
        _ => Err(Error::of(404, "Requested entity was not found.")),
    }
}

fn ask(call: &Call<'_>, model: &str, method: &str) -> Result<Reply, Error> {
    if model.starts_with("missing") {
        let message = format!(
            "models/{model} is not found for API version v1beta, or is not supported for {method}. Call ListModels to see \
             the list of available models and their supported methods."
        );
        return Err(Error::of(404, &message));
    }
    let body = body(call)?;
    match method {
        "generateContent" => generate::answer(call, model, body, false),
        "streamGenerateContent" if call.parameter("alt").as_deref() == Some("sse") => {
            generate::answer(call, model, body, true)
        }
        "streamGenerateContent" => Err(Error::invalid("only `alt=sse` is stood in for")),
        "countTokens" => count(model, body),
        "embedContent" => embeddings::one(model, body),
        "batchEmbedContents" => embeddings::batch(model, body),
        other => Err(Error::of(404, &format!("Method not found: {other}"))),
    }
}

/// Counts a prompt, or that of a whole request.
fn count(model: &str, body: &Map<String, Value>) -> Result<Reply, Error> {
    let request = match decode::field(body, "generateContentRequest") {
        Some(Value::Object(request)) => request,
        _ => body,
    };
    check::request(request, model::generation(model))?;
    let total = decode::prompt(request).tokens();
    Ok(Reply::json(&json!({ "totalTokens": total })))
}

/// The model and the method in `…/models/{model}:{method}`.
fn resource(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once("/models/")?.1.split_once(':')
}

/// Google's own address takes a key, Vertex AI's a token.
fn authorize(call: &Call<'_>) -> Result<(), Error> {
    let bearer = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    if call.path.starts_with("/v1/projects/") {
        return match bearer {
            Some(token) if !token.is_empty() && !token.starts_with("invalid") => Ok(()),
            _ => Err(Error::of(
                401,
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
                 authentication credential.",
            )),
        };
    }
    let key = call
        .header("x-goog-api-key")
        .map(str::to_owned)
        .or_else(|| call.parameter("key"));
    match key.as_deref().or(bearer) {
        None | Some("") => Err(Error::of(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other \
             form of API consumer identity to call this API.",
        )),
        Some(key) if key.starts_with("invalid") => {
            Err(Error::invalid("API key not valid. Please pass a valid API key.").reason("API_KEY_INVALID"))
        }
        Some(_) => Ok(()),
    }
}

fn response_id(call: &Call<'_>) -> String {
    id::alphanumeric(call.number, "gemini response", 22)
}

fn body<'c>(call: &Call<'c>) -> Result<&'c Map<String, Value>, Error> {
    match call.json {
        Some(Value::Object(body)) => Ok(body),
        Some(_) => Err(Error::invalid(
            "Invalid JSON payload received. Unexpected token: the root is not an object.",
        )),
        None => Err(Error::invalid("Invalid JSON payload received. Unexpected token.")),
    }
}
