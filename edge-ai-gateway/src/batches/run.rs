use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Background, Clock, Error, ErrorKind, Result, Timestamp};
use futures_util::StreamExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::batch::{Batch, Status};
use super::files::{Meta, key};
use super::lines::{Wrong, read_lines};
use super::object::{Finalized, LineEnd, Lines, Page, Renewal, Taken, Validated, ask, told};
use super::surface::Batches;
use crate::gateway::{Gateway, Queued};
use crate::jobs::envelope::{pack, unpack};
use crate::jobs::record::AnswerHead;
use crate::jobs::run::{collect, failure_of, refused};
use crate::jobs::state::Failure;
use crate::jobs::storage::write_json;
use crate::jobs::ticket::Ticket;
use crate::jobs::{JobObjects, LongWork, Progress};
use crate::surface::Client;

/// After this long a worker begins nothing new: the queue gives it 15 minutes in all.
const SHIFT: Duration = Duration::from_secs(5 * 60);

/// How long an attempt at a line may take, so that it ends before its worker does.
const MAX_LINE: Duration = Duration::from_secs(8 * 60);

/// Works on a batch: several lines at once, until there is nothing to do for now.
///
/// # Errors
/// When its object cannot be reached: the message is to be delivered again.
pub(super) async fn run(
    work: &LongWork,
    batches: &Batches,
    gateway: &Gateway,
    id: &str,
    background: Arc<dyn Background>,
) -> Result<()> {
    let worker = Worker {
        work,
        batches,
        gateway,
        id,
        background,
        clock: gateway.clock(),
    };
    let began = worker.clock.now();
    let outcomes = join_all((0..batches.at_once).map(|_| worker.work(began))).await;
    outcomes.into_iter().collect()
}

struct Worker<'a> {
    work: &'a LongWork,
    batches: &'a Batches,
    gateway: &'a Gateway,
    id: &'a str,
    background: Arc<dyn Background>,
    clock: Arc<dyn Clock>,
}

impl Worker<'_> {
    async fn work(&self, began: Timestamp) -> Result<()> {
        while self.clock.now().since(began) < SHIFT {
            let response = self
                .objects()
                .ask(self.id, ask("take", None, Bytes::new())?)
                .await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => return Ok(()),
                status => {
                    let message = format!("the batch's object answered {status}");
                    return Err(Error::new(ErrorKind::Unavailable, message));
                }
            }
            let (taken, body) = unpack::<Taken>(response.body())?;
            match (&taken.line, taken.batch.status) {
                (Some((line, turn, custom_id)), _) => {
                    self.line(&taken, *line, *turn, custom_id, body).await?;
                }
                (None, Status::Validating) => {
                    let phase = self.validate(&taken.batch, taken.token);
                    self.held(&taken, phase).await?;
                }
                (None, _) => {
                    let phase = self.finalize(&taken.batch, taken.token);
                    self.held(&taken, phase).await?;
                }
            }
        }
        Ok(())
    }

    fn objects(&self) -> &dyn JobObjects {
        &*self.work.objects
    }

    async fn tell(&self, what: &str, body: Bytes) -> Result<Response<Bytes>> {
        let mut tries = 0;
        loop {
            match self.objects().ask(self.id, ask(what, None, body.clone())?).await {
                Err(error) if tries >= 4 => return Err(error),
                Err(_) => {
                    tries += 1;
                    self.clock.sleep(Duration::from_secs(1 << tries)).await;
                }
                answered => return answered,
            }
        }
    }

    async fn tell_json(&self, what: &str, value: &(impl Serialize + Sync)) -> Result<bool> {
        let answered = self.tell(what, write_json(value)?.into()).await?;
        Ok(answered.status().is_success())
    }

    /// Works on a phase while it is wanted.
    async fn held(&self, taken: &Taken, phase: impl Future<Output = Result<()>> + Send) -> Result<()> {
        match select(pin!(phase), pin!(self.stay(taken, None))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Ok(()),
        }
    }

    async fn validate(&self, batch: &Batch, token: u32) -> Result<()> {
        let checked = self.read(batch).await;
        let lines = match checked {
            Ok(Ok(lines)) => lines,
            Ok(Err(wrongs)) => {
                let outcome = Err(wrongs);
                self.tell_json("validated", &Validated { token, outcome }).await?;
                return Ok(());
            }
            Err(error) => {
                let outcome = Err(failure_of(&error));
                self.tell_json("finalized", &Finalized { token, outcome }).await?;
                return Ok(());
            }
        };
        let total = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let (mut pack_of, mut bodies, mut first) = (Vec::new(), Vec::new(), 0);
        for line in lines {
            pack_of.push((line.custom_id, line.body.len()));
            bodies.extend_from_slice(&line.body);
            if bodies.len() >= PACK || pack_of.len() >= 1_000 {
                first = self.hand_over(token, first, &mut pack_of, &mut bodies).await?;
            }
        }
        self.hand_over(token, first, &mut pack_of, &mut bodies).await?;
        let outcome = Ok(total);
        self.tell_json("validated", &Validated { token, outcome }).await?;
        Ok(())
    }

    async fn hand_over(
        &self,
        token: u32,
        first: u32,
        lines: &mut Vec<(String, usize)>,
        bodies: &mut Vec<u8>,
    ) -> Result<u32> {
        let lines = std::mem::take(lines);
        let next = first.saturating_add(u32::try_from(lines.len()).unwrap_or(u32::MAX));
        let packed = pack(&Lines { token, first, lines }, &std::mem::take(bodies))?;
        self.tell("lines", packed).await?;
        Ok(next)
    }

    async fn read(&self, batch: &Batch) -> Result<std::result::Result<Vec<super::lines::Line>, Vec<Wrong>>> {
        let input = key("files", batch.who.tenant.as_deref(), &batch.input_file_id);
        let Some((_, body)) = self.batches.files.get(&input).await? else {
            let message = format!("the input file `{}` is not there any more", batch.input_file_id);
            return Ok(Err(vec![Wrong::new("file_not_found", message)]));
        };
        let file = body.bytes(self.batches.max_file).await?;
        let principal = batch.who.principal();
        let client = Client::at(&batch.endpoint);
        let operation = super::surface::operation(&batch.endpoint);
        let max_body = self.gateway.max_body;
        Ok(read_lines(&file, &batch.endpoint, |body| {
            if body.len() > max_body {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("the body is over the limit of {max_body} bytes"),
                ));
            }
            if is_streamed(body) {
                return Err(Error::invalid("stream", "a request of a batch is not streamed"));
            }
            self.gateway
                .check_request(client, operation, body, &principal)
                .map(drop)
        }))
    }

    async fn line(&self, taken: &Taken, line: u32, turn: u32, custom_id: &str, body: Bytes) -> Result<()> {
        let attempt = self.attempt(taken, line, turn, body);
        let watching = self.stay(taken, Some(line));
        let (head, answer, failure) = match select(pin!(attempt), pin!(watching)).await {
            Either::Left((ended, _)) => ended,
            Either::Right((None, _)) => return Ok(()),
            Either::Right((Some(failure), _)) => (None, Bytes::new(), Some(failure)),
        };
        let response = head.map(|head| {
            let body = serde_json::from_slice(&answer).unwrap_or(Value::Null);
            json!({ "status_code": head.status, "request_id": head.request_id, "body": body })
        });
        let error = failure.as_ref().filter(|_| response.is_none());
        let text = told(self.id, line, custom_id, response, error);
        let end = LineEnd {
            token: taken.token,
            line,
            failure,
        };
        self.tell("end", pack(&end, text.as_bytes())?).await.map(drop)
    }

    async fn attempt(
        &self,
        taken: &Taken,
        line: u32,
        turn: u32,
        body: Bytes,
    ) -> (Option<AnswerHead>, Bytes, Option<Failure>) {
        let progress = Arc::new(Progress::default());
        let queued = Queued {
            labels: vec![("batch_id", self.id.to_owned())],
            address: None,
            progress: Arc::clone(&progress),
            idempotency_key: format!("{}-{line}-{turn}", self.id),
        };
        let answered = async {
            let ticket = Ticket::json(&taken.batch.endpoint, taken.batch.who.clone());
            let principal = Arc::new(ticket.who.principal());
            let background = Arc::clone(&self.background);
            let response = self
                .gateway
                .handle_queued(ticket.head()?, body, principal, queued, background);
            collect(response.await, self.work.max_answer).await
        };
        match answered.await {
            Ok((head, answer)) => {
                let failure = progress.failure().map(|error| failure_of(&error));
                let failure = failure.or_else(|| refused(&head));
                (Some(head), answer, failure)
            }
            Err(error) => (None, Bytes::new(), Some(failure_of(&error))),
        }
    }

    async fn stay(&self, taken: &Taken, line: Option<u32>) -> Option<Failure> {
        let every = Duration::from_millis(taken.batch.policy.lease_ms / 3);
        let began = self.clock.now();
        let renewal = Renewal {
            token: taken.token,
            line,
        };
        loop {
            self.clock.sleep(every).await;
            if self.clock.now().since(began) >= MAX_LINE {
                let message = format!("the request took longer than {} s", MAX_LINE.as_secs());
                return Some(Failure::new("request_timeout", message));
            }
            let renewed = async {
                let request = ask("renew", None, write_json(&renewal)?.into())?;
                self.objects().ask(self.id, request).await
            };
            if let Ok(StatusCode::CONFLICT | StatusCode::NOT_FOUND) =
                renewed.await.map(|answer| answer.status())
            {
                return None;
            }
        }
    }

    async fn finalize(&self, batch: &Batch, token: u32) -> Result<()> {
        let made = async {
            let output = self.make(batch, false, &batch.file_ids.0).await?;
            let errors = self.make(batch, true, &batch.file_ids.1).await?;
            Ok((output, errors))
        };
        let outcome = made.await.map_err(|error: Error| failure_of(&error));
        self.tell_json("finalized", &Finalized { token, outcome })
            .await
            .map(drop)
    }

    /// Makes a file of what the object keeps, if there is anything.
    async fn make(&self, batch: &Batch, errors: bool, id: &str) -> Result<bool> {
        let objects = Arc::clone(&self.work.objects);
        let first = page(&*objects, self.id, errors, String::new()).await?;
        if first.1.is_empty() {
            return Ok(false);
        }
        let kind = if errors { "error" } else { "output" };
        let meta = Meta {
            filename: format!("{}_{kind}.jsonl", batch.id),
            purpose: "batch_output".to_owned(),
            created_at: self.clock.now().as_secs(),
        };
        let meta = String::from_utf8_lossy(&write_json(&meta)?).into_owned();
        let key = key("files", batch.who.tenant.as_deref(), id);
        let batch = self.id.to_owned();
        // Page by page: a file may be larger than a Worker's memory.
        let pieces = stream::unfold(Some(first), move |page_before| {
            let (objects, batch) = (Arc::clone(&objects), batch.clone());
            async move {
                let (after, bytes) = page_before?;
                let next = match after {
                    Some(after) => page(&*objects, &batch, errors, after).await,
                    None => return (!bytes.is_empty()).then_some((Ok(bytes), None)),
                };
                match next {
                    Ok(next) => Some((Ok(bytes), Some(next))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed();
        self.batches.files.put(&key, &meta, pieces).await?;
        Ok(true)
    }
}

async fn page(
    objects: &dyn JobObjects,
    id: &str,
    errors: bool,
    after: String,
) -> Result<(Option<String>, Bytes)> {
    let request = ask("page", None, write_json(&Page { errors, after })?.into())?;
    unpack(objects.ask(id, request).await?.body())
}

/// How many bytes of lines are handed over at once.
const PACK: usize = 4 << 20;

fn is_streamed(body: &Bytes) -> bool {
    #[derive(serde::Deserialize)]
    struct Asked<'a> {
        #[serde(borrow)]
        stream: Option<&'a RawValue>,
    }
    serde_json::from_slice::<Asked<'_>>(body)
        .is_ok_and(|asked| asked.stream.is_some_and(|raw| raw.get() == "true"))
}
