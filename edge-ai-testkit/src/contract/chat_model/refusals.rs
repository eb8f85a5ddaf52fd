use edge_ai_core::{ChatRequest, ContentPart, ErrorKind, Media, Message, Role};

use super::ChatModelSubject;
use super::structured;
use super::subject::weather_tool;
use crate::case::{describe, ensure, require};
use crate::contract::fails_with;
use crate::{Check, Stop};

/// A picture of one pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

pub(super) async fn an_unknown_model_is_not_found(subject: ChatModelSubject) -> Check {
    let Some(model) = &subject.unknown_model else {
        return Err(Stop::skipped("the implementation has a single model"));
    };
    let request = || {
        ChatRequest::new(model.clone())
            .user(subject.question.clone())
            .max_output_tokens(64)
    };
    fails_with(
        subject.chat.chat(request()).await,
        ErrorKind::NotFound,
        "an unknown model is not found by `chat`",
    )?;
    let stream = subject.chat.chat_stream(request()).await;
    fails_with(
        stream,
        ErrorKind::NotFound,
        "an unknown model is not found by `chat_stream`, before any frame",
    )
}

pub(super) async fn no_messages_are_an_invalid_request(subject: ChatModelSubject) -> Check {
    let request = || ChatRequest::new(subject.model.clone()).max_output_tokens(64);
    let kind = ErrorKind::InvalidRequest;
    fails_with(
        subject.chat.chat(request()).await,
        kind,
        "a request without messages is refused by `chat`",
    )?;
    fails_with(
        subject.chat.chat_stream(request()).await,
        kind,
        "a request without messages is refused by `chat_stream`",
    )
}

pub(super) async fn tools_are_refused_by_a_model_without_them(subject: ChatModelSubject) -> Check {
    require!(!subject.capabilities.tools, "the model calls tools");
    refused(
        &subject,
        subject.ask(subject.tool_question.clone()).tool(weather_tool()?),
        "tools",
    )
    .await
}

pub(super) async fn an_image_is_refused_by_a_model_that_sees_none(subject: ChatModelSubject) -> Check {
    require!(!subject.capabilities.vision, "the model sees images");
    let picture = match Media::from_url(PIXEL) {
        media @ Media::Base64 { .. } => ContentPart::image_url(media.to_url().unwrap_or_default()),
        _ => return Err(Stop::failed("the picture of the suite is inline")),
    };
    let parts = vec![ContentPart::text("What is in the picture?"), picture];
    let request = ChatRequest::new(subject.model.clone())
        .message(Message::new(Role::User, parts))
        .max_output_tokens(64);
    refused(&subject, request, "an image").await
}

pub(super) async fn a_schema_is_refused_by_a_model_without_them(subject: ChatModelSubject) -> Check {
    require!(!subject.capabilities.json_schema, "the model takes schemas");
    refused(&subject, structured::ask(&subject)?, "a schema").await
}

/// What a model cannot do is refused, whole and streamed, and never dropped.
async fn refused(subject: &ChatModelSubject, request: ChatRequest, what: &str) -> Check {
    let whole = subject.chat.chat(request.clone()).await.map(drop);
    let streamed = subject.chat.chat_stream(request).await.map(drop);
    for (method, answer) in [("chat", whole), ("chat_stream", streamed)] {
        let Err(error) = answer else {
            return Err(Stop::failed(format!(
                "{what} that the model cannot use is refused by `{method}`, not dropped silently"
            )));
        };
        let named = matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidRequest);
        ensure!(
            named,
            "{what} that the model cannot use is `Unsupported` or the vendor's refusal, not {}",
            describe(&error)
        );
    }
    Ok(())
}
