//! `GET /v1/models`.

use serde_json::{Value, json};

use super::error::Error;
use crate::reply::Reply;

/// Models listed. Any other name is answered too, unless it begins with `missing`.
const MODELS: &[(&str, u64)] = &[
    ("gpt-4o", 1_715_367_049),
    ("gpt-4o-mini", 1_721_172_741),
    ("gpt-4.1", 1_744_316_542),
    ("gpt-4.1-mini", 1_744_318_173),
    ("gpt-5", 1_754_425_777),
    ("gpt-5-mini", 1_754_425_928),
    ("o4-mini", 1_744_225_351),
    ("text-embedding-3-small", 1_705_948_997),
    ("text-embedding-3-large", 1_705_953_180),
    ("text-embedding-ada-002", 1_671_217_299),
];

pub(super) fn list() -> Reply {
    let data: Vec<Value> = MODELS.iter().map(|(id, created)| model(id, *created)).collect();
    Reply::json(&json!({ "object": "list", "data": data }))
}

pub(super) fn one(id: &str) -> Result<Reply, Error> {
    let id = crate::call::percent_decode(id);
    match MODELS.iter().find(|(known, _)| *known == id) {
        Some((id, created)) => Ok(Reply::json(&model(id, *created))),
        None => {
            let message = format!("The model '{id}' does not exist");
            Err(Error::invalid(&message)
                .status(404)
                .param("model")
                .code("model_not_found"))
        }
    }
}

fn model(id: &str, created: u64) -> Value {
    json!({ "id": id, "object": "model", "created": created, "owned_by": "system" })
}
