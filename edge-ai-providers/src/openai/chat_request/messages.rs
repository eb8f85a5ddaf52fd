use edge_ai_core::{ContentPart, Error, Extra, Message, RawJson, Result, Role, ToolCall, ToolResult};

use super::{content, tools};
use crate::openai::CHAT;
use crate::openai::params::invalid;
use crate::openai::thinking;
use crate::wire::{Fields, elements};

/// Takes the conversation.
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Vec<Message>> {
    let text = fields.require_raw("messages")?;
    let path = fields.path().field("messages");
    let texts = elements(text, &path).map_err(|error| {
        Error::invalid(path.to_string(), "must be an array of messages").with_source(error)
    })?;
    if texts.is_empty() {
        return Err(Error::invalid(path.to_string(), "must have at least one message"));
    }
    let mut messages = Vec::with_capacity(texts.len());
    let mut functions = Functions::default();
    for (index, text) in texts.into_iter().enumerate() {
        messages.push(message(Fields::parse(text, path.index(index))?, &mut functions)?);
    }
    Ok(messages)
}

/// The calls of the deprecated kind, which have no ids.
#[derive(Default)]
struct Functions {
    count: usize,
    /// The name and id of the call that waits for its result.
    waiting: Option<(String, String)>,
}

fn message(mut fields: Fields<'_>, functions: &mut Functions) -> Result<Message> {
    let role: &str = &fields.require::<std::borrow::Cow<'_, str>>("role")?;
    let role = match role {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        "function" => return function_result(fields, functions),
        other => {
            let message = format!("`{other}` is not one of system, developer, user, assistant, tool");
            return Err(invalid(&fields, "role", message));
        }
    };
    let name = fields.take("name")?;
    let content = match role {
        Role::Assistant => assistant(&mut fields, functions)?,
        Role::Tool => vec![tool_result(&mut fields)?],
        _ => content::require(&mut fields)?,
    };
    let mut message = Message::new(role, content);
    message.name = name;
    message.extra = fields.rest(&CHAT);
    Ok(message)
}

fn assistant(fields: &mut Fields<'_>, functions: &mut Functions) -> Result<Vec<ContentPart>> {
    let mut parts = reasoning(fields)?;
    parts.extend(content::optional(fields)?.unwrap_or_default());
    parts.extend(fields.take("refusal")?.map(ContentPart::Refusal));
    if let Some(audio) = fields.take_raw("audio") {
        let audio = RawJson::parse(audio)?;
        parts.push(ContentPart::Other(Extra::new(
            CHAT,
            vec![("audio".into(), audio)],
        )));
    }
    parts.extend(tools::decode_calls(fields)?);
    parts.extend(function_call(fields, functions)?);
    if parts.is_empty() {
        return Err(invalid(
            fields,
            "content",
            "is required in a message without tool calls",
        ));
    }
    Ok(parts)
}

/// What the model thought, in the words of compatible servers. The part's unknown fields remember the field's name.
fn reasoning(fields: &mut Fields<'_>) -> Result<Vec<ContentPart>> {
    if let Some(blocks) = thinking::take_blocks(fields)? {
        for name in thinking::TEXT_FIELDS {
            fields.take_raw(name);
        }
        return Ok(blocks);
    }
    for name in thinking::TEXT_FIELDS {
        // An object, as some servers write, stays an unknown field.
        if fields.peek_raw(name).is_some_and(|text| text.starts_with('"')) {
            let text: String = fields.require(name)?;
            return Ok(vec![thinking::from_field(name, text)]);
        }
    }
    Ok(Vec::new())
}

fn tool_result(fields: &mut Fields<'_>) -> Result<ContentPart> {
    let call_id: String = fields.require("tool_call_id")?;
    if call_id.is_empty() {
        return Err(invalid(fields, "tool_call_id", "must be the id of a tool call"));
    }
    Ok(ContentPart::ToolResult(ToolResult::new(
        call_id,
        content::require(fields)?,
    )))
}

/// An assistant's call of the deprecated kind, as the call of a tool.
fn function_call(fields: &mut Fields<'_>, functions: &mut Functions) -> Result<Option<ContentPart>> {
    let Some(text) = fields.take_raw("function_call") else {
        return Ok(None);
    };
    let path = fields.path().field("function_call");
    let mut call = Fields::parse(text, path)?;
    let name: String = call.require("name")?;
    let arguments: String = call.require("arguments")?;
    let id = format!("function_call_{}", functions.count);
    functions.count += 1;
    functions.waiting = Some((name.clone(), id.clone()));
    Ok(Some(ContentPart::ToolCall(ToolCall::new(id, name, arguments))))
}

/// A result of the deprecated kind, as the result of the tool call that it follows.
fn function_result(mut fields: Fields<'_>, functions: &mut Functions) -> Result<Message> {
    let name: String = fields.require("name")?;
    let call_id = match functions.waiting.take() {
        Some((waiting, id)) if waiting == name => id,
        _ => {
            return Err(invalid(
                &fields,
                "name",
                format!("no `function_call` of `{name}` waits for a result"),
            ));
        }
    };
    // OpenAI allows a result of nothing here.
    let content = content::optional(&mut fields)?.unwrap_or_default();
    let mut message = Message::new(
        Role::Tool,
        vec![ContentPart::ToolResult(ToolResult::new(call_id, content))],
    );
    message.extra = fields.rest(&CHAT);
    Ok(message)
}
