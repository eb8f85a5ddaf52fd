use bytes::Bytes;
use edge_ai_core::{ChatOutput, ChatResponse, ContentPart, ReasoningPart, Result, TextPart, ToolCall, Usage};
use serde::de::IgnoredAny;

use super::MESSAGES;
use super::stop_reason::encode_stop_reason;
use super::usage_encode::write_usage;
use crate::citation::{as_messages, settled};
use crate::openai::Head;
use crate::wire::{ArrayWriter, ObjectWriter, shown_id, write_object};

/// Writes an answer for a client of Anthropic's dialect. One that came in this dialect goes out as it is.
///
/// - Thoughts become `thinking` blocks. Those of vendors that do not sign them have an empty `signature`, which the SDKs accept; when
///   the client sends such a thought back, it does not go on to Anthropic, which would refuse it.
/// - A refusal becomes text with the stop reason `refusal`.
/// - The input of a call whose arguments are not a JSON object, as after an answer that was cut off, is `{}`.
/// - A call without an id gets one. Pictures, sounds, and parts that only another dialect knows are left out.
/// - The dialect demands a usage: where the vendor says none, its numbers are 0.
pub fn encode_messages_response(response: &ChatResponse, head: &Head) -> Bytes {
    if let Some(body) = response.native_in(&MESSAGES) {
        return body.clone();
    }
    // Nothing that is written here fails.
    write_object(|object| write(object, response, head))
        .unwrap_or_default()
        .into()
}

fn write(object: &mut ObjectWriter<'_>, output: &ChatOutput, head: &Head) -> Result<()> {
    let id = shown_id("msg_", &output.id, &head.id);
    object.field("id", &id);
    object.field("type", "message");
    object.field("role", "assistant");
    object.field("model", either(&output.model, &head.model));
    object.array("content", |blocks| {
        (0..)
            .zip(&*settled(&output.content))
            .try_for_each(|(number, part)| write_part(blocks, part, &id, number))
    })?;
    let calls = output.tool_calls().next().is_some();
    let refused = output
        .content
        .iter()
        .any(|part| matches!(part, ContentPart::Refusal(_)));
    object.field(
        "stop_reason",
        encode_stop_reason(Some(&output.finish_reason), calls, refused),
    );
    if output.extra.get(&MESSAGES, "stop_sequence").is_none() {
        object.raw("stop_sequence", "null");
    }
    let unknown = Usage::default();
    object.object("usage", |object| {
        write_usage(object, output.usage.as_ref().unwrap_or(&unknown))
    })?;
    object.extra(&output.extra, &MESSAGES);
    Ok(())
}

/// The first that says something.
pub(super) fn either<'a>(own: &'a str, other: &'a str) -> &'a str {
    if own.is_empty() { other } else { own }
}

/// The id of a call. Clients need one to answer it; some vendors give none.
pub(super) fn call_id(id: &str, answer: &str, number: u32) -> String {
    if id.is_empty() {
        format!("toolu_{answer}_{number}")
    } else {
        id.to_owned()
    }
}

/// Whether a part is a block of the dialect's own.
pub(super) fn is_own_block(part: &ContentPart) -> bool {
    matches!(part, ContentPart::Other(extra) if extra.get(&MESSAGES, "type").is_some())
}

fn write_part(blocks: &mut ArrayWriter<'_>, part: &ContentPart, answer: &str, number: u32) -> Result<()> {
    match part {
        ContentPart::Text(part) => write_text(blocks, part),
        ContentPart::Refusal(text) => write_text(blocks, &TextPart::new(text, Default::default())),
        ContentPart::Reasoning(part) => blocks.object(|block| write_thought(block, part)),
        ContentPart::ToolCall(call) => blocks.object(|block| write_call(block, call, answer, number)),
        ContentPart::Other(extra) if is_own_block(part) => blocks.object(|block| {
            block.extra(extra, &MESSAGES);
            Ok(())
        }),
        _ => Ok(()),
    }
}

/// An empty text is no block: the client could not send it back.
fn write_text(blocks: &mut ArrayWriter<'_>, part: &TextPart) -> Result<()> {
    let cited = as_messages(&part.extra);
    if part.text.is_empty() && cited.is_empty() {
        return Ok(());
    }
    blocks.object(|block| {
        block.field("type", "text");
        block.field("text", &part.text);
        block.extra(&part.extra, &MESSAGES);
        if !cited.is_empty() && part.extra.get(&MESSAGES, "citations").is_none() {
            block.field("citations", cited);
        }
        Ok(())
    })
}

fn write_thought(block: &mut ObjectWriter<'_>, part: &ReasoningPart) -> Result<()> {
    match &part.redacted {
        Some(data) => {
            block.field("type", "redacted_thinking");
            block.field("data", data);
        }
        None => {
            block.field("type", "thinking");
            block.field("thinking", &part.text);
            block.field("signature", part.signature.as_deref().unwrap_or_default());
        }
    }
    block.extra(&part.extra, &MESSAGES);
    Ok(())
}

fn write_call(block: &mut ObjectWriter<'_>, call: &ToolCall, answer: &str, number: u32) -> Result<()> {
    let arguments = call.arguments_json();
    let object = arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
    block.field("type", "tool_use");
    block.field("id", call_id(&call.id, answer, number));
    block.field("name", &call.name);
    block.raw("input", if object { arguments } else { "{}" });
    block.extra(&call.extra, &MESSAGES);
    Ok(())
}
