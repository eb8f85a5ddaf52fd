use std::borrow::Cow;

use edge_ai_core::{ContentPart, Error, Message, Result, Role, ToolCall, ToolResult};

use super::{content, unsupported};
use crate::openai::responses::item::reasoning;
use crate::openai::responses::nested::rest;
use crate::wire::{Fields, Path, elements};

/// What the vendor's own tools did, with what came of it: the assistant's text says it again, so that another vendor can do without.
const TOLD_AGAIN: [&str; 5] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
];

/// Reads the items of a conversation to messages.
pub(super) fn decode(
    text: &str,
    path: &Path<'_>,
    messages: &mut Vec<Message>,
    bound: &mut Option<Error>,
) -> Result<()> {
    let items = elements(text, path).map_err(|error| {
        Error::invalid(path.to_string(), "must be a string or an array of items").with_source(error)
    })?;
    if items.is_empty() && messages.is_empty() {
        return Err(Error::invalid(path.to_string(), "must have at least one item"));
    }
    // Whether the last message is a turn of the assistant that goes on.
    let mut open = false;
    for (index, text) in items.into_iter().enumerate() {
        let path = path.index(index);
        let message = item(text, path, bound)?;
        let assistant = message.role == Role::Assistant;
        match messages.last_mut().filter(|_| open && assistant) {
            Some(last) if message.extra.is_empty() => last.content.extend(message.content),
            _ => messages.push(message),
        }
        open = assistant;
    }
    Ok(())
}

fn item(text: &str, path: Path<'_>, bound: &mut Option<Error>) -> Result<Message> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Option<Cow<'_, str>> = fields.take("type")?;
    let kind = match kind {
        Some(kind) => kind,
        None if fields.peek_raw("role").is_some() => "message".into(),
        // The only other kind that may go without.
        None => "item_reference".into(),
    };
    match &*kind {
        "message" => message(fields),
        "function_call" => call(fields),
        "function_call_output" => output(fields),
        "reasoning" => Ok(Message::new(
            Role::Assistant,
            vec![ContentPart::Reasoning(reasoning(&mut fields)?)],
        )),
        other => {
            if bound.is_none() && !TOLD_AGAIN.contains(&other) {
                let message =
                    format!("an item `{other}` is OpenAI's own to read; send the conversation without it");
                *bound = Some(unsupported(path.field("type").to_string(), &message));
            }
            let whole = rest(Fields::parse(text, path)?);
            Ok(Message::new(Role::Assistant, vec![ContentPart::Other(whole)]))
        }
    }
}

fn message(mut fields: Fields<'_>) -> Result<Message> {
    let role = match &*fields.require::<Cow<'_, str>>("role")? {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            let message = format!("`{other}` is not one of system, developer, user, assistant");
            return Err(Error::invalid(fields.path().field("role").to_string(), message));
        }
    };
    let content = content::require(&mut fields, "content")?;
    // An answer's name and state: who sends it back need not say them.
    fields.take_raw("id");
    fields.take_raw("status");
    let mut message = Message::new(role, content);
    message.extra = rest(fields);
    Ok(message)
}

fn call(mut fields: Fields<'_>) -> Result<Message> {
    let id: String = fields.require("call_id")?;
    let name: String = fields.require("name")?;
    let mut call = ToolCall::new(id, name, fields.require::<String>("arguments")?);
    fields.take_raw("id");
    fields.take_raw("status");
    call.extra = rest(fields);
    Ok(Message::new(Role::Assistant, vec![ContentPart::ToolCall(call)]))
}

fn output(mut fields: Fields<'_>) -> Result<Message> {
    let call_id: String = fields.require("call_id")?;
    if call_id.is_empty() {
        let path = fields.path().field("call_id").to_string();
        return Err(Error::invalid(path, "must be the id of a function call"));
    }
    let mut result = ToolResult::new(call_id, content::require(&mut fields, "output")?);
    fields.take_raw("id");
    fields.take_raw("status");
    result.extra = rest(fields);
    Ok(Message::new(Role::Tool, vec![ContentPart::ToolResult(result)]))
}
