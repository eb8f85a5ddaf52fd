//! The OpenAI API: chat completions, responses, embeddings, models.

mod chat;
mod check;
mod decode;
mod embeddings;
pub(crate) mod encode;
pub(crate) mod error;
mod media;
mod models;
pub(crate) mod realtime;
pub(crate) mod responses;
mod strict;

pub(crate) use decode::prompt;

use crate::call::Call;
use crate::id;
use crate::reply::Reply;
use error::Error;

/// Answers a request below `/openai`.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(Reply::from)
}

/// Headers of every answer.
pub(crate) fn headers(call: u64) -> Vec<(&'static str, String)> {
    vec![
        (
            "x-request-id",
            format!(
                "req_{}",
                id::alphanumeric(call, "openai request", 32).to_lowercase()
            ),
        ),
        ("openai-processing-ms", "1".into()),
        ("openai-version", "2020-10-01".into()),
        ("openai-organization", "edge-ai-local".into()),
        ("x-ratelimit-limit-requests", "10000".into()),
        ("x-ratelimit-remaining-requests", "9999".into()),
        ("x-ratelimit-reset-requests", "6ms".into()),
        ("x-ratelimit-limit-tokens", "2000000".into()),
        ("x-ratelimit-remaining-tokens", "1999000".into()),
        ("x-ratelimit-reset-tokens", "30ms".into()),
    ]
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    authorize(call)?;
    let path = call
        .path
        .strip_prefix("/v1")
        .unwrap_or(call.path)
        .trim_end_matches('/');
    match (call.method.as_str(), path) {
        ("POST", "/chat/completions") => chat::answer(call, body(call)?),
        ("POST", "/responses") => responses::answer(call, body(call)?),
        ("POST", "/responses/input_tokens") => responses::count(body(call)?),
        ("POST", "/embeddings") => embeddings::answer(&call.app.embedder, body(call)?),
        ("POST", "/images/generations") => media::images(call, body(call)?),
        ("POST", "/images/edits" | "/images/variations") => media::changed_images(call),
        ("POST", "/audio/speech") => media::speech(body(call)?),
        ("POST", "/audio/transcriptions" | "/audio/translations") => media::transcription(call),
        ("POST", "/moderations") => media::moderation(call, body(call)?),
        // Nothing is ever kept.
        ("GET", "/files") => Ok(Reply::json(
            &serde_json::json!({ "object": "list", "data": [], "has_more": false }),
        )),
        ("GET", "/models") => Ok(models::list()),
        ("GET", path) if path.starts_with("/models/") => models::one(path.trim_start_matches("/models/")),
        (
            method,
            "/chat/completions" | "/responses" | "/responses/input_tokens" | "/embeddings" | "/models",
        ) => Err(Error::invalid(&format!(
            "Not allowed to {method} on {} (HINT: Perhaps you meant to use another HTTP method?)",
            call.path
        ))
        .status(405)
        .code("method_not_supported")),
        (method, _) => Err(Error::invalid(&format!("Invalid URL ({method} {})", call.path)).status(404)),
    }
}

fn authorize(call: &Call<'_>) -> Result<(), Error> {
    let key = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::trim);
    match key {
        None | Some("") => Err(Error::invalid(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
        .status(401)),
        Some(key) if key.starts_with("invalid") => {
            let shown = crate::generate::text::shorten(key, 7);
            Err(Error::invalid(&format!("Incorrect API key provided: {shown}. edge-ai-local refuses keys that begin with `invalid`."))
                .status(401)
                .code("invalid_api_key"))
        }
        Some(_) => Ok(()),
    }
}

fn body<'c>(call: &Call<'c>) -> Result<&'c serde_json::Map<String, serde_json::Value>, Error> {
    call.json.and_then(serde_json::Value::as_object).ok_or_else(|| {
        Error::invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
             library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        )
    })
}
