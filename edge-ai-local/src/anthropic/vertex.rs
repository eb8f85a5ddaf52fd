//! Claude on Vertex AI: `publishers/anthropic/models/{model}:rawPredict`, with the model in the address and the version in the body.

use serde_json::{Map, Value};

use super::error::Error;
use super::messages;
use crate::call::Call;
use crate::reply::Reply;

const VERSION: &str = "vertex-2023-10-16";

/// The model that an address of Vertex AI names.
pub(crate) fn model_of(path: &str) -> Option<&str> {
    resource(path).map(|(model, _)| model)
}

/// Whether an address is one of Vertex AI's.
pub(super) fn is_resource(path: &str) -> bool {
    resource(path).is_some()
}

pub(super) fn answer(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let token = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if token.is_empty() || token.starts_with("invalid") {
        return Err(Error::of(401, "Request had invalid authentication credentials."));
    }
    let (model, method) = resource(call.path).unwrap_or_default();
    let streams = match method {
        "rawPredict" => false,
        "streamRawPredict" => true,
        _ => return Err(Error::of(404, "Not found")),
    };
    if model.starts_with("missing") {
        return Err(Error::of(
            404,
            &format!("Publisher Model `{model}` was not found"),
        ));
    }
    if body.get("anthropic_version") != Some(&VERSION.into()) {
        return Err(Error::invalid(&format!("anthropic_version: must be {VERSION}")));
    }
    if body.contains_key("model") {
        return Err(Error::invalid("model: Extra inputs are not permitted"));
    }
    if body.get("stream").is_some_and(|stream| stream == true) != streams {
        return Err(Error::invalid(
            "stream: must be true for streamRawPredict, and only for it",
        ));
    }
    let mut body = body.clone();
    body.remove("anthropic_version");
    body.insert("model".to_owned(), model.into());
    messages::answer(call, &body)
}

fn resource(path: &str) -> Option<(&str, &str)> {
    path.split_once("/publishers/anthropic/models/")?
        .1
        .split_once(':')
}
