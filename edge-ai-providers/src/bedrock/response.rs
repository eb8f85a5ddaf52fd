use edge_ai_core::{
    ChatOutput, ChatResponse, ContentPart, Error, ErrorKind, Extra, FinishReason, RawJson, ReasoningPart,
    Result, TextPart, ToolCall, Verbatim,
};

use super::CONVERSE;
use super::usage::TokenUsage;
use crate::wire::{Fields, Path, elements};

/// Reads the answer of `model` to `POST /model/{model}/converse`, which does not name it.
///
/// A text with citations has them among its unknown fields; blocks that only Bedrock knows become [`ContentPart::Other`], and go back
/// unchanged with the next request. The usage counts what came from and went to the prompt cache into the input.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is not an answer.
pub fn decode_converse_response(model: &str, body: &[u8]) -> Result<ChatResponse> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Error::new(ErrorKind::BadUpstream, "the answer is not UTF-8").with_source(error))?;
    decode(model, text).map(Verbatim::new).map_err(not_an_answer)
}

fn decode(model: &str, text: &str) -> Result<ChatOutput> {
    let mut fields = Fields::parse(text, Path::ROOT)?;
    let root = Path::ROOT;
    let at_output = root.field("output");
    let mut output = Fields::parse(fields.require_raw("output")?, at_output)?;
    let at_message = at_output.field("message");
    let mut message = Fields::parse(output.require_raw("message")?, at_message)?;
    let at_content = at_message.field("content");
    let mut answer = ChatOutput::default();
    answer.model = model.to_owned();
    let content = message.take_raw("content").unwrap_or("[]");
    for (index, block) in elements(content, &at_content)?.into_iter().enumerate() {
        answer
            .content
            .extend(decode_block(block, at_content.index(index))?);
    }
    answer.finish_reason = finish_reason(&fields.require::<String>("stopReason")?);
    answer.usage = fields.take::<TokenUsage>("usage")?.map(Into::into);
    answer.extra = fields.rest(&CONVERSE);
    Ok(answer)
}

/// Reads one content block; an empty text is none.
fn decode_block(block: &str, path: Path<'_>) -> Result<Option<ContentPart>> {
    let mut fields = Fields::parse(block, path)?;
    if let Some(text) = fields.take::<String>("text")? {
        return Ok((!text.is_empty()).then(|| ContentPart::text(text)));
    }
    if let Some(call) = fields.take_raw("toolUse") {
        let mut call = Fields::parse(call, path.field("toolUse"))?;
        let id: String = call.require("toolUseId")?;
        let name: String = call.require("name")?;
        let input = call.take_raw("input").unwrap_or("{}");
        let mut read = ToolCall::new(id, name, input);
        read.extra = call.rest(&CONVERSE);
        return Ok(Some(ContentPart::ToolCall(read)));
    }
    if let Some(content) = fields.take_raw("reasoningContent") {
        return decode_thought(content, path).map(Some);
    }
    if let Some(content) = fields.take_raw("citationsContent") {
        return decode_cited(content, path).map(Some);
    }
    Ok(Some(ContentPart::Other(
        Fields::parse(block, path)?.rest(&CONVERSE),
    )))
}

fn decode_thought(content: &str, path: Path<'_>) -> Result<ContentPart> {
    let at = path.field("reasoningContent");
    let mut content = Fields::parse(content, at)?;
    if let Some(data) = content.take::<String>("redactedContent")? {
        return Ok(ContentPart::Reasoning(ReasoningPart::redacted(data)));
    }
    let mut text = Fields::parse(content.require_raw("reasoningText")?, at.field("reasoningText"))?;
    let signature = text
        .take::<String>("signature")?
        .filter(|signature| !signature.is_empty());
    let thought: String = text.take("text")?.unwrap_or_default();
    Ok(ContentPart::Reasoning(ReasoningPart::new(thought, signature)))
}

fn decode_cited(content: &str, path: Path<'_>) -> Result<ContentPart> {
    let at = path.field("citationsContent");
    let mut content = Fields::parse(content, at)?;
    let at_texts = at.field("content");
    let mut text = String::new();
    for (index, piece) in elements(content.take_raw("content").unwrap_or("[]"), &at_texts)?
        .into_iter()
        .enumerate()
    {
        let piece = Fields::parse(piece, at_texts.index(index))?.take::<String>("text")?;
        text.push_str(&piece.unwrap_or_default());
    }
    let citations = content.take::<RawJson>("citations")?;
    Ok(ContentPart::Text(TextPart::new(text, cited(citations))))
}

/// Citations, as a text has them.
pub(super) fn cited(citations: Option<RawJson>) -> Extra {
    let fields = citations.map(|citations| ("citations".to_owned(), citations));
    Extra::new(CONVERSE, fields.into_iter().collect())
}

/// Reads a `stopReason`.
pub(super) fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
        "refusal" => FinishReason::Refusal,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// The error of an answer that does not read as one.
pub(super) fn not_an_answer(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidRequest {
        return error;
    }
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not one of Converse's: {error}"),
    )
    .with_source(error)
}
