use bytes::Bytes;
use edge_ai_core::Result;
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::batch::{Batch, RECORD, Status, Task};
use super::lines::Wrong;
use crate::jobs::envelope::{pack, unpack};
use crate::jobs::host::Host;
use crate::jobs::serve::{self, accepted, is_owner, status};
use crate::jobs::state::Failure;
use crate::jobs::storage::{Storage, get_blob, get_json, put_blob, put_json, read_json};

/// A request to a batch's object.
pub(super) fn ask(what: &str, tenant: Option<&str>, body: Bytes) -> Result<Request<Bytes>> {
    serve::ask(&format!("batch/{what}"), tenant, body)
}

/// What somebody who has a message may do; the line's body follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) batch: Batch,
    pub(super) token: u32,
    pub(super) line: Option<(u32, u32, String)>,
}

/// A sign of life.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Renewal {
    pub(super) token: u32,
    pub(super) line: Option<u32>,
}

/// Some of the lines, each with the length of its body; the bodies follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lines {
    pub(super) token: u32,
    pub(super) first: u32,
    pub(super) lines: Vec<(String, usize)>,
}

/// All lines are there, or what is wrong with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Validated {
    pub(super) token: u32,
    pub(super) outcome: std::result::Result<u32, Vec<Wrong>>,
}

/// How an attempt at a line has ended; the line for the file follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LineEnd {
    pub(super) token: u32,
    pub(super) line: u32,
    pub(super) failure: Option<Failure>,
}

/// A part of a file that is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Page {
    pub(super) errors: bool,
    pub(super) after: String,
}

/// The files are made, or could not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Finalized {
    pub(super) token: u32,
    pub(super) outcome: std::result::Result<(bool, bool), Failure>,
}

/// How many pieces of at most 1 MiB a page has.
const PAGE: usize = 6;

/// Answers what is asked of a batch's object, in one go.
pub(crate) fn serve(
    storage: &impl Storage,
    now_ms: u64,
    what: &str,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>> {
    let body = request.body();
    if what == "submit" {
        if storage.get(RECORD)?.is_none() {
            storage.put(RECORD, body)?;
        }
        return Ok(status(StatusCode::CREATED));
    }
    let Some(mut batch) = get_json::<Batch>(storage, RECORD)? else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    let owner = is_owner(request, batch.who.tenant.as_deref());
    let answer = match what {
        "take" => {
            end_lines(storage, &mut batch, now_ms)?;
            match batch.take(now_ms) {
                None => status(StatusCode::NO_CONTENT),
                Some(task) => Response::new(taken(storage, &batch, task)?),
            }
        }
        "renew" => {
            let renewal: Renewal = read_json(body)?;
            accepted(batch.renew(renewal.line, renewal.token, now_ms))
        }
        "lines" => {
            let (lines, bodies) = unpack::<Lines>(body)?;
            if batch.status != Status::Validating || !batch.holds(None, lines.token) {
                return Ok(accepted(false));
            }
            let mut at = 0;
            for (number, (custom_id, length)) in (lines.first..).zip(lines.lines) {
                let end = at + length;
                let asked = bodies.get(at..end).unwrap_or_default();
                put_blob(storage, &asks(number), &pack(&custom_id, asked)?)?;
                at = end;
            }
            accepted(true)
        }
        "validated" => {
            let validated: Validated = read_json(body)?;
            accepted(batch.validated(validated.token, validated.outcome, now_ms))
        }
        "end" => {
            let (end, line) = unpack::<LineEnd>(body)?;
            let failed = end.failure.is_some();
            let over = batch.ended(end.line, end.token, end.failure, now_ms);
            if over == Some(true) {
                put_blob(storage, &tells(failed, end.line), &line)?;
                storage.delete(&format!("{}/", asks(end.line)))?;
            }
            accepted(over.is_some())
        }
        "page" => {
            let page: Page = read_json(body)?;
            let prefix = if page.errors { "error/" } else { "output/" };
            let found = storage.list(prefix, &page.after, PAGE)?;
            let last = found.last().map(|(name, _)| name.clone());
            let bytes: Vec<u8> = found.into_iter().flat_map(|(_, bytes)| bytes).collect();
            return Ok(Response::new(pack(&last, &bytes)?));
        }
        "finalized" => {
            let finalized: Finalized = read_json(body)?;
            let counts = match finalized.outcome {
                Ok((output, errors)) => batch.finalized(finalized.token, output, errors, now_ms),
                Err(failure) => batch.phase_failed(finalized.token, failure, now_ms),
            };
            if batch.status.is_final() {
                for kept in ["ask/", "output/", "error/"] {
                    storage.delete(kept)?;
                }
            }
            accepted(counts)
        }
        _ if !owner => return Ok(status(StatusCode::NOT_FOUND)),
        "show" => Response::new(pack(&batch, b"")?),
        "cancel" => {
            let cancelled = batch.cancel(now_ms);
            let mut answer = Response::new(pack(&batch, b"")?);
            if !cancelled {
                *answer.status_mut() = StatusCode::CONFLICT;
            }
            answer
        }
        _ => status(StatusCode::BAD_REQUEST),
    };
    put_json(storage, RECORD, &batch)?;
    Ok(answer)
}

fn taken(storage: &impl Storage, batch: &Batch, task: Task) -> Result<Bytes> {
    let mut taken = Taken {
        batch: batch.without_lines(),
        token: 0,
        line: None,
    };
    match task {
        Task::Validate { token } | Task::Finalize { token } => {
            taken.token = token;
            pack(&taken, b"")
        }
        Task::Line { line, token, turn } => {
            let (custom_id, body) = unpack::<String>(&get_blob(storage, &asks(line))?.into())?;
            taken.token = token;
            taken.line = Some((line, turn, custom_id));
            pack(&taken, &body)
        }
    }
}

/// Keeps what is told of lines that ended without an answer.
fn end_lines(storage: &impl Storage, batch: &mut Batch, now_ms: u64) -> Result<()> {
    for (line, failure) in batch.tick(now_ms) {
        let asked = get_blob(storage, &asks(line))?;
        let (custom_id, _) = unpack::<String>(&asked.into())?;
        let told = told(&batch.id, line, &custom_id, None, Some(&failure));
        put_blob(storage, &tells(true, line), told.as_bytes())?;
        storage.delete(&format!("{}/", asks(line)))?;
    }
    Ok(())
}

/// A line of an output or error file, as OpenAI writes it.
pub(super) fn told(
    batch: &str,
    line: u32,
    custom_id: &str,
    response: Option<serde_json::Value>,
    failure: Option<&Failure>,
) -> String {
    let error = failure.map(|failure| json!({ "code": failure.code, "message": failure.message }));
    let id = format!("batch_req_{}_{line}", batch.trim_start_matches("batch_"));
    let mut text =
        json!({ "id": id, "custom_id": custom_id, "response": response, "error": error }).to_string();
    text.push('\n');
    text
}

fn asks(line: u32) -> String {
    format!("ask/{line:06}")
}

fn tells(errors: bool, line: u32) -> String {
    let kind = if errors { "error" } else { "output" };
    format!("{kind}/{line:06}")
}

/// A message that could not be sent is tried again after this long.
const SEND_AGAIN_MS: u64 = 5_000;

/// Does what is to be done for a batch now, and returns when it has to be looked at again; nothing for one that is forgotten.
pub(crate) async fn upkeep(storage: &impl Storage, host: &impl Host) -> Result<Option<u64>> {
    let now = host.clock().now().as_millis();
    let Some(mut batch) = get_json::<Batch>(storage, RECORD)? else {
        return Ok(None);
    };
    end_lines(storage, &mut batch, now)?;
    if batch.is_past(now) {
        storage.delete("")?;
        return Ok(None);
    }
    put_json(storage, RECORD, &batch)?;
    if batch.is_due(now) {
        if let Err(error) = host.dispatch(&batch.id).await {
            host.log(&format!("the message for {} was not sent: {error}", batch.id));
            return Ok(Some(now.saturating_add(SEND_AGAIN_MS)));
        }
        // Somebody may have taken something meanwhile.
        let Some(again) = get_json::<Batch>(storage, RECORD)? else {
            return Ok(None);
        };
        batch = again;
        if batch.is_due(now) {
            batch.dispatched(now);
            put_json(storage, RECORD, &batch)?;
        }
    }
    Ok(Some(batch.wake_at()))
}
