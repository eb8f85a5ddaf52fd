//! Amazon Bedrock: Converse and its stream, embeddings and rerankers by invocation, with AWS's signatures checked.

mod converse;
mod encode;
pub(crate) mod error;
mod invoke;
mod signature;
mod translate;

use serde_json::{Map, Value};

use crate::call::{Call, percent_decode};
use crate::id;
use crate::reply::Reply;
use error::Error;

/// Answers a request below `/bedrock`.
pub(crate) fn answer(call: &Call<'_>) -> Reply {
    route(call).unwrap_or_else(Reply::from)
}

/// Headers of every answer.
pub(crate) fn headers(call: u64) -> Vec<(&'static str, String)> {
    vec![("x-amzn-requestid", id::uuid(call, "bedrock request"))]
}

fn route(call: &Call<'_>) -> Result<Reply, Error> {
    signature::check(call)?;
    let unknown = || Error::of(404, "").named("UnknownOperationException");
    let rest = call.path.strip_prefix("/model/").ok_or_else(unknown)?;
    let (model, action) = rest.rsplit_once('/').ok_or_else(unknown)?;
    if call.method != "POST" || model.contains('/') {
        return Err(unknown());
    }
    // Unlike in a query, a plus is a plus here.
    let model = percent_decode(&model.replace('+', "%2B"));
    if model.starts_with("missing") || !model.contains('.') && !model.starts_with("arn:") {
        return Err(Error::invalid("The provided model identifier is invalid."));
    }
    match action {
        "converse" => converse::answer(call, &model, body(call)?, false),
        "converse-stream" => converse::answer(call, &model, body(call)?, true),
        "invoke" => invoke::answer(&model, body(call)?),
        _ => Err(unknown()),
    }
}

fn body<'c>(call: &Call<'c>) -> Result<&'c Map<String, Value>, Error> {
    call.json
        .and_then(Value::as_object)
        .ok_or_else(|| Error::of(400, "").named("SerializationException"))
}
