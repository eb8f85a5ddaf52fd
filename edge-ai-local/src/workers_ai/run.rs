//! `run`: finds the model and its inputs, and hands them to the task.

use serde_json::{Map, Value};

use super::catalog::{self, Model, Task};
use super::error::Error;
use super::{embeddings, rerank, text};
use crate::app::App;
use crate::call::Call;
use crate::reply::Reply;

pub(super) fn answer(call: &Call<'_>) -> Result<Reply, Error> {
    // The id may carry a prefix, as in `rest:@cf/…`.
    let id = call.header("cf-consn-model-id").unwrap_or_default();
    let id = id.find('@').and_then(|at| id.get(at..)).unwrap_or(id);
    let model = catalog::find(id).ok_or_else(|| catalog::missing(id))?;
    if call.parameter("userInputs").is_some() {
        return Err(Error::input(format!("{id} takes no stream as input")));
    }
    let body = call
        .json
        .and_then(Value::as_object)
        .ok_or_else(|| Error::of(400, "Invalid JSON in the request body"))?;
    let empty = Map::new();
    // A JavaScript `Map` arrives here as `{}`; the model then misses what it requires.
    let inputs = match body.get("inputs") {
        Some(Value::Object(inputs)) => inputs,
        None | Some(Value::Null) => &empty,
        Some(_) => return Err(Error::input("Type mismatch of '/', expected 'object'")),
    };
    let queue = body
        .get("options")
        .and_then(|options| options.get("queueRequest"));
    run(call, model, inputs, queue == Some(&Value::Bool(true)))
}

/// The model in the path, the inputs alone in the body.
pub(super) fn answer_path(call: &Call<'_>, id: &str) -> Result<Reply, Error> {
    let id = crate::call::percent_decode(id);
    let model = catalog::find(&id).ok_or_else(|| catalog::missing(&id))?;
    let inputs = call
        .json
        .and_then(Value::as_object)
        .ok_or_else(|| Error::of(400, "Invalid JSON in the request body"))?;
    let queue = call.parameter("queueRequest").as_deref() == Some("true");
    run(call, model, inputs, queue)
}

fn run(call: &Call<'_>, model: &Model, inputs: &Map<String, Value>, queue: bool) -> Result<Reply, Error> {
    if let Some(id) = inputs.get("request_id").and_then(Value::as_str) {
        return call.app.batches.poll(id, call.app.clock.unix_ms());
    }
    if let Some(requests) = inputs.get("requests") {
        let requests = requests
            .as_array()
            .ok_or_else(|| Error::input("Type mismatch of '/requests', 'array' expected"))?;
        if !queue {
            return Err(Error::input(
                "'requests' is for asynchronous batches: set queueRequest",
            ));
        }
        return Ok(call.app.batches.start(call, model, requests));
    }
    match model.task {
        Task::Text { dialect, reasons } => text::answer(call, model, dialect, reasons, inputs),
        Task::Embedding { .. } | Task::Rerank => once(call.app, model, inputs),
    }
}

/// Answers a request that is not a stream.
pub(super) fn once(app: &App, model: &Model, inputs: &Map<String, Value>) -> Result<Reply, Error> {
    match model.task {
        Task::Text { .. } => text::once(model, inputs).map(|value| Reply::json(&value)),
        Task::Embedding { dimensions, family } => {
            embeddings::answer(&app.embedder, model, family, dimensions, inputs)
        }
        Task::Rerank => rerank::answer(inputs),
    }
}
