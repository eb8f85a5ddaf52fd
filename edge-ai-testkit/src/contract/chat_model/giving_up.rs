use futures_util::{FutureExt, StreamExt};

use super::ChatModelSubject;
use crate::case::ensure;
use crate::{Check, Must};

pub(super) async fn a_dropped_stream_is_given_up(subject: ChatModelSubject) -> Check {
    let request = subject.ask_question();
    let mut stream = subject
        .chat
        .chat_stream(request)
        .await
        .must("`chat_stream` accepts a valid request")?;
    let first = stream.next().await.must("a stream has a first frame")?;
    first.must("the first frame of a stream that nothing disturbs is no error")?;
    drop(stream);
    nothing_open(&subject, "stream")?;
    // A stream that was never read is dropped as well.
    drop(
        subject
            .chat
            .chat_stream(subject.ask_question())
            .await
            .must("`chat_stream` accepts a valid request")?,
    );
    nothing_open(&subject, "stream")?;
    let next = subject.answer(subject.ask_question()).await?;
    ensure!(
        !next.text().trim().is_empty(),
        "dropping a stream early does the next request no harm"
    );
    Ok(())
}

pub(super) async fn a_dropped_call_is_given_up(subject: ChatModelSubject) -> Check {
    let mut call = subject.chat.chat(subject.ask_question());
    // Begun, so that the exchange is open, but not waited for.
    let _ = (&mut call).now_or_never();
    drop(call);
    nothing_open(&subject, "call")?;
    let next = subject.answer(subject.ask_question()).await?;
    ensure!(
        !next.text().trim().is_empty(),
        "dropping a call early does the next request no harm"
    );
    Ok(())
}

fn nothing_open(subject: &ChatModelSubject, what: &str) -> Check {
    let open = subject.in_flight.as_ref().map_or(0, crate::InFlight::count);
    ensure!(
        open == 0,
        "dropping a {what} gives up the exchange with the vendor, but {open} are open"
    );
    Ok(())
}
