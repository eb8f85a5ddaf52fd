mod content;
mod messages;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, Error, ErrorKind, ReasoningConfig, Result, Verbatim};

use super::CHAT;
use super::params::{integer, invalid, model, number, positive};
use crate::wire::{Fields, Path, elements, read};

// For the Responses API, whose tools are these in another form.
pub(in crate::openai) use tools::{each, schema, word_of_choice};

/// A request to `/v1/chat/completions`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatCall {
    /// What is asked. It keeps the body, for providers of the same dialect.
    pub request: ChatRequest,
    /// Whether the answer is wanted piece by piece.
    pub stream: bool,
    /// Whether a stream is to tell its usage before its end.
    pub include_usage: bool,
}

/// Reads a client's request.
///
/// Unknown fields are kept at every level. Of the deprecated function calling, a conversation's calls and results are read as
/// those of tools; the fields `functions` and `function_call` go to OpenAI's dialect alone.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] for a body that is no such request, naming the field at fault.
pub fn decode_chat_request(body: &Bytes) -> Result<ChatCall> {
    let mut fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = model(&mut fields)?;
    let stream = fields.take("stream")?.unwrap_or(false);
    let include_usage = include_usage(&mut fields)?;
    let input = input(fields)?;
    let request = ChatRequest::from_input(model, Verbatim::new(input).with_native(CHAT, body.clone()));
    Ok(ChatCall {
        request,
        stream,
        include_usage,
    })
}

/// The body as text.
pub(crate) fn text_of(body: &Bytes) -> Result<&str> {
    std::str::from_utf8(body).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            "the body is not UTF-8, as JSON must be",
        )
        .with_source(error)
    })
}

fn include_usage(fields: &mut Fields<'_>) -> Result<bool> {
    let Some(text) = fields.take_raw("stream_options") else {
        return Ok(false);
    };
    let path = fields.path().field("stream_options");
    let mut options = Fields::parse(text, path)?;
    Ok(options.take("include_usage")?.unwrap_or(false))
}

fn input(mut fields: Fields<'_>) -> Result<ChatInput> {
    let mut input = ChatInput::default();
    input.messages = messages::decode(&mut fields)?;
    input.tools = tools::decode(&mut fields)?;
    input.tool_choice = tools::decode_choice(&mut fields)?;
    input.parallel_tool_calls = fields.take("parallel_tool_calls")?;
    input.response_format = tools::decode_response_format(&mut fields)?;
    input.reasoning = fields
        .take("reasoning_effort")?
        .map(|effort: String| ReasoningConfig::effort(effort));
    input.max_output_tokens = max_output_tokens(&mut fields)?;
    input.temperature = number(&mut fields, "temperature", 0.0, 2.0)?;
    input.top_p = number(&mut fields, "top_p", 0.0, 1.0)?;
    input.top_k = top_k(&mut fields);
    input.stop = stop(&mut fields)?;
    input.seed = integer(&mut fields, "seed")?;
    input.presence_penalty = number(&mut fields, "presence_penalty", -2.0, 2.0)?;
    input.frequency_penalty = number(&mut fields, "frequency_penalty", -2.0, 2.0)?;
    input.choices = positive(&mut fields, "n", 128)?;
    input.extra = fields.rest(&CHAT);
    Ok(input)
}

/// The newer name counts where both are written.
fn max_output_tokens(fields: &mut Fields<'_>) -> Result<Option<u32>> {
    let older = positive(fields, "max_tokens", u32::MAX)?;
    let newer = positive(fields, "max_completion_tokens", u32::MAX)?;
    Ok(newer.or(older))
}

/// Not OpenAI's own, but of many compatible servers, some of which allow -1 for "all": that stays an unknown field.
fn top_k(fields: &mut Fields<'_>) -> Option<u32> {
    let top_k = fields.peek("top_k").filter(|top_k| *top_k > 0)?;
    fields.take_raw("top_k");
    Some(top_k)
}

fn stop(fields: &mut Fields<'_>) -> Result<Vec<String>> {
    /// As many as OpenAI takes.
    const MOST: usize = 4;
    let Some(text) = fields.peek_raw("stop") else {
        fields.take_raw("stop");
        return Ok(Vec::new());
    };
    fields.take_raw("stop");
    if text.starts_with('"') {
        return Ok(vec![read(text, &fields.path().field("stop"))?]);
    }
    if !text.starts_with('[') {
        return Err(invalid(fields, "stop", "must be a string or an array of strings"));
    }
    let path = fields.path().field("stop");
    let texts = elements(text, &path)?;
    if texts.len() > MOST {
        return Err(invalid(
            fields,
            "stop",
            format!("has {} texts, at most {MOST} are allowed", texts.len()),
        ));
    }
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| read(text, &path.index(index)))
        .collect()
}
