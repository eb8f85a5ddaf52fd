use std::time::Duration;

use edge_ai_core::{ChatEvent, Error, ErrorKind};
use futures_util::StreamExt;

use super::{ChatModelSubject, Fault};
use crate::case::{describe, ensure, require};
use crate::contract::fails_with;
use crate::{Check, Must, Stop};

pub(super) async fn a_rate_limit_tells_when_to_come_back(subject: ChatModelSubject) -> Check {
    let answer = subject.chat.chat(subject.ask_for(Fault::RateLimited)?).await;
    check_rate_limit(answer.err(), "chat")
}

pub(super) async fn a_rate_limited_stream_fails_at_the_call(subject: ChatModelSubject) -> Check {
    let answer = subject
        .chat
        .chat_stream(subject.ask_for(Fault::RateLimited)?)
        .await;
    check_rate_limit(answer.err(), "chat_stream")
}

fn check_rate_limit(error: Option<Error>, method: &str) -> Check {
    let error = error.must("a request over the vendor's limit fails at the call")?;
    let kind = error.kind();
    ensure!(
        kind == ErrorKind::RateLimited,
        "429 is `RateLimited` from `{method}`, not {}",
        describe(&error)
    );
    ensure!(error.is_retryable(), "a rate limit may be retried");
    ensure!(
        error.status() == 429,
        "the vendor's status is kept: 429, not {}",
        error.status()
    );
    // A binding hands on no headers, so a wait may be unknown, but never another one.
    let wait = error.retry_after();
    ensure!(
        wait.is_none_or(|wait| wait == Duration::from_secs(2)),
        "the vendor's retry-after is kept: 2 s, not {wait:?}"
    );
    Ok(())
}

pub(super) async fn a_failing_vendor_may_be_retried(subject: ChatModelSubject) -> Check {
    let answer = subject.chat.chat(subject.ask_for(Fault::ServerError)?).await;
    let error = answer.err().must("a vendor's failure is an error of the call")?;
    let kind = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::BadUpstream);
    ensure!(
        kind,
        "500 is `Unavailable` or `BadUpstream`, not {}",
        describe(&error)
    );
    ensure!(error.is_retryable(), "a vendor's failure may be retried");
    Ok(())
}

pub(super) async fn a_wrong_key_is_an_authentication_error(subject: ChatModelSubject) -> Check {
    require!(subject.has_key, "the vendor is reached without a key");
    let answer = subject.chat.chat(subject.ask_for(Fault::Unauthorized)?).await;
    let error = answer.as_ref().err().cloned();
    fails_with(
        answer,
        ErrorKind::Authentication,
        "401 is an authentication error",
    )?;
    ensure!(
        error.is_some_and(|error| !error.is_retryable()),
        "a wrong key is not retried"
    );
    Ok(())
}

pub(super) async fn a_cut_stream_is_interrupted(subject: ChatModelSubject) -> Check {
    let kind = broken(&subject, Fault::Cut).await?;
    ensure!(
        kind == ErrorKind::Interrupted,
        "a stream whose connection breaks is `Interrupted`, not {kind}"
    );
    Ok(())
}

pub(super) async fn a_stream_without_its_end_mark_is_interrupted(subject: ChatModelSubject) -> Check {
    let kind = broken(&subject, Fault::EndWithoutMark).await?;
    ensure!(
        kind == ErrorKind::Interrupted,
        "a stream that ends without its mark is `Interrupted`, not {kind}"
    );
    Ok(())
}

pub(super) async fn an_error_within_a_stream_ends_it(subject: ChatModelSubject) -> Check {
    broken(&subject, Fault::ErrorEvent).await.map(drop)
}

pub(super) async fn a_malformed_frame_is_a_bad_upstream(subject: ChatModelSubject) -> Check {
    let kind = broken(&subject, Fault::MalformedFrame).await?;
    ensure!(
        kind == ErrorKind::BadUpstream,
        "a frame that is not JSON is a `BadUpstream`, not {kind}"
    );
    Ok(())
}

pub(super) async fn an_answer_that_is_none_is_a_bad_upstream(subject: ChatModelSubject) -> Check {
    let answer = subject.chat.chat(subject.ask_for(Fault::NotAnAnswer)?).await;
    fails_with(
        answer,
        ErrorKind::BadUpstream,
        "a 200 that is no answer is a bad upstream",
    )
}

/// Reads a stream that breaks, and tells with which kind of error it ended.
async fn broken(subject: &ChatModelSubject, fault: Fault) -> Result<ErrorKind, Stop> {
    let request = subject.ask_for(fault)?;
    let mut stream = subject
        .chat
        .chat_stream(request)
        .await
        .must("a stream that breaks later is accepted")?;
    while let Some(item) = stream.next().await {
        match item {
            Ok(frame) => {
                let done = frame.events.contains(&ChatEvent::Done);
                ensure!(
                    !done,
                    "a stream that breaks ({fault:?}) is never complete, but it said `Done`"
                );
            }
            Err(error) => {
                ensure!(stream.next().await.is_none(), "nothing follows an error");
                return Ok(error.kind());
            }
        }
    }
    Err(Stop::failed(format!(
        "a stream that breaks ({fault:?}) ends with an error, not as if it were complete"
    )))
}
