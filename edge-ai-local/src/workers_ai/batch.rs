//! Asynchronous batches: `queueRequest`, then polling by `request_id`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::catalog::Model;
use super::error::Error;
use super::run;
use crate::app::App;
use crate::call::Call;
use crate::id;
use crate::reply::{Payload, Reply};

/// Batches kept.
const KEPT: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Batches {
    kept: Mutex<VecDeque<Batch>>,
}

#[derive(Debug)]
struct Batch {
    id: String,
    ready_ms: u64,
    answer: Value,
}

impl Batches {
    /// Takes a batch; its answers can be fetched after the time that a write takes to become visible.
    pub(super) fn start(&self, call: &Call<'_>, model: &Model, requests: &[Value]) -> Reply {
        let id = id::uuid(call.number, "workers-ai batch");
        let responses: Vec<Value> = requests
            .iter()
            .enumerate()
            .map(|(at, request)| one(call.app, model, at, request))
            .collect();
        let ready_ms = call.app.clock.unix_ms() + call.app.config.visible_after.as_millis() as u64;
        let answer = json!({ "responses": responses, "usage": { "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 } });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Batch {
            id: id.clone(),
            ready_ms,
            answer,
        });
        Reply::json(&json!({ "status": "queued", "model": model.id, "request_id": id }))
    }

    pub(super) fn poll(&self, id: &str, now_ms: u64) -> Result<Reply, Error> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.iter().find(|batch| batch.id == id) {
            None => Err(Error::input(format!("no batch has the request_id {id:?}"))),
            Some(batch) if batch.ready_ms > now_ms => {
                Ok(Reply::json(&json!({ "status": "running", "request_id": id })))
            }
            Some(batch) => Ok(Reply::json(&batch.answer)),
        }
    }
}

fn one(app: &App, model: &Model, at: usize, request: &Value) -> Value {
    let empty = Map::new();
    let reply = run::once(app, model, request.as_object().unwrap_or(&empty));
    let success = reply.is_ok();
    let result = match reply.unwrap_or_else(Reply::from).payload {
        Payload::Whole { bytes, .. } => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        Payload::Frames(_) => Value::Null,
    };
    json!({ "id": at, "result": result, "success": success, "external_reference": request.get("external_reference") })
}
