mod content;
mod messages;
mod thinking;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, Error, Result, Verbatim};

use super::MESSAGES;
use super::response::rest;
use crate::openai::{invalid, model, number, positive, text_of};
use crate::wire::{Fields, Path, elements, read};

/// A request to `/v1/messages`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessagesCall {
    /// What is asked. It keeps the body, for providers of the same dialect.
    pub request: ChatRequest,
    /// Whether the answer is wanted piece by piece.
    pub stream: bool,
}

/// Reads a client's request. [`encode_messages_request`](super::encode_messages_request) is its reverse.
///
/// - `system` becomes a first message of instructions, and so do messages of the role `system`, in their place.
/// - The results of tools in a turn of the user become a message of the role [`Tool`](edge_ai_core::Role::Tool), before one
///   with the rest of the turn.
/// - `thinking` with a budget asks for [reasoning](edge_ai_core::ReasoningConfig) of as many tokens, `disabled` for none, and
///   `output_config.effort` for the effort; `adaptive` alone leaves it to the vendor. `output_config.format` is the form of the
///   answer. Both fields are kept as they are besides, for providers of this dialect.
/// - Unknown fields are kept at every level, `metadata` among them. A block of a kind that only this dialect knows is
///   [`ContentPart::Other`](edge_ai_core::ContentPart::Other) whole.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a body that is no such request, naming the field at fault.
pub fn decode_messages_request(body: &Bytes) -> Result<MessagesCall> {
    decode(body, true)
}

/// Reads a client's request for the tokens of a prompt (`POST /v1/messages/count_tokens`): the same without `max_tokens`.
///
/// # Errors
/// As [`decode_messages_request`].
pub fn decode_count_tokens_request(body: &Bytes) -> Result<MessagesCall> {
    decode(body, false)
}

fn decode(body: &Bytes, answered: bool) -> Result<MessagesCall> {
    let mut fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = model(&mut fields)?;
    let stream = fields.take("stream")?.unwrap_or(false);
    let input = input(fields, answered)?;
    let request = ChatRequest::from_input(model, Verbatim::new(input).with_native(MESSAGES, body.clone()));
    Ok(MessagesCall { request, stream })
}

fn input(mut fields: Fields<'_>, answered: bool) -> Result<ChatInput> {
    let mut input = ChatInput::default();
    input.messages = messages::decode(&mut fields)?;
    input.max_output_tokens = max_tokens(&mut fields, answered)?;
    input.tools = tools::decode(&mut fields)?;
    tools::decode_choice(&mut fields, &mut input)?;
    thinking::decode(&fields, &mut input)?;
    input.temperature = number(&mut fields, "temperature", 0.0, 1.0)?;
    input.top_p = number(&mut fields, "top_p", 0.0, 1.0)?;
    input.top_k = top_k(&mut fields)?;
    input.stop = stop(&mut fields)?;
    check_metadata(&fields)?;
    input.extra = rest(fields);
    Ok(input)
}

fn max_tokens(fields: &mut Fields<'_>, required: bool) -> Result<Option<u32>> {
    if required && fields.peek_raw("max_tokens").is_none() {
        return Err(invalid(fields, "max_tokens", "`max_tokens` is required"));
    }
    positive(fields, "max_tokens", u32::MAX)
}

fn top_k(fields: &mut Fields<'_>) -> Result<Option<u32>> {
    fields
        .take("top_k")
        .map_err(|error| invalid(fields, "top_k", "must be a whole number of at least 0").with_source(error))
}

fn stop(fields: &mut Fields<'_>) -> Result<Vec<String>> {
    let Some(text) = fields.take_raw("stop_sequences") else {
        return Ok(Vec::new());
    };
    let path = fields.path().field("stop_sequences");
    let texts = elements(text, &path).map_err(|error| {
        Error::invalid(path.to_string(), "must be an array of strings").with_source(error)
    })?;
    let mut stop = Vec::with_capacity(texts.len());
    for (index, text) in texts.into_iter().enumerate() {
        let path = path.index(index);
        let text: String = read(text, &path)?;
        if text.trim().is_empty() {
            return Err(Error::invalid(
                path.to_string(),
                "must have more than white space",
            ));
        }
        stop.push(text);
    }
    Ok(stop)
}

/// It stays an unknown field: who the user is, is between the client and the vendor.
fn check_metadata(fields: &Fields<'_>) -> Result<()> {
    if let Some(text) = fields.peek_raw("metadata") {
        let path = fields.path().field("metadata");
        Fields::parse(text, path)?.take::<String>("user_id")?;
    }
    Ok(())
}
