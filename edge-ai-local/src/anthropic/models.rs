//! `GET /v1/models`.

use serde_json::{Value, json};

use super::error::Error;
use crate::reply::Reply;

/// Models listed. Any other name is answered too, unless it begins with `missing`.
const MODELS: &[(&str, &str, &str)] = &[
    ("claude-opus-5-5", "Claude Opus 5.5", UNKNOWN),
    ("claude-sonnet-5-5", "Claude Sonnet 5.5", UNKNOWN),
    ("claude-haiku-5-5", "Claude Haiku 5.5", UNKNOWN),
    (
        "claude-haiku-4-5-20251001",
        "Claude Haiku 4.5",
        "2025-10-15T00:00:00Z",
    ),
    (
        "claude-sonnet-4-5-20250929",
        "Claude Sonnet 4.5",
        "2025-09-29T00:00:00Z",
    ),
];
/// What the service says for a release date that it does not know.
const UNKNOWN: &str = "1970-01-01T00:00:00Z";

pub(super) fn list() -> Reply {
    let data: Vec<Value> = MODELS.iter().map(model).collect();
    let id = |model: Option<&(&str, _, _)>| model.map(|(id, _, _)| (*id).to_owned());
    Reply::json(&json!({
        "data": data, "has_more": false, "first_id": id(MODELS.first()), "last_id": id(MODELS.last()) }))
}

pub(super) fn one(id: &str) -> Result<Reply, Error> {
    let id = crate::call::percent_decode(id);
    let alias = |known: &str| known == id || known.rsplit_once('-').is_some_and(|(short, _)| short == id);
    let found = MODELS.iter().find(|(known, _, _)| alias(known));
    found
        .map(|found| Reply::json(&model(found)))
        .ok_or_else(|| Error::of(404, &format!("model: {id}")))
}

fn model((id, name, created): &(&str, &str, &str)) -> Value {
    json!({
        "type": "model", "id": id, "display_name": name, "created_at": created, "lifecycle": "active", "line": null,
        "capabilities": null, "max_input_tokens": null, "max_tokens": null, "deprecated_at": null, "retires_at": null,
    })
}
