use std::borrow::Cow;

use edge_ai_core::{ContentPart, Error, Message, Result, Role};

use super::content;
use crate::anthropic::response::rest;
use crate::openai::invalid;
use crate::wire::{Fields, elements};

/// Takes the instructions and the conversation.
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Vec<Message>> {
    let system = content::optional(fields, "system", Role::System)?;
    let text = fields.require_raw("messages")?;
    let path = fields.path().field("messages");
    let texts = elements(text, &path).map_err(|error| {
        Error::invalid(path.to_string(), "must be an array of messages").with_source(error)
    })?;
    if texts.is_empty() {
        return Err(Error::invalid(path.to_string(), "must have at least one message"));
    }
    let mut messages = Vec::with_capacity(texts.len() + 1);
    messages.extend(
        system
            .filter(|parts| !parts.is_empty())
            .map(|parts| Message::new(Role::System, parts)),
    );
    for (index, text) in texts.into_iter().enumerate() {
        message(Fields::parse(text, path.index(index))?, &mut messages)?;
    }
    Ok(messages)
}

fn message(mut fields: Fields<'_>, messages: &mut Vec<Message>) -> Result<()> {
    let role: Cow<'_, str> = fields.require("role")?;
    let role = match &*role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            let message = format!("`{other}` is not one of user, assistant, system");
            return Err(invalid(&fields, "role", message));
        }
    };
    let Some(content) = content::optional(&mut fields, "content", role)? else {
        return Err(invalid(&fields, "content", "`content` is required"));
    };
    // An assistant's turn may be empty: the model goes on from there.
    if content.is_empty() && role != Role::Assistant {
        return Err(invalid(
            &fields,
            "content",
            "must have at least one content block",
        ));
    }
    let (results, others): (Vec<_>, Vec<_>) = content
        .into_iter()
        .partition(|part| matches!(part, ContentPart::ToolResult(_)));
    let first = messages.len();
    if !results.is_empty() {
        messages.push(Message::new(Role::Tool, results));
    }
    if !others.is_empty() || messages.len() == first {
        messages.push(Message::new(role, others));
    }
    if let Some(last) = messages.last_mut() {
        last.extra = rest(fields);
    }
    Ok(())
}
