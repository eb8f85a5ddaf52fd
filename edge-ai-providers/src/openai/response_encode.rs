use bytes::Bytes;
use edge_ai_core::{ChatOutput, ChatResponse, ContentPart, ReasoningPart, Result};

use super::chat_encode::write_call;
use super::chat_response::CHOICE;
use super::finish::encode_finish_reason;
use super::params::{nested, own};
use super::usage::write_usage;
use super::{CHAT, Head, thinking};
use crate::citation::{ANNOTATIONS, Places};
use crate::wire::{ObjectWriter, shown_id, write_object};

/// Writes an answer for a client of OpenAI's dialect. One that came in this dialect goes out as it is.
///
/// Thoughts are written as `reasoning_content`, those with a vendor's signature also as `thinking_blocks`; a client that sends the
/// message back with them can go on with the vendor. Parts that only another dialect knows are left out.
pub fn encode_chat_response(response: &ChatResponse, head: &Head) -> Bytes {
    if let Some(body) = response.native_in(&CHAT) {
        return body.clone();
    }
    // Nothing that is written here fails.
    write_object(|object| write(object, response, head))
        .unwrap_or_default()
        .into()
}

fn write(object: &mut ObjectWriter<'_>, output: &ChatOutput, head: &Head) -> Result<()> {
    object.field("id", shown_id("chatcmpl-", &output.id, &head.id));
    object.field("object", "chat.completion");
    if output.extra.get(&CHAT, "created").is_none() {
        object.field("created", head.created);
    }
    let model = if output.model.is_empty() {
        &head.model
    } else {
        &output.model
    };
    object.field("model", model);
    object.array("choices", |array| {
        array.object(|choice| {
            choice.field("index", 0);
            choice.object("message", |message| write_message(message, output, head))?;
            if output.extra.get(&CHAT, "choices[0].logprobs").is_none() {
                choice.raw("logprobs", "null");
            }
            nested(&output.extra, CHOICE).for_each(|(name, value)| choice.raw(name, value.get()));
            choice.field("finish_reason", encode_finish_reason(&output.finish_reason));
            Ok(())
        })
    })?;
    if let Some(usage) = &output.usage {
        object.object("usage", |object| write_usage(object, usage))?;
    }
    own(&output.extra, CHOICE).for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn write_message(message: &mut ObjectWriter<'_>, output: &ChatOutput, head: &Head) -> Result<()> {
    message.field("role", "assistant");
    let text = output.text();
    let refusal: String = output
        .content
        .iter()
        .filter_map(|part| match part {
            ContentPart::Refusal(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let calls = output.tool_calls().next().is_some();
    if text.is_empty() && (calls || !refusal.is_empty()) {
        message.raw("content", "null");
    } else {
        message.field("content", text);
    }
    message.field("refusal", Some(refusal).filter(|refusal| !refusal.is_empty()));
    write_reasoning(message, output)?;
    if calls {
        message.array("tool_calls", |array| {
            output.tool_calls().enumerate().try_for_each(|(index, call)| {
                let id = call_id(&call.id, &head.id, index);
                array.object(|object| write_call(object, call, &id))
            })
        })?;
    }
    let annotations = Places::annotations(&output.content);
    message.optional(ANNOTATIONS, Some(annotations).filter(|list| !list.is_empty()));
    for part in &output.content {
        if let ContentPart::Other(extra) = part
            && extra.get(&CHAT, "type").is_none()
        {
            message.extra(extra, &CHAT);
        }
    }
    Ok(())
}

fn write_reasoning(message: &mut ObjectWriter<'_>, output: &ChatOutput) -> Result<()> {
    let thoughts = || {
        output.content.iter().filter_map(|part| match part {
            ContentPart::Reasoning(thought) => Some(thought),
            _ => None,
        })
    };
    let text: String = thoughts()
        .map(|thought: &ReasoningPart| thought.text.as_str())
        .collect();
    if !text.is_empty() {
        message.field("reasoning_content", text);
    }
    if thoughts().any(thinking::is_sealed) {
        message.array(thinking::BLOCKS, |array| {
            thoughts().try_for_each(|thought| thinking::write_block(array, thought))
        })?;
    }
    Ok(())
}

/// The id of a call. Clients need one to answer it; some vendors give none.
pub(super) fn call_id(id: &str, answer: &str, index: usize) -> String {
    if id.is_empty() {
        format!("call_{answer}_{index}")
    } else {
        id.to_owned()
    }
}
