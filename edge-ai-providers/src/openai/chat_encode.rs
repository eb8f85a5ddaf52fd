mod content;
mod messages;
mod rules;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatRequest, Error, ErrorKind, ReasoningConfig, Result};

use super::CHAT;
use super::chat_request::text_of;
use super::compatibility::{Compatibility, MaxTokensField};
use super::shared;
use crate::wire::{Fields, ObjectWriter, Path, splice_fields, write_object};

pub(super) use messages::write_call;

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
        Some(body) => rewrite(body, request, stream, server),
        None => write_object(|object| write(object, request, stream, server)).map(Bytes::from),
    }
}

/// The client's own body, with the fields that are ours to set.
fn rewrite(body: &Bytes, request: &ChatRequest, stream: bool, server: &Compatibility) -> Result<Bytes> {
    let fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    check(request, server)?;
    let model = json_string(&request.model);
    let mut changes = vec![("model", Some(model.as_str()))];
    let (options, messages);
    if stream {
        changes.push(("stream", Some("true")));
        if server.stream_options {
            options = stream_options(fields.peek_raw("stream_options"))?;
            changes.push(("stream_options", Some(options.as_str())));
        } else {
            changes.push(("stream_options", None));
        }
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
    if fields.peek_raw("reasoning_effort").is_none() && stops_thinking_for_tools(request) {
        changes.push(("reasoning_effort", Some(r#""none""#)));
    }
    for name in server.refused_hints {
        changes.push((name, None));
    }
    for (name, own) in server.renamed {
        if let Some(value) = fields.peek_raw(name) {
            changes.extend([(*name, None), (*own, Some(value))]);
        }
    }
    // Only a conversation that the server would refuse is written anew.
    if request
        .messages
        .iter()
        .any(|message| rules::refuses(server, message))
    {
        messages = conversation(request, server)?;
        changes.push(("messages", Some(messages.as_str())));
    }
    splice_fields(body, fields, &changes)
}

/// The messages as the server takes them.
fn conversation(request: &ChatRequest, server: &Compatibility) -> Result<String> {
    const NAME: &str = "messages";
    let object =
        write_object(|object| object.array(NAME, |array| messages::write(array, &request.messages, server)))?;
    // Without the object around them.
    let array = object
        .get(NAME.len() + 4..object.len() - 1)
        .map(<[u8]>::to_vec)
        .map(String::from_utf8);
    match array {
        Some(Ok(array)) => Ok(array),
        _ => Err(Error::new(
            ErrorKind::Internal,
            "the messages were not written as text",
        )),
    }
}

/// Whether the server has what the answer depends on.
fn check(request: &ChatRequest, server: &Compatibility) -> Result<()> {
    if server.tools || request.tools.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "the server's models do not call tools").with_param("tools"))
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
    check(request, server)?;
    object.field("model", &request.model);
    object.array("messages", |array| {
        messages::write(array, &input.messages, server)
    })?;
    tools::write(object, input, server)?;
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
    if let Some(name) = server.field("seed") {
        object.optional(name, input.seed);
    }
    for (name, penalty) in [
        ("presence_penalty", input.presence_penalty),
        ("frequency_penalty", input.frequency_penalty),
    ] {
        if let Some(name) = server.field(name) {
            object.optional(name, penalty);
        }
    }
    object.optional("n", input.choices);
    let effort = match &input.reasoning {
        Some(reasoning) => effort(reasoning),
        None => stops_thinking_for_tools(request).then_some("none"),
    };
    object.optional("reasoning_effort", effort);
    for (name, value) in input.extra.fields_for(&CHAT) {
        // Set since by its own name.
        let set = match name {
            "tool_choice" => input.tool_choice.is_some(),
            "top_k" => input.top_k.is_some(),
            _ => false,
        };
        if let (Some(name), false) = (server.field(name), set) {
            object.raw(name, value.get());
        }
    }
    for (name, value) in shared::fields(input, &CHAT) {
        if let Some(name) = server.field(name) {
            object.raw(name, value.get());
        }
    }
    if stream {
        object.field("stream", true);
        if server.stream_options {
            object.raw("stream_options", r#"{"include_usage":true}"#);
        }
    }
    Ok(())
}

/// The effort, or the one nearest to a number of tokens.
pub(crate) fn effort(reasoning: &ReasoningConfig) -> Option<&str> {
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

/// Whether the request has tools and its model takes them here only when it does not think, which it does unless it is told.
///
/// OpenAI's error names the remedy: "Function tools with reasoning_effort are not supported for gpt-5.6-luna in
/// /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'." Its largest models
/// (`gpt-6-astra`, `gpt-6.1-sol`) do not know `none`.
fn stops_thinking_for_tools(request: &ChatRequest) -> bool {
    const MODELS: [&str; 4] = ["gpt-5.6", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra"];
    !request.tools.is_empty() && MODELS.iter().any(|prefix| request.model.starts_with(prefix))
}
