use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Background, Body, Clock, Error, ErrorKind, Result};
use futures_util::future::{Either, select};
use http::{Response, StatusCode};

use super::envelope::{pack, unpack};
use super::record::{AnswerHead, Ending, Renewal, Taken};
use super::serve::ask;
use super::state::Failure;
use super::storage::write_json;
use super::work::LongWork;
use super::{JobObjects, Progress};
use crate::gateway::{Gateway, Queued};

/// How often the end of an attempt is told until somebody has heard it: it has been paid for.
const TOLD: u32 = 5;

/// Works on a job, if there is something to do.
///
/// # Errors
/// When its object cannot be reached: the message is to be delivered again.
pub(super) async fn run(
    work: &LongWork,
    gateway: &Gateway,
    id: &str,
    background: Arc<dyn Background>,
) -> Result<()> {
    let response = work.objects.ask(id, ask("take", None, Bytes::new())?).await?;
    match response.status() {
        StatusCode::OK => {}
        // Another one has it, or it is over or forgotten.
        StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => return Ok(()),
        status => {
            let message = format!("the job's object answered {status}");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
    }
    let (taken, body) = unpack::<Taken>(response.body())?;
    drop(response);
    let progress = Arc::new(Progress::default());
    let queued = Queued {
        labels: vec![("job_id", id.to_owned())],
        address: taken.ticket.address,
        progress: Arc::clone(&progress),
        idempotency_key: format!("{id}-{}", taken.turn),
    };
    let clock = gateway.clock();
    let attempt = attempt(work, gateway, &taken, body, queued, background);
    let watching = stay(work, &*clock, id, &taken, &progress);
    let (ending, answer) = match select(pin!(attempt), pin!(watching)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((None, _)) => return Ok(()),
        Either::Right((Some(failure), _)) => (ending(&taken, &progress, None, Some(failure)), Bytes::new()),
    };
    tell(work, &*clock, id, pack(&ending, &answer)?).await
}

/// One way through the gateway.
async fn attempt(
    work: &LongWork,
    gateway: &Gateway,
    taken: &Taken,
    body: Bytes,
    queued: Queued,
    background: Arc<dyn Background>,
) -> (Ending, Bytes) {
    let progress = Arc::clone(&queued.progress);
    let answered = async {
        let head = taken.ticket.head()?;
        let principal = Arc::new(taken.ticket.who.principal());
        let response = gateway
            .handle_queued(head, body, principal, queued, background)
            .await;
        collect(response, work.max_answer).await
    };
    match answered.await {
        Ok((head, answer)) => {
            let failure = progress
                .failure()
                .map(|error| failure_of(&error))
                .or_else(|| refused(&head));
            (ending(taken, &progress, Some(head), failure), answer)
        }
        Err(error) => (
            ending(taken, &progress, None, Some(failure_of(&error))),
            Bytes::new(),
        ),
    }
}

fn ending(
    taken: &Taken,
    progress: &Progress,
    answer: Option<AnswerHead>,
    failure: Option<Failure>,
) -> Ending {
    Ending {
        token: taken.token,
        output_tokens: progress.output_tokens(),
        answer,
        failure,
    }
}

pub(crate) async fn collect(response: Response<Body>, most: usize) -> Result<(AnswerHead, Bytes)> {
    let (parts, body) = response.into_parts();
    let text = |name: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let head = AnswerHead {
        status: parts.status.as_u16(),
        content_type: text("content-type"),
        request_id: text("x-request-id"),
    };
    let body = body.bytes(most).await.map_err(|error| match error.kind() {
        ErrorKind::TooLarge => {
            let message = format!("the answer is over the {most} bytes that are kept of a job");
            Error::new(ErrorKind::TooLarge, message).with_code("answer_too_large")
        }
        _ => error,
    })?;
    Ok((head, body))
}

pub(crate) fn failure_of(error: &Error) -> Failure {
    let wait = error
        .retry_after()
        .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    Failure {
        code: error.code().unwrap_or(error.kind().as_str()).to_owned(),
        // What the operator may know and the client may not is in the usage record.
        message: crate::surface::for_client(error).to_string(),
        retryable: error.is_retryable(),
        retry_after_ms: wait,
    }
}

/// A refusal that came before anything was recorded.
pub(crate) fn refused(head: &AnswerHead) -> Option<Failure> {
    (head.status >= 400).then(|| Failure {
        retryable: head.status == 429 || head.status >= 500,
        ..Failure::new("refused", format!("the gateway answered {}", head.status))
    })
}

/// Gives signs of life until the work is not wanted any more, or has taken too long: then with a failure.
async fn stay(
    work: &LongWork,
    clock: &dyn Clock,
    id: &str,
    taken: &Taken,
    progress: &Progress,
) -> Option<Failure> {
    let every = Duration::from_millis(taken.lease_ms / 3);
    let began = clock.now();
    loop {
        clock.sleep(every).await;
        if clock.now().since(began) >= work.max_run {
            let message = format!(
                "the attempt took longer than the {} s that it may; ask for less, or stream it to yourself",
                work.max_run.as_secs()
            );
            return Some(Failure::new("job_too_long", message));
        }
        let renewal = Renewal {
            token: taken.token,
            output_tokens: progress.output_tokens(),
        };
        // An object that cannot be reached now may be the next time, and if not, the attempt counts as lost.
        if let Ok(false) = renew(&*work.objects, id, renewal).await {
            return None;
        }
    }
}

async fn renew(objects: &dyn JobObjects, id: &str, renewal: Renewal) -> Result<bool> {
    let request = ask("renew", None, write_json(&renewal)?.into())?;
    let status = objects.ask(id, request).await?.status();
    Ok(status != StatusCode::CONFLICT && status != StatusCode::NOT_FOUND)
}

/// Tells how an attempt has ended.
async fn tell(work: &LongWork, clock: &dyn Clock, id: &str, ending: Bytes) -> Result<()> {
    let mut told = 0;
    loop {
        match work.objects.ask(id, ask("end", None, ending.clone())?).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                told += 1;
                if told >= TOLD {
                    return Err(error);
                }
                clock.sleep(Duration::from_secs(1 << told)).await;
            }
        }
    }
}
