use bytes::Bytes;
use edge_ai_core::{
    ChatOutput, ChatResponse, ContentPart, Error, ErrorKind, FinishReason, Result, Usage, Verbatim,
};
use serde::de::IgnoredAny;

use super::call::WireCall;
use super::{TEXT, TextExchange, error, usage};
use crate::openai;
use crate::wire::{Fields, Path, elements, read};

/// Reads the answer of a model of text generation, in Workers AI's own shape or in OpenAI's; a model may use either.
///
/// A structured answer, which comes as an object, is given as its text. An answer that does not say why it ended was cut short if it has as
/// many tokens as it was allowed.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is no answer, and Workers AI's error when it is one.
pub fn decode_text_response(exchange: &TextExchange, body: Bytes) -> Result<ChatResponse> {
    let text = std::str::from_utf8(&body)
        .map_err(|error| Error::new(ErrorKind::BadUpstream, "the answer is not UTF-8").with_source(error))?;
    error::check(text)?;
    let fields = Fields::parse(text, Path::ROOT).map_err(no_answer)?;
    if fields.peek::<IgnoredAny>("choices").is_some() {
        return decode_openai(exchange, body.clone());
    }
    let output = decode_own(exchange, fields).map_err(no_answer)?;
    Ok(Verbatim::new(output).with_native(TEXT, body))
}

fn decode_openai(exchange: &TextExchange, body: Bytes) -> Result<ChatResponse> {
    let mut response = openai::decode_chat_response(body)?;
    if response.tool_calls().any(|call| call.id.is_empty()) {
        let mut index = 0;
        for part in &mut response.edit().content {
            if let ContentPart::ToolCall(call) = part {
                if call.id.is_empty() {
                    call.id = exchange.call_id(index);
                }
                index += 1;
            }
        }
    }
    Ok(response)
}

fn decode_own(exchange: &TextExchange, mut fields: Fields<'_>) -> Result<ChatOutput> {
    let mut output = ChatOutput::default();
    output.model = exchange.model().to_owned();
    if fields.peek::<IgnoredAny>("response").is_none() && fields.peek::<IgnoredAny>("tool_calls").is_none() {
        return Err(Error::new(
            ErrorKind::BadUpstream,
            "the answer has neither a response nor tool calls",
        ));
    }
    let text = fields.take_raw("response").map(response_text).transpose()?;
    output
        .content
        .extend(text.filter(|text| !text.is_empty()).map(ContentPart::text));
    if let Some(calls) = fields.take_raw("tool_calls") {
        let path = Path::ROOT.field("tool_calls");
        for (index, call) in (0..).zip(elements(calls, &path)?) {
            output.content.push(ContentPart::ToolCall(
                WireCall::read(call, path)?.into_call(index, exchange),
            ));
        }
    }
    output.usage = fields.take_raw("usage").and_then(usage::read);
    output.finish_reason = match fields.take::<String>("finish_reason")? {
        Some(reason) => finish_reason(&reason),
        None => unsaid_reason(exchange, output.tool_calls().next().is_some(), output.usage),
    };
    output.extra = fields.rest(&TEXT);
    Ok(output)
}

/// The text of a `response`: a string, or the JSON of a structured answer; models also answer bare numbers.
pub(super) fn response_text(raw: &str) -> Result<String> {
    if raw.starts_with('"') {
        read(raw, &Path::ROOT.field("response"))
    } else {
        Ok(raw.to_owned())
    }
}

/// Reads a `finish_reason`.
pub(super) fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "stop" | "eos" => FinishReason::Stop,
        "length" | "max_tokens" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// Why an answer ended that does not say it.
pub(super) fn unsaid_reason(exchange: &TextExchange, called: bool, usage: Option<Usage>) -> FinishReason {
    match (called, exchange.is_cut(usage)) {
        (true, _) => FinishReason::ToolCalls,
        (false, true) => FinishReason::Length,
        (false, false) => FinishReason::Stop,
    }
}

/// The error of an answer that does not read as one.
pub(super) fn no_answer(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidRequest {
        return error;
    }
    Error::new(
        ErrorKind::BadUpstream,
        format!("Workers AI's answer is none: {error}"),
    )
    .with_source(error)
}
