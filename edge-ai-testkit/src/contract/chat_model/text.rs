use edge_ai_core::{ContentPart, ErrorKind, FinishReason, Usage};
use futures_util::future::join;

use super::ChatModelSubject;
use crate::case::{describe, ensure};
use crate::{Check, Must, Stop};

pub(super) async fn a_question_is_answered_with_text(subject: ChatModelSubject) -> Check {
    let output = subject.answer(subject.ask_question()).await?;
    ensure!(
        !output.text().trim().is_empty(),
        "a question is answered with text, not with {:?}",
        output.content
    );
    let called = output
        .content
        .iter()
        .any(|part| matches!(part, ContentPart::ToolCall(_)));
    ensure!(!called, "no tool is called that was not declared");
    Ok(())
}

pub(super) async fn a_conversation_goes_on(subject: ChatModelSubject) -> Check {
    let request = subject.ask_question();
    let first = subject.answer(request.clone()).await?;
    let next = request
        .message(first.to_message())
        .user("Thank you. Now say it once more, please.");
    let output = subject.answer(next).await?;
    ensure!(
        !output.text().trim().is_empty(),
        "an answer is taken back as the assistant's turn, and the talk goes on"
    );
    let system = subject.ask_question();
    let instructed = edge_ai_core::ChatRequest::new(system.model.clone())
        .system("Answer in one sentence.")
        .user(subject.question.clone())
        .max_output_tokens(512);
    ensure!(
        !subject.answer(instructed).await?.text().trim().is_empty(),
        "instructions are taken"
    );
    Ok(())
}

pub(super) async fn a_simple_answer_stops_by_itself(subject: ChatModelSubject) -> Check {
    let reason = subject.answer(subject.ask_question()).await?.finish_reason;
    ensure!(
        reason == FinishReason::Stop,
        "a model that has said everything stops with `Stop`, not {reason:?}"
    );
    Ok(())
}

pub(super) async fn the_answer_names_its_model(subject: ChatModelSubject) -> Check {
    let whole = subject.answer(subject.ask_question()).await?.model;
    ensure!(!whole.is_empty(), "an answer names the model that gave it");
    let streamed = subject.streamed(subject.ask_question()).await?.model;
    ensure!(
        streamed == whole,
        "a streamed answer names the same model: `{streamed}` is not `{whole}`"
    );
    Ok(())
}

pub(super) async fn usage_is_told_and_consistent(subject: ChatModelSubject) -> Check {
    if !subject.reports_usage {
        return Err(Stop::skipped("the vendor does not say what an answer took"));
    }
    let usage = subject
        .answer(subject.ask_question())
        .await?
        .usage
        .must("an answer tells its usage")?;
    check_usage(&usage)?;
    let longer = subject.ask(format!(
        "{} {}",
        "More words to be read first. ".repeat(20),
        subject.question
    ));
    let more = subject
        .answer(longer)
        .await?
        .usage
        .must("an answer tells its usage")?;
    let (few, many) = (usage.input_tokens, more.input_tokens);
    ensure!(
        many > few,
        "a longer question takes more input tokens, not {many} after {few}"
    );
    Ok(())
}

pub(super) fn check_usage(usage: &Usage) -> Check {
    ensure!(
        usage.input_tokens > 0,
        "a question that was read took input tokens"
    );
    ensure!(
        usage.output_tokens > 0,
        "an answer that was written took output tokens"
    );
    let cached = usage.cache_read_tokens + usage.cache_write_tokens;
    ensure!(
        cached <= usage.input_tokens,
        "cached tokens are contained in the input: {usage:?}"
    );
    ensure!(
        usage.reasoning_tokens <= usage.output_tokens,
        "reasoning tokens are contained in the output: {usage:?}"
    );
    Ok(())
}

pub(super) async fn the_output_stays_within_its_limit(subject: ChatModelSubject) -> Check {
    let whole = subject.answer(subject.ask_question()).await?;
    let needed = whole
        .usage
        .and_then(|usage| u32::try_from(usage.output_tokens).ok());
    // One token less than the answer needs; three where that is not known.
    let limit = needed.map_or(3, |needed| needed.saturating_sub(1).max(1));
    let output = subject
        .answer(subject.ask_question().max_output_tokens(limit))
        .await?;
    let written = output.usage.map(|usage| usage.output_tokens);
    ensure!(
        written.is_none_or(|written| written <= u64::from(limit)),
        "a limit of {limit} tokens holds, not {written:?}"
    );
    if subject.deterministic && whole.text() != output.text() {
        let reason = output.finish_reason;
        ensure!(
            reason == FinishReason::Length,
            "an answer that was cut short says `Length`, not {reason:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_stop_text_ends_the_answer_or_is_refused(subject: ChatModelSubject) -> Check {
    if !subject.deterministic {
        return Err(Stop::skipped("the answer that is to be stopped cannot be known"));
    }
    let whole = subject.answer(subject.ask_question()).await?.text();
    let Some(stop) = whole.split_whitespace().nth(1) else {
        return Err(Stop::skipped("the answer has a single word"));
    };
    let mut request = subject.ask_question();
    request.input.edit().stop = vec![stop.to_owned()];
    match subject.chat.chat(request).await {
        Ok(output) => {
            let text = output.text();
            ensure!(
                !text.contains(stop),
                "a stop text is not dropped silently: `{stop}` is still in `{text}`"
            );
            ensure!(
                whole.starts_with(text.trim_end()),
                "an answer that is stopped is the beginning of the whole one"
            );
        }
        Err(error) => {
            let refused = matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidRequest);
            ensure!(
                refused,
                "what the model cannot do is refused, but it failed: {}",
                describe(&error)
            );
        }
    }
    Ok(())
}

pub(super) async fn requests_do_not_touch_each_other(subject: ChatModelSubject) -> Check {
    let other = subject.ask("The color of the sky is blue. What is the color of the sky?");
    let alone = (
        subject.answer(subject.ask_question()).await?,
        subject.answer(other.clone()).await?,
    );
    let (first, second) = join(subject.answer(subject.ask_question()), subject.answer(other)).await;
    let together = (first?, second?);
    if subject.deterministic {
        let same = alone.0.text() == together.0.text() && alone.1.text() == together.1.text();
        ensure!(same, "two requests at once are answered as each is alone");
    }
    Ok(())
}
