use edge_ai_core::{ContentPart, Message, ReasoningPart, Result, Role, ToolCall, ToolResult};

use super::content::{self, Place};
use super::tools::unsupported;
use super::{Compatibility, rules};
use crate::openai::compatibility::SendReasoning;
use crate::openai::params::{nested, own};
use crate::openai::thinking;
use crate::openai::{CHAT, tell_failure};
use crate::wire::{ArrayWriter, ObjectWriter};

/// Writes the conversation.
///
/// Every tool result is a message of its own. What it has beside text (OpenAI's tool messages are text) follows in a message of the
/// user's, after the last result of the turn, since nothing may come between a turn's calls and their results.
pub(super) fn write(array: &mut ArrayWriter<'_>, messages: &[Message], server: &Compatibility) -> Result<()> {
    let mut media: Vec<(Place, &ToolResult)> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let results = message
            .content
            .iter()
            .enumerate()
            .filter_map(|(part, content)| match content {
                ContentPart::ToolResult(result) => Some((Place { message: index, part }, result)),
                _ => None,
            });
        let others = message
            .content
            .iter()
            .any(|part| !matches!(part, ContentPart::ToolResult(_)));
        let mut count = 0;
        for (place, result) in results {
            count += 1;
            array.object(|object| {
                write_result(object, place, result, server)?;
                if !others {
                    write_rest(object, message, server);
                }
                Ok(())
            })?;
            if result.content.iter().any(|part| part.as_text().is_none()) {
                media.push((place, result));
            }
        }
        if others || count == 0 {
            write_media(array, &mut media, server)?;
            array.object(|object| write_message(object, index, message, server))?;
        }
    }
    write_media(array, &mut media, server)
}

fn write_message(
    object: &mut ObjectWriter<'_>,
    index: usize,
    message: &Message,
    server: &Compatibility,
) -> Result<()> {
    let role = match message.role {
        Role::Developer if !server.developer_role => Role::System,
        // Its results are out; what remains are words beside them.
        Role::Tool => Role::User,
        role => role,
    };
    object.field("role", role.as_str());
    if role == Role::Assistant {
        write_assistant(object, index, message, server)?;
    } else {
        let parts = || {
            message
                .content
                .iter()
                .enumerate()
                .filter(|(_, part)| !matches!(part, ContentPart::ToolResult(_)))
        };
        if role.is_instruction()
            && let Some((part, _)) = parts().find(|(_, part)| part.as_text().is_none())
        {
            return Err(unsupported(
                &Place { message: index, part }.to_string(),
                "anything but text in instructions",
            ));
        }
        content::write(object, index, server, parts)?;
    }
    write_rest(object, message, server);
    Ok(())
}

/// Writes what a message of any role may have.
fn write_rest(object: &mut ObjectWriter<'_>, message: &Message, server: &Compatibility) {
    if server.message_names {
        object.optional("name", message.name.as_deref());
    }
    for (name, value) in message.extra.fields_for(&CHAT) {
        if rules::allows_message_field(server, name) {
            object.raw(name, value.get());
        }
    }
}

fn write_assistant(
    object: &mut ObjectWriter<'_>,
    index: usize,
    message: &Message,
    server: &Compatibility,
) -> Result<()> {
    let parts = &message.content;
    let said = || {
        parts.iter().enumerate().filter(|(_, part)| match part {
            ContentPart::Other(extra) => {
                extra.get(&CHAT, "type").is_some() && extra.get(&CHAT, "custom").is_none()
                    || extra.fields_for(&CHAT).next().is_none()
            }
            ContentPart::ToolCall(_)
            | ContentPart::Reasoning(_)
            | ContentPart::Refusal(_)
            | ContentPart::ToolResult(_) => false,
            _ => true,
        })
    };
    if said().next().is_none()
        && parts
            .iter()
            .any(|part| !matches!(part, ContentPart::Reasoning(_)))
    {
        object.raw("content", "null");
    } else {
        content::write(object, index, server, said)?;
    }
    let refusal: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Refusal(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if !refusal.is_empty() && rules::allows_message_field(server, "refusal") {
        object.field("refusal", refusal.concat());
    }
    write_reasoning(object, parts, server)?;
    write_calls(object, parts, server)?;
    for part in parts {
        if let ContentPart::Other(extra) = part
            && extra.get(&CHAT, "type").is_none()
        {
            write_message_fields(object, extra, server);
        }
    }
    Ok(())
}

/// Fields of the answer that the message was, with what OpenAI takes back of them.
fn write_message_fields(object: &mut ObjectWriter<'_>, extra: &edge_ai_core::Extra, server: &Compatibility) {
    for (name, value) in extra.fields_for(&CHAT) {
        if !rules::allows_message_field(server, name) {
            continue;
        }
        if name == "audio" {
            // Sound goes back by its id alone.
            #[derive(serde::Serialize, serde::Deserialize)]
            struct Audio {
                id: String,
            }
            if let Ok(audio) = value.to::<Audio>() {
                object.field(name, audio);
            }
        } else {
            object.raw(name, value.get());
        }
    }
}

/// Thoughts go back to servers that want them, and to whoever's client sent them in this dialect.
fn write_reasoning(
    object: &mut ObjectWriter<'_>,
    parts: &[ContentPart],
    server: &Compatibility,
) -> Result<()> {
    let thoughts: Vec<&ReasoningPart> = parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Reasoning(thought) => Some(thought),
            _ => None,
        })
        .collect();
    let Some(field) = rules::reasoning_field(server, parts) else {
        return Ok(());
    };
    let text: String = thoughts.iter().map(|thought| thought.text.as_str()).collect();
    if !text.is_empty() || server.send_reasoning == SendReasoning::WithToolCalls {
        object.field(field, text);
    }
    if server.send_reasoning == SendReasoning::Always
        && thoughts.iter().any(|thought| thinking::is_sealed(thought))
    {
        object.array(thinking::BLOCKS, |array| {
            thoughts
                .iter()
                .try_for_each(|thought| thinking::write_block(array, thought))
        })?;
    }
    Ok(())
}

fn write_calls(object: &mut ObjectWriter<'_>, parts: &[ContentPart], server: &Compatibility) -> Result<()> {
    let call = |part: &ContentPart| match part {
        ContentPart::ToolCall(_) => true,
        ContentPart::Other(extra) => extra.get(&CHAT, "custom").is_some(),
        _ => false,
    };
    if !parts.iter().any(call) {
        return Ok(());
    }
    object.array("tool_calls", |array| {
        for part in parts.iter().filter(|part| call(part)) {
            array.object(|object| match part {
                ContentPart::ToolCall(call) => {
                    write_call(object, call, &rules::tool_call_id(server, &call.id))
                }
                ContentPart::Other(extra) => {
                    object.extra(extra, &CHAT);
                    Ok(())
                }
                _ => Ok(()),
            })?;
        }
        Ok(())
    })
}

/// Writes the fields of a call.
pub(in crate::openai) fn write_call(object: &mut ObjectWriter<'_>, call: &ToolCall, id: &str) -> Result<()> {
    object.field("id", id);
    object.field("type", "function");
    object.object("function", |function| {
        function.field("name", &call.name);
        function.field("arguments", call.arguments_json());
        nested(&call.extra, "function").for_each(|(name, value)| function.raw(name, value.get()));
        Ok(())
    })?;
    own(&call.extra, "function").for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn write_result(
    object: &mut ObjectWriter<'_>,
    place: Place,
    result: &ToolResult,
    server: &Compatibility,
) -> Result<()> {
    object.field("role", "tool");
    object.field("tool_call_id", &*rules::tool_call_id(server, &result.call_id));
    let mut texts = result.content.iter().filter(|part| part.as_text().is_some());
    if texts
        .any(|part| matches!(part, ContentPart::Text(text) if text.extra.fields_for(&CHAT).next().is_some()))
    {
        return object.array("content", |array| {
            let mut texts = result.content.iter().filter(|part| part.as_text().is_some());
            texts.try_for_each(|part| content::write_part(array, place, part, server))
        });
    }
    let mut text = result.text();
    if text.is_empty() && !result.content.is_empty() {
        "The result is in the next message of the user.".clone_into(&mut text);
    }
    tell_failure(result, &mut text);
    object.field("content", text);
    Ok(())
}

/// Writes what the results so far have beside their text.
fn write_media(
    array: &mut ArrayWriter<'_>,
    media: &mut Vec<(Place, &ToolResult)>,
    server: &Compatibility,
) -> Result<()> {
    if media.is_empty() {
        return Ok(());
    }
    array.object(|object| {
        object.field("role", "user");
        object.array("content", |array| {
            for (place, result) in media.drain(..) {
                let title = ContentPart::text(format!("Result of the tool call {}:", result.call_id));
                content::write_part(array, place, &title, server)?;
                for part in result.content.iter().filter(|part| part.as_text().is_none()) {
                    content::write_part(array, place, part, server)?;
                }
            }
            Ok(())
        })
    })
}
