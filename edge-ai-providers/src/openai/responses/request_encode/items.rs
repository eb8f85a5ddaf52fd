use edge_ai_core::{
    ContentPart, Error, FilePart, ImagePart, Media, Message, Result, Role, ToolCall, ToolResult,
};

use super::unsupported;
use crate::openai::responses::RESPONSES;
use crate::openai::responses::seal::open;
use crate::openai::tell_failure;
use crate::wire::{ArrayWriter, ObjectWriter};

/// Writes the conversation.
pub(super) fn write(array: &mut ArrayWriter<'_>, messages: &[Message]) -> Result<()> {
    for (index, message) in messages.iter().enumerate() {
        write_message(array, index, message)?;
    }
    Ok(())
}

/// Writes a message as the items that it holds: the parts that are said together stay together.
fn write_message(array: &mut ArrayWriter<'_>, index: usize, message: &Message) -> Result<()> {
    let parts: Vec<_> = message.content.iter().enumerate().collect();
    let mut rest = parts.as_slice();
    while let Some((_, part)) = rest.first() {
        let silent = message.role == Role::Assistant && part.as_text().is_some_and(str::is_empty);
        if silent || write_item(array, message.role, part)? {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let said = rest
            .iter()
            .take_while(|(_, part)| !is_item(message.role, part))
            .count();
        let (together, others) = rest.split_at(said.max(1));
        write_said(array, index, message, together)?;
        rest = others;
    }
    Ok(())
}

/// Whether a part is an item by itself.
fn is_item(role: Role, part: &ContentPart) -> bool {
    match part {
        ContentPart::Reasoning(_) | ContentPart::ToolCall(_) | ContentPart::ToolResult(_) => true,
        ContentPart::Other(extra) => role == Role::Assistant && extra.get(&RESPONSES, "type").is_some(),
        _ => false,
    }
}

/// Writes a part that is an item by itself; `false` for one that is not.
fn write_item(array: &mut ArrayWriter<'_>, role: Role, part: &ContentPart) -> Result<bool> {
    if !is_item(role, part) {
        return Ok(false);
    }
    match part {
        ContentPart::Reasoning(part) => {
            if let Some((id, encrypted)) = open(part) {
                array.object(|item| {
                    item.field("type", "reasoning");
                    item.optional("id", Some(id).filter(|id| !id.is_empty()));
                    item.array("summary", |summary| write_summary(summary, &part.text))?;
                    item.field("encrypted_content", encrypted);
                    Ok(())
                })?;
            }
        }
        ContentPart::ToolCall(call) => array.object(|item| {
            write_call(item, call);
            Ok(())
        })?,
        ContentPart::ToolResult(result) => array.object(|item| write_result(item, result))?,
        ContentPart::Other(extra) => array.object(|item| {
            item.extra(extra, &RESPONSES);
            Ok(())
        })?,
        _ => {}
    }
    Ok(true)
}

fn write_summary(summary: &mut ArrayWriter<'_>, text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    summary.object(|part| {
        part.field("type", "summary_text");
        part.field("text", text);
        Ok(())
    })
}

fn write_call(item: &mut ObjectWriter<'_>, call: &ToolCall) {
    item.field("type", "function_call");
    item.field("call_id", &call.id);
    item.field("name", &call.name);
    item.field("arguments", call.arguments_json());
    item.extra(&call.extra, &RESPONSES);
}

fn write_result(item: &mut ObjectWriter<'_>, result: &ToolResult) -> Result<()> {
    item.field("type", "function_call_output");
    item.field("call_id", &result.call_id);
    let plain = result.content.iter().all(
        |part| matches!(part, ContentPart::Text(text) if text.extra.fields_for(&RESPONSES).next().is_none()),
    );
    let mut text = result.text();
    let said = text.len();
    tell_failure(result, &mut text);
    if plain {
        item.field("output", text);
    } else {
        item.array("output", |array| {
            if text.len() > said {
                write_part(array, Role::Tool, "output", &ContentPart::text("Error:"))?;
            }
            let mut parts = result.content.iter();
            parts.try_for_each(|part| write_part(array, Role::Tool, "output", part))
        })?;
    }
    item.extra(&result.extra, &RESPONSES);
    Ok(())
}

/// Writes a message of what is said together.
fn write_said(
    array: &mut ArrayWriter<'_>,
    index: usize,
    message: &Message,
    parts: &[(usize, &ContentPart)],
) -> Result<()> {
    let role = match message.role {
        // Its results are out; what remains are words beside them.
        Role::Tool => Role::User,
        role => role,
    };
    array.object(|item| {
        item.field("type", "message");
        item.field("role", role.as_str());
        match parts {
            [(_, ContentPart::Text(text))] if text.extra.fields_for(&RESPONSES).next().is_none() => {
                item.field("content", &text.text);
            }
            _ => item.array("content", |array| {
                parts.iter().try_for_each(|(at, part)| {
                    write_part(array, role, &format!("messages[{index}].content[{at}]"), part)
                })
            })?,
        }
        item.extra(&message.extra, &RESPONSES);
        Ok(())
    })
}

fn write_part(array: &mut ArrayWriter<'_>, role: Role, place: &str, part: &ContentPart) -> Result<()> {
    if role.is_instruction() && part.as_text().is_none() {
        return Err(unsupported(place, "anything but text in instructions"));
    }
    array.object(|object| match part {
        ContentPart::Text(part) => {
            object.field(
                "type",
                if role == Role::Assistant {
                    "output_text"
                } else {
                    "input_text"
                },
            );
            object.field("text", &part.text);
            object.extra(&part.extra, &RESPONSES);
            Ok(())
        }
        ContentPart::Refusal(text) if role == Role::Assistant => {
            object.field("type", "refusal");
            object.field("refusal", text);
            Ok(())
        }
        ContentPart::Image(part) if role != Role::Assistant => {
            image(object, part);
            Ok(())
        }
        ContentPart::File(part) if role != Role::Assistant => {
            file(object, part);
            Ok(())
        }
        ContentPart::Audio(part) if role != Role::Assistant => {
            object.field("type", "input_audio");
            object.object("input_audio", |audio| {
                audio.field("data", &part.data);
                audio.field("format", &part.format);
                Ok(())
            })
        }
        ContentPart::Other(extra) if extra.get(&RESPONSES, "type").is_some() => {
            object.extra(extra, &RESPONSES);
            Ok(())
        }
        other => Err(refuse(place, other)),
    })
}

fn image(object: &mut ObjectWriter<'_>, part: &ImagePart) {
    object.field("type", "input_image");
    match &part.source {
        Media::FileId(id) => object.field("file_id", id),
        source => object.optional("image_url", source.to_url()),
    }
    object.field("detail", part.detail.as_deref().unwrap_or("auto"));
    object.extra(&part.extra, &RESPONSES);
}

fn file(object: &mut ObjectWriter<'_>, part: &FilePart) {
    object.field("type", "input_file");
    match &part.source {
        Media::FileId(id) => object.field("file_id", id),
        Media::Url(url) => object.field("file_url", url),
        source => {
            object.optional("file_data", source.to_url());
            if part.filename.is_none() {
                // Required beside the bytes.
                object.field("filename", "file");
            }
        }
    }
    object.optional("filename", part.filename.as_deref());
    object.extra(&part.extra, &RESPONSES);
}

fn refuse(place: &str, part: &ContentPart) -> Error {
    let what = match part {
        ContentPart::Refusal(_) => "a refusal outside the assistant's turn",
        ContentPart::ToolCall(_) => "a tool call within another part",
        ContentPart::Image(_) | ContentPart::File(_) | ContentPart::Audio(_) => {
            "a picture, sound or document in the assistant's turn"
        }
        _ => "a content part of another vendor",
    };
    unsupported(place, what)
}
