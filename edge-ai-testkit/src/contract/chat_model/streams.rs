use edge_ai_core::{ChatAccumulator, ChatEvent};
use futures_util::StreamExt;
use futures_util::future::join;

use super::{ChatModelSubject, text::check_usage};
use crate::case::ensure;
use crate::{Check, Must, Stop};

pub(super) async fn the_last_event_is_done(subject: ChatModelSubject) -> Check {
    let request = subject.ask_question();
    let mut stream = subject
        .chat
        .chat_stream(request)
        .await
        .must("`chat_stream` accepts a valid request")?;
    let mut events = Vec::new();
    while let Some(frame) = stream.next().await {
        events.extend(frame.must("a stream that nothing disturbs has no error")?.events);
    }
    ensure!(
        events.last() == Some(&ChatEvent::Done),
        "the last event of a stream is `Done`, not {:?}",
        events.last()
    );
    let ends = events.iter().filter(|event| **event == ChatEvent::Done).count();
    ensure!(ends == 1, "`Done` comes once, not {ends} times");
    let starts = events
        .iter()
        .filter(|event| matches!(event, ChatEvent::Start(_)))
        .count();
    ensure!(starts <= 1, "an answer begins once, not {starts} times");
    ensure!(stream.next().await.is_none(), "nothing follows the end");
    Ok(())
}

pub(super) async fn a_stream_accumulates_to_the_answer(subject: ChatModelSubject) -> Check {
    let whole = subject.answer(subject.ask_question()).await?;
    let streamed = subject.streamed(subject.ask_question()).await?;
    ensure!(
        !streamed.text().trim().is_empty(),
        "a question is answered with text"
    );
    let (a, b) = (&streamed.finish_reason, &whole.finish_reason);
    ensure!(
        a == b,
        "a stream ends for the same reason as `chat`: {a:?} is not {b:?}"
    );
    if subject.deterministic {
        let (a, b) = (streamed.text(), whole.text());
        ensure!(
            a == b,
            "a stream accumulates to what `chat` answers: `{a}` is not `{b}`"
        );
    }
    Ok(())
}

pub(super) async fn a_stream_tells_its_usage(subject: ChatModelSubject) -> Check {
    if !subject.reports_usage {
        return Err(Stop::skipped("the vendor does not say what an answer took"));
    }
    let streamed = subject
        .streamed(subject.ask_question())
        .await?
        .usage
        .must("a stream tells its usage")?;
    check_usage(&streamed)?;
    if subject.deterministic {
        let whole = subject.answer(subject.ask_question()).await?.usage;
        ensure!(
            whole == Some(streamed),
            "a stream takes what `chat` takes: {streamed:?} is not {whole:?}"
        );
    }
    Ok(())
}

pub(super) async fn streams_do_not_touch_each_other(subject: ChatModelSubject) -> Check {
    let other = subject.ask("The color of the sky is blue. What is the color of the sky?");
    let alone = (
        subject.streamed(subject.ask_question()).await?,
        subject.streamed(other.clone()).await?,
    );
    let open = join(
        subject.chat.chat_stream(subject.ask_question()),
        subject.chat.chat_stream(other),
    )
    .await;
    let mut first = open.0.must("`chat_stream` accepts a valid request")?;
    let mut second = open.1.must("`chat_stream` accepts a valid request")?;
    let mut heard = [ChatAccumulator::default(), ChatAccumulator::default()];
    // Read in turns: what one stream says must not show in the other.
    while !heard.iter().all(ChatAccumulator::is_complete) {
        for (stream, accumulator) in [&mut first, &mut second].into_iter().zip(&mut heard) {
            if let Some(frame) = stream.next().await {
                frame
                    .must("a stream comes to its end")?
                    .events
                    .into_iter()
                    .for_each(|event| accumulator.push(event));
            }
        }
    }
    let [first, second] = heard.map(ChatAccumulator::finish);
    if subject.deterministic {
        let same = alone.0.text() == first.text() && alone.1.text() == second.text();
        ensure!(same, "two streams at once are each what they are alone");
    }
    Ok(())
}
