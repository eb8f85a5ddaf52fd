//! `GET /v1beta/models`.

use serde_json::{Value, json};

use super::error::Error;
use crate::reply::Reply;

/// Models listed. Any other name is answered too, unless it begins with `missing`.
const MODELS: &[(&str, &str, &[&str])] = &[
    ("gemini-3.8-flash", "Gemini 3.8 Flash", CHAT),
    ("gemini-3.5-flash", "Gemini 3.5 Flash", CHAT),
    ("gemini-2.5-flash", "Gemini 2.5 Flash", CHAT),
    ("gemini-embedding-2", "Gemini Embedding 2", EMBED),
    ("gemini-embedding-001", "Gemini Embedding 001", EMBED),
];
const CHAT: &[&str] = &[
    "generateContent",
    "countTokens",
    "createCachedContent",
    "batchGenerateContent",
];
const EMBED: &[&str] = &["embedContent", "countTextTokens", "asyncBatchEmbedContent"];

pub(super) fn list() -> Reply {
    Reply::json(&json!({ "models": MODELS.iter().map(model).collect::<Vec<_>>() }))
}

pub(super) fn one(id: &str) -> Result<Reply, Error> {
    let found = MODELS.iter().find(|(known, _, _)| *known == id);
    found.map(|found| Reply::json(&model(found))).ok_or_else(|| {
        Error::of(
            404,
            &format!("Model is not found: models/{id} for api version v1beta"),
        )
    })
}

fn model((id, name, methods): &(&str, &str, &[&str])) -> Value {
    json!({
        "name": format!("models/{id}"), "version": "001", "displayName": name,
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "supportedGenerationMethods": methods })
}
