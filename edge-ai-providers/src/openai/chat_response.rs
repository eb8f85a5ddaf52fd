use std::borrow::Cow;

use bytes::Bytes;
use edge_ai_core::{
    ChatOutput, ChatResponse, ContentPart, Error, ErrorKind, Extra, RawJson, ReasoningPart, Result,
    ServiceTier, TextPart, ToolCall, Usage, Verbatim,
};

use super::CHAT;
use super::error::{error_in_body, error_in_choice};
use super::finish::decode_finish_reason;
use super::params::with_nested;
use super::stream_decode::Lenient;
use super::thinking;
use super::usage::UsageFields;
use crate::wire::{Fields, Path, elements, read};

/// The prefix under which a choice's unknown fields stand among those of the answer.
pub(super) const CHOICE: &str = "choices[0]";

/// Reads an answer. Of several choices the first one is read; the body keeps the others.
///
/// Fields that compatible servers leave out are no error. A message's unknown fields are parts of the kind
/// [`ContentPart::Other`] without a `type`; a choice's are unknown fields named `choices[0].…`.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] for a body that is no answer; the error in it, for one that is an error.
pub fn decode_chat_response(body: Bytes) -> Result<ChatResponse> {
    let text = std::str::from_utf8(&body).map_err(|error| junk("it is not UTF-8").with_source(error))?;
    let output = output(text).map_err(|error| match error.kind() {
        ErrorKind::InvalidRequest => {
            let place = error
                .param()
                .map(|param| format!("`{param}`: "))
                .unwrap_or_default();
            junk(format!("{place}{}", error.message())).with_source(error)
        }
        // An error in the place of an answer.
        _ => error,
    })?;
    Ok(Verbatim::new(output).with_native(CHAT, body))
}

fn junk(problem: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not a chat completion: {problem}"),
    )
}

fn output(text: &str) -> Result<ChatOutput> {
    let mut fields = Fields::parse(text, Path::ROOT)?;
    let Some(choices) = fields.take_raw("choices") else {
        return Err(error_in_body(text).unwrap_or_else(|| junk("`choices` is missing")));
    };
    let mut output = ChatOutput::default();
    output.id = lenient_text(&mut fields, "id");
    output.model = lenient_text(&mut fields, "model");
    fields.take_raw("object");
    let usage = fields
        .take_raw("usage")
        .map(|text| read::<UsageFields>(text, &fields.path().field("usage")));
    output.usage = usage.transpose()?.map(Usage::from);
    if let (Some(usage), Some(tier)) = (&mut output.usage, fields.peek::<Cow<'_, str>>("service_tier")) {
        usage.service_tier = ServiceTier::named(&tier);
    }

    let path = fields.path().field("choices");
    let Some(first) = elements(choices, &path)?.into_iter().next() else {
        return Err(error_in_body(text).unwrap_or_else(|| junk("`choices` is empty")));
    };
    let mut choice = Fields::parse(first, path.index(0))?;
    choice.take_raw("index");
    let message = choice.require_raw("message")?;
    let reason: Option<Cow<'_, str>> = choice.take("finish_reason")?;
    if let Some(error) = error_in_choice(reason.as_deref(), choice.peek("error")) {
        return Err(error);
    }
    output.content = content(Fields::parse(message, choice.path().field("message"))?)?;
    let has_calls = output.tool_calls().next().is_some();
    output.finish_reason = decode_finish_reason(reason.as_deref().unwrap_or("stop"), has_calls);
    let choice = choice.rest(&CHAT);
    output.extra = with_nested(fields, CHOICE, without_empty(&choice));
    Ok(output)
}

fn lenient_text(fields: &mut Fields<'_>, name: &str) -> String {
    let text = fields.take(name).ok().flatten();
    text.map(|Lenient(text)| text).unwrap_or_default()
}

fn content(mut message: Fields<'_>) -> Result<Vec<ContentPart>> {
    message.take_raw("role");
    let mut parts = reasoning(&mut message)?;
    texts(&mut message, &mut parts)?;
    let refusal: Option<String> = message.take("refusal")?;
    parts.extend(refusal.filter(|text| !text.is_empty()).map(ContentPart::Refusal));
    calls(&mut message, &mut parts)?;
    let rest = without_empty(&message.rest(&CHAT));
    if !rest.is_empty() {
        parts.push(ContentPart::Other(rest));
    }
    Ok(parts)
}

fn reasoning(message: &mut Fields<'_>) -> Result<Vec<ContentPart>> {
    let mut text = String::new();
    for name in thinking::TEXT_FIELDS {
        if message.peek_raw(name).is_some_and(|text| text.starts_with('"')) {
            let field: String = message.require(name)?;
            if text.is_empty() {
                text = field;
            }
        }
    }
    if let Some(blocks) = thinking::take_blocks(message)? {
        return Ok(blocks);
    }
    Ok(if text.is_empty() {
        Vec::new()
    } else {
        vec![ContentPart::Reasoning(ReasoningPart::new(text, None))]
    })
}

/// The content: a string, or with some servers an array of parts.
fn texts(message: &mut Fields<'_>, parts: &mut Vec<ContentPart>) -> Result<()> {
    let Some(text) = message.take_raw("content") else {
        return Ok(());
    };
    let path = message.path().field("content");
    if !text.starts_with('[') {
        let Lenient(text) = read(text, &path)?;
        if !text.is_empty() {
            parts.push(ContentPart::text(text));
        }
        return Ok(());
    }
    for (index, text) in elements(text, &path)?.into_iter().enumerate() {
        let mut part = Fields::parse(text, path.index(index))?;
        let kind: Option<Cow<'_, str>> = part.peek("type");
        parts.push(match kind.as_deref() {
            Some("text") => {
                part.take_raw("type");
                let text: String = part.require("text")?;
                ContentPart::Text(TextPart::new(text, part.rest(&CHAT)))
            }
            // Mistral's thoughts are an array of texts.
            Some("thinking") => {
                let Lenient(text) = part.require("thinking")?;
                ContentPart::Reasoning(ReasoningPart::new(text, None))
            }
            _ => ContentPart::Other(part.rest(&CHAT)),
        });
    }
    Ok(())
}

fn calls(message: &mut Fields<'_>, parts: &mut Vec<ContentPart>) -> Result<()> {
    if let Some(text) = message.take_raw("tool_calls") {
        let path = message.path().field("tool_calls");
        for (index, text) in elements(text, &path)?.into_iter().enumerate() {
            let path = path.index(index);
            let mut call = Fields::parse(text, path)?;
            let Some(function) = call.take_raw("function") else {
                parts.push(ContentPart::Other(call.rest(&CHAT)));
                continue;
            };
            call.take_raw("type");
            call.take_raw("index");
            let id = lenient_text(&mut call, "id");
            let inner = Fields::parse(function, call.path().field("function"))?;
            let (mut called, inner) = function_call(inner, id)?;
            called.extra = with_nested(call, "function", inner);
            parts.push(ContentPart::ToolCall(called));
        }
    }
    // The deprecated kind.
    if let Some(text) = message.take_raw("function_call") {
        let inner = Fields::parse(text, message.path().field("function_call"))?;
        let (called, _) = function_call(inner, String::new())?;
        parts.push(ContentPart::ToolCall(called));
    }
    Ok(())
}

fn function_call(mut function: Fields<'_>, id: String) -> Result<(ToolCall, Extra)> {
    let name: String = function.require("name")?;
    let arguments = match function.take_raw("arguments") {
        // Some servers write the object itself.
        Some(text) if text.starts_with('{') => text.to_owned(),
        Some(text) => read(text, &function.path().field("arguments"))?,
        None => String::new(),
    };
    Ok((ToolCall::new(id, name, arguments), function.rest(&CHAT)))
}

/// The fields that say something: OpenAI writes `annotations: []` and `logprobs: null` into every answer.
fn without_empty(extra: &Extra) -> Extra {
    let says = |value: &RawJson| !matches!(value.get(), "null" | "[]");
    let fields = extra.fields_for(&CHAT).filter(|(_, value)| says(value));
    Extra::new(
        CHAT,
        fields
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
    )
}
