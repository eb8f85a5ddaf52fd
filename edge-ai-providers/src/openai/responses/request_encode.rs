mod items;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, Error, ErrorKind, Result};

use super::{RESPONSES, nested};
use crate::openai::chat_encode::effort;
use crate::openai::{CHAT, shared, text_of};
use crate::wire::{Fields, ObjectWriter, Path, splice_fields, write_object};

/// The least limit that OpenAI takes
/// (<https://platform.openai.com/docs/api-reference/responses/create#responses-create-max_output_tokens>).
const MIN_OUTPUT: u32 = 16;

/// Writes the body of `POST /v1/responses`.
///
/// A request that came in this dialect goes out as it came, with the model and `stream` set. Any other is translated:
///
/// - A message becomes the items that it holds. Thoughts go back with their id and encrypted content; those of other vendors, which OpenAI
///   cannot read, do not.
/// - The vendor keeps nothing (`store` is false) unless the client's own dialect of OpenAI's says so, and a model that thinks gives its
///   thoughts encrypted, for the next turn.
/// - A function is not strict unless it says so, as with chat completions.
/// - A limit below 16 tokens is raised to it, which is the least that OpenAI takes.
/// - `top_k`, seeds and penalties are left out: the API has none.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what the API has no counterpart for, such as texts to stop at or several choices, and
/// [`ErrorKind::InvalidRequest`] without messages; both name the field.
pub fn encode_responses_request(request: &ChatRequest, stream: bool) -> Result<Bytes> {
    match request.input.native_in(&RESPONSES) {
        Some(body) => rewrite(body, request, stream),
        None => write_object(|object| write(object, request, stream)).map(Bytes::from),
    }
}

/// The client's own body, with the fields that are ours to set.
fn rewrite(body: &Bytes, request: &ChatRequest, stream: bool) -> Result<Bytes> {
    let fields = Fields::parse(text_of(body)?, Path::ROOT)?;
    let model = serde_json::Value::from(request.model.as_str()).to_string();
    let mut changes = vec![("model", Some(model.as_str()))];
    if stream {
        changes.push(("stream", Some("true")));
    } else if fields.peek::<bool>("stream") == Some(true) {
        changes.extend([("stream", Some("false")), ("stream_options", None)]);
    }
    splice_fields(body, fields, &changes)
}

fn write(object: &mut ObjectWriter<'_>, request: &ChatRequest, stream: bool) -> Result<()> {
    let input = &**request;
    check(input)?;
    prompt(object, request)?;
    object.optional(
        "max_output_tokens",
        input.max_output_tokens.map(|tokens| tokens.max(MIN_OUTPUT)),
    );
    object.optional("temperature", input.temperature);
    object.optional("top_p", input.top_p);
    let said = |name| input.extra.get(&RESPONSES, name).is_some() || input.extra.get(&CHAT, name).is_some();
    if !said("store") {
        object.field("store", false);
    }
    if !said("include") && thinks(&request.model) {
        object.field("include", ["reasoning.encrypted_content"]);
    }
    for (name, value) in input.extra.fields_for(&RESPONSES) {
        // Written with the object that they are in, or since set by its own name.
        if !name.contains('.') && !is_prompt(name) && (stream || name != "stream_options") {
            object.raw(name, value.get());
        }
    }
    object.optional("top_logprobs", input.extra.get(&CHAT, "top_logprobs"));
    for (name, value) in shared::fields(input, &RESPONSES) {
        object.raw(name, value.get());
    }
    if stream {
        object.field("stream", true);
    }
    Ok(())
}

/// Fields of the request that say what is asked, beside those that the vocabulary knows.
const PROMPT: [&str; 5] = [
    "previous_response_id",
    "conversation",
    "prompt",
    "truncation",
    "tool_choice",
];

fn is_prompt(name: &str) -> bool {
    PROMPT.contains(&name)
}

/// Writes what is asked: all that counts as input.
pub(super) fn prompt(object: &mut ObjectWriter<'_>, request: &ChatRequest) -> Result<()> {
    let input = &**request;
    object.field("model", &request.model);
    if !input.messages.is_empty() {
        object.array("input", |array| items::write(array, &input.messages))?;
    }
    tools::write(object, input)?;
    let effort = input.reasoning.as_ref().and_then(effort);
    if effort.is_some() || nested::any(&input.extra, "reasoning") {
        object.object("reasoning", |object| {
            object.optional("effort", effort);
            nested::write(object, &input.extra, "reasoning");
            Ok(())
        })?;
    }
    for (name, value) in input.extra.fields_for(&RESPONSES) {
        let set = name == "tool_choice" && input.tool_choice.is_some();
        if is_prompt(name) && !set {
            object.raw(name, value.get());
        }
    }
    Ok(())
}

fn check(input: &ChatInput) -> Result<()> {
    let kept = ["previous_response_id", "conversation", "prompt"];
    if input.messages.is_empty()
        && !kept
            .iter()
            .any(|name| input.extra.get(&RESPONSES, name).is_some())
    {
        return Err(Error::invalid("messages", "must have at least one message"));
    }
    if input.stop.iter().any(|text| !text.is_empty()) {
        return Err(unsupported("stop", "texts to stop at"));
    }
    if input.choices.is_some_and(|choices| choices > 1) {
        return Err(unsupported("n", "several choices"));
    }
    Ok(())
}

/// Whether a model of OpenAI's gives encrypted thoughts; others refuse to be asked.
fn thinks(model: &str) -> bool {
    let numbered = |family: &str| model.starts_with(family) && !model.contains("chat");
    ["gpt-5", "gpt-6", "o1", "o3", "o4", "codex"]
        .into_iter()
        .any(numbered)
}

/// What the dialect cannot say.
fn unsupported(param: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("OpenAI's Responses API cannot carry {what}"),
    )
    .with_param(param)
}
