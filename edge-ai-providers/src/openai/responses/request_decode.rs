mod content;
mod items;
mod tools;

use bytes::Bytes;
use edge_ai_core::{
    ChatInput, ChatRequest, Error, ErrorKind, Message, ReasoningConfig, Result, Role, Verbatim,
};

use super::nested::rest_with;
use super::{Echo, RESPONSES};
use crate::openai::{invalid, model, number, positive, text_of};
use crate::wire::{Fields, Path, read};

/// A request to `/v1/responses`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponsesCall {
    /// What is asked. It keeps the body, for providers of the same dialect.
    pub request: ChatRequest,
    /// Whether the answer is wanted piece by piece.
    pub stream: bool,
    /// What the answer repeats of the request.
    pub echo: Echo,
    /// Why nobody but a provider that speaks the dialect can answer: what the request refers to is kept there.
    pub bound: Option<Error>,
}

/// Reads a client's request.
///
/// - `instructions` become a first message of instructions. Items that the assistant made one after the other (thoughts, texts, calls) become
///   one message; an item of a kind that only this dialect knows is [`ContentPart::Other`](edge_ai_core::ContentPart::Other) whole.
/// - The encrypted content of a thought, with its id, is its signature.
/// - A tool that is no function is [`Tool::Vendor`](edge_ai_core::Tool::Vendor).
/// - Unknown fields are kept at every level; those of `text` and `reasoning` by names such as `text.verbosity`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] for a body that is no such request, naming the field at fault.
pub fn decode_responses_request(body: &Bytes) -> Result<ResponsesCall> {
    let mut fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let echo = Echo::of(&fields);
    let model = model(&mut fields)?;
    let stream = fields.take("stream")?.unwrap_or(false);
    let mut bound = bound(&fields)?;
    let input = input(fields, &mut bound)?;
    let request = ChatRequest::from_input(model, Verbatim::new(input).with_native(RESPONSES, body.clone()));
    Ok(ResponsesCall {
        request,
        stream,
        echo,
        bound,
    })
}

/// The first thing that only the vendor knows.
fn bound(fields: &Fields<'_>) -> Result<Option<Error>> {
    const KEPT: [(&str, &str); 4] = [
        (
            "previous_response_id",
            "earlier answers are not kept here; send the conversation so far as `input`",
        ),
        (
            "conversation",
            "conversations are not kept here; send the conversation so far as `input`",
        ),
        (
            "prompt",
            "prompts are not kept here; send the prompt itself as `instructions` or `input`",
        ),
        (
            "background",
            "answers are not kept here; ask without `background`, with `stream` for a long one",
        ),
    ];
    for (name, message) in KEPT {
        let asks = match name {
            "background" => fields.peek::<bool>(name).unwrap_or(false),
            _ => fields.peek_raw(name).is_some(),
        };
        if asks {
            return Ok(Some(unsupported(name, message)));
        }
    }
    Ok(None)
}

fn unsupported(param: impl Into<String>, message: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("{message}, or name a model of a provider that speaks the Responses API"),
    )
    .with_param(param)
}

fn input(mut fields: Fields<'_>, bound: &mut Option<Error>) -> Result<ChatInput> {
    let mut input = ChatInput::default();
    let instructions: Option<String> = fields.take("instructions")?;
    input
        .messages
        .extend(instructions.map(|text| Message::from_text(Role::System, text)));
    messages(&mut fields, &mut input, bound)?;
    input.tools = tools::decode(&mut fields)?;
    input.tool_choice = tools::decode_choice(&mut fields, bound)?;
    input.parallel_tool_calls = fields.take("parallel_tool_calls")?;
    input.max_output_tokens = positive(&mut fields, "max_output_tokens", u32::MAX)?;
    input.temperature = number(&mut fields, "temperature", 0.0, 2.0)?;
    input.top_p = number(&mut fields, "top_p", 0.0, 1.0)?;
    input.presence_penalty = number(&mut fields, "presence_penalty", -2.0, 2.0)?;
    input.frequency_penalty = number(&mut fields, "frequency_penalty", -2.0, 2.0)?;
    // Taken before the rest, written after it.
    let text = fields.take_raw("text");
    let reasoning = fields.take_raw("reasoning");
    let root = Path::ROOT;
    let mut inner = Vec::with_capacity(2);
    if let Some(text) = text {
        let mut text = Fields::parse(text, root.field("text"))?;
        input.response_format = tools::decode_format(&mut text)?;
        inner.push(("text", text));
    }
    if let Some(reasoning) = reasoning {
        let mut reasoning = Fields::parse(reasoning, root.field("reasoning"))?;
        let effort: Option<String> = reasoning.take("effort")?;
        input.reasoning = effort.map(ReasoningConfig::effort);
        inner.push(("reasoning", reasoning));
    }
    input.extra = rest_with(fields, inner);
    Ok(input)
}

fn messages(fields: &mut Fields<'_>, input: &mut ChatInput, bound: &mut Option<Error>) -> Result<()> {
    let Some(text) = fields.take_raw("input") else {
        if input.messages.is_empty() && bound.is_none() {
            return Err(invalid(fields, "input", "`input` is required"));
        }
        return Ok(());
    };
    let path = fields.path().field("input");
    if text.starts_with('"') {
        let text: String = read(text, &path)?;
        input.messages.push(Message::from_text(Role::User, text));
        return Ok(());
    }
    items::decode(text, &path, &mut input.messages, bound)
}
