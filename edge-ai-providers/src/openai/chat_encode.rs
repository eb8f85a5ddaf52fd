mod content;
mod messages;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatRequest, Error, ErrorKind, ReasoningConfig, Result};

use super::CHAT;
use super::chat_request::text_of;
use crate::wire::{Fields, ObjectWriter, Path, splice_fields, write_object};

pub(super) use messages::write_call;

/// In what a server that speaks OpenAI's dialect differs from OpenAI.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// The field for the most tokens of an answer.
    pub max_tokens: MaxTokensField,
    /// Whether there is a `developer` role; without it, such messages go out as `system`.
    pub developer_role: bool,
    /// Whether what the model thought goes back to it, as `reasoning_content`. DeepSeek and Moonshot want it between tool calls;
    /// other servers refuse or ignore it.
    pub send_reasoning: bool,
    /// Whether there is `top_k`; without it, the hint is dropped.
    pub top_k: bool,
    /// Whether vectors can come in base64, which is a third of the bytes and quicker to read.
    pub base64_embeddings: bool,
}

impl Compatibility {
    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        developer_role: true,
        send_reasoning: false,
        top_k: false,
        base64_embeddings: true,
    };

    /// What all compatible servers understand.
    pub const COMPATIBLE: Self = Self {
        max_tokens: MaxTokensField::MaxTokens,
        developer_role: false,
        send_reasoning: false,
        top_k: true,
        base64_embeddings: false,
    };

    /// Sends what the model thought back to it.
    #[must_use]
    pub const fn with_reasoning(self) -> Self {
        Self {
            send_reasoning: true,
            ..self
        }
    }
}

impl Default for Compatibility {
    fn default() -> Self {
        Self::OPENAI
    }
}

/// The field for the most tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaxTokensField {
    /// `max_completion_tokens`, the only one for OpenAI's reasoning models.
    MaxCompletionTokens,
    /// `max_tokens`, the only one that some servers know.
    MaxTokens,
}

/// Writes a request for OpenAI.
///
/// A body that came in this dialect goes out as it is, but for `model` and the options of the stream.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what the dialect cannot say and [`ErrorKind::InvalidRequest`] without messages, naming the field.
pub fn encode_chat_request(request: &ChatRequest, stream: bool) -> Result<Bytes> {
    encode_chat_request_with(request, stream, &Compatibility::OPENAI)
}

/// Writes a request for a server that differs from OpenAI.
///
/// # Errors
/// As [`encode_chat_request`].
pub fn encode_chat_request_with(
    request: &ChatRequest,
    stream: bool,
    server: &Compatibility,
) -> Result<Bytes> {
    match request.input.native_in(&CHAT) {
        Some(body) => rewrite(body, &request.model, stream, server),
        None => write_object(|object| write(object, request, stream, server)).map(Bytes::from),
    }
}

/// The client's own body, with the fields that are ours to set.
fn rewrite(body: &Bytes, model: &str, stream: bool, server: &Compatibility) -> Result<Bytes> {
    let fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = json_string(model);
    let mut changes = vec![("model", Some(model.as_str()))];
    let options;
    if stream {
        options = stream_options(fields.peek_raw("stream_options"))?;
        changes.extend([
            ("stream", Some("true")),
            ("stream_options", Some(options.as_str())),
        ]);
    } else {
        if fields.peek::<bool>("stream") == Some(true) {
            changes.push(("stream", Some("false")));
        }
        // Refused by OpenAI without `stream`.
        changes.push(("stream_options", None));
    }
    let newer = fields.peek_raw("max_completion_tokens");
    if server.max_tokens == MaxTokensField::MaxTokens && newer.is_some() {
        changes.extend([("max_completion_tokens", None), ("max_tokens", newer)]);
    }
    splice_fields(body, fields, &changes)
}

/// The client's options, and that we want to know the usage.
fn stream_options(written: Option<&str>) -> Result<String> {
    const OURS: &str = r#"{"include_usage":true}"#;
    let Some(written) = written else {
        return Ok(OURS.to_owned());
    };
    let fields = Fields::parse(written, Path::ROOT)?;
    let spliced = splice_fields(
        &Bytes::copy_from_slice(written.as_bytes()),
        fields,
        &[("include_usage", Some("true"))],
    )?;
    String::from_utf8(spliced.to_vec()).map_err(|error| {
        Error::new(ErrorKind::Internal, "`stream_options` was not written as text").with_source(error)
    })
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write(
    object: &mut ObjectWriter<'_>,
    request: &ChatRequest,
    stream: bool,
    server: &Compatibility,
) -> Result<()> {
    let input = &**request;
    if input.messages.is_empty() {
        return Err(Error::invalid("messages", "must have at least one message"));
    }
    object.field("model", &request.model);
    object.array("messages", |array| {
        messages::write(array, &input.messages, server)
    })?;
    tools::write(object, input)?;
    let max_tokens = match server.max_tokens {
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensField::MaxTokens => "max_tokens",
    };
    object.optional(max_tokens, input.max_output_tokens);
    object.optional("temperature", input.temperature);
    object.optional("top_p", input.top_p);
    object.optional("top_k", input.top_k.filter(|_| server.top_k));
    if !input.stop.is_empty() {
        object.field("stop", &input.stop);
    }
    object.optional("seed", input.seed);
    object.optional("presence_penalty", input.presence_penalty);
    object.optional("frequency_penalty", input.frequency_penalty);
    object.optional("n", input.choices);
    object.optional("reasoning_effort", input.reasoning.as_ref().and_then(effort));
    for (name, value) in input.extra.fields_for(&CHAT) {
        // Set since by its own name.
        let set = match name {
            "tool_choice" => input.tool_choice.is_some(),
            "top_k" => input.top_k.is_some(),
            _ => false,
        };
        if !set {
            object.raw(name, value.get());
        }
    }
    if stream {
        object.field("stream", true);
        object.raw("stream_options", r#"{"include_usage":true}"#);
    }
    Ok(())
}

/// The effort, or the one nearest to a number of tokens.
fn effort(reasoning: &ReasoningConfig) -> Option<&str> {
    /// The budgets up to which an effort is meant, as OpenAI-compatible servers with budgets commonly map them.
    const LOW: u32 = 2_048;
    const MEDIUM: u32 = 8_192;
    match (&reasoning.effort, reasoning.max_tokens) {
        (Some(effort), _) => Some(effort),
        (None, Some(0)) => Some("none"),
        (None, Some(..=LOW)) => Some("low"),
        (None, Some(..=MEDIUM)) => Some("medium"),
        (None, Some(_)) => Some("high"),
        (None, None) => None,
    }
}
