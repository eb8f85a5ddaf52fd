use bytes::Bytes;
use edge_ai_core::{
    ChatOutput, ChatResponse, ContentPart, Error, ErrorKind, Extra, FinishReason, ReasoningPart, Result,
    TextPart, ToolCall, Verbatim,
};

use super::usage::Counts;
use super::{MESSAGES, error};
use crate::wire::{Fields, Path, elements};

/// Reads the answer to `POST /v1/messages`.
///
/// Blocks that only Anthropic knows, such as those of its own tools, become [`ContentPart::Other`], and go back unchanged
/// with the next request. The usage counts what came from and went to the prompt cache into the input.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is not a message, and the vendor's error when it is one.
pub fn decode_messages_response(body: Bytes) -> Result<ChatResponse> {
    let text = std::str::from_utf8(&body)
        .map_err(|error| Error::new(ErrorKind::BadUpstream, "the answer is not UTF-8").with_source(error))?;
    let output = decode(text).map_err(not_a_message)?;
    Ok(Verbatim::new(output).with_native(MESSAGES, body))
}

fn decode(text: &str) -> Result<ChatOutput> {
    let mut fields = Fields::parse(text, Path::ROOT)?;
    if fields.take::<&str>("type")? == Some("error") {
        return Err(error::from_event(text));
    }
    let mut output = ChatOutput::default();
    output.id = fields.take("id")?.unwrap_or_default();
    output.model = fields.take("model")?.unwrap_or_default();
    let _ = fields.take_raw("role");
    let content = fields.require_raw("content")?;
    let path = Path::ROOT.field("content");
    for (index, block) in elements(content, &path)?.into_iter().enumerate() {
        output.content.extend(decode_block(block, path.index(index))?);
    }
    if let Some(reason) = fields.take::<String>("stop_reason")? {
        output.finish_reason = finish_reason(&reason);
    }
    output.usage = fields.take::<Counts>("usage")?.map(Counts::usage);
    output.extra = rest(fields);
    Ok(output)
}

/// Reads one content block; an empty text is none.
pub(super) fn decode_block(block: &str, path: Path<'_>) -> Result<Option<ContentPart>> {
    let mut fields = Fields::parse(block, path)?;
    let kind: String = fields.require("type")?;
    Ok(Some(match kind.as_str() {
        "text" => {
            let _ = fields.take_raw("type");
            let text: String = fields.require("text")?;
            let extra = rest(fields);
            if text.is_empty() && extra.is_empty() {
                return Ok(None);
            }
            ContentPart::Text(TextPart::new(text, extra))
        }
        "thinking" => {
            let text: String = fields.take("thinking")?.unwrap_or_default();
            let signature = fields
                .take::<String>("signature")?
                .filter(|signature| !signature.is_empty());
            let mut part = ReasoningPart::new(text, signature);
            part.extra = rest(fields);
            ContentPart::Reasoning(part)
        }
        "redacted_thinking" => {
            ContentPart::Reasoning(ReasoningPart::redacted(fields.require::<String>("data")?))
        }
        "tool_use" => {
            let id: String = fields.require("id")?;
            let name: String = fields.require("name")?;
            let arguments = fields.take_raw("input").unwrap_or("{}");
            let mut call = ToolCall::new(id, name, arguments);
            call.extra = rest(fields);
            ContentPart::ToolCall(call)
        }
        _ => ContentPart::Other(Fields::parse(block, path)?.rest(&MESSAGES)),
    }))
}

/// Reads a `stop_reason`.
pub(super) fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "pause_turn" => FinishReason::Pause,
        "refusal" => FinishReason::Refusal,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// What nobody took and is not `null`.
pub(super) fn rest(fields: Fields<'_>) -> Extra {
    let rest = fields.rest(&MESSAGES);
    let kept = rest
        .fields_for(&MESSAGES)
        .filter(|(_, value)| value.get() != "null")
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    Extra::new(MESSAGES, kept)
}

/// The error of an answer that does not read as one.
pub(super) fn not_a_message(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidRequest || error.native().is_some() {
        return error;
    }
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not a message: {error}"),
    )
    .with_source(error)
}
