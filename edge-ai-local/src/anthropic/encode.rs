//! A completion as a message, and as the events of a stream.

use serde_json::{Value, json};

use super::cache::Cached;
use super::thinking;
use crate::generate::{Completion, Finish};
use crate::id;
use crate::json::set;

mod stream;

pub(super) use stream::events;

/// What goes around a completion.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) model: String,
    /// Number of the request, for the ids of tool uses.
    pub(super) number: u64,
    pub(super) cached: Cached,
    /// Thinking goes out as text, not as a signature alone.
    pub(super) shows_thinking: bool,
}

pub(super) fn message(done: &Completion, envelope: &Envelope) -> Value {
    let (stop_reason, stop_sequence) = stop(&done.finish);
    json!({
        "id": envelope.id, "type": "message", "role": "assistant", "model": envelope.model,
        "content": blocks(done, envelope), "stop_reason": stop_reason, "stop_sequence": stop_sequence,
        "stop_details": null, "container": null, "diagnostics": null, "usage": usage(envelope, done),
    })
}

/// Content blocks in order: thinking, text, tool uses.
fn blocks(done: &Completion, envelope: &Envelope) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(text) = &done.reasoning {
        let text = if envelope.shows_thinking {
            text.as_str()
        } else {
            ""
        };
        blocks.push(json!({ "type": "thinking", "thinking": text, "signature": thinking::sign(text) }));
    }
    if !done.text.is_empty() {
        blocks.push(json!({ "type": "text", "text": done.text }));
    }
    blocks.extend(done.tool_calls.iter().enumerate().map(|(at, call)| {
        let id = format!(
            "toolu_01{}",
            id::alphanumeric(envelope.number, &format!("tool use {at}"), 22)
        );
        json!({ "type": "tool_use", "id": id, "name": call.name, "input": call.arguments,
                "caller": { "type": "direct" } })
    }));
    blocks
}

fn stop(finish: &Finish) -> (&'static str, Option<&str>) {
    match finish {
        Finish::Stop => ("end_turn", None),
        Finish::StopSequence(mark) => ("stop_sequence", Some(mark)),
        Finish::Length => ("max_tokens", None),
        Finish::ToolCalls => ("tool_use", None),
    }
}

/// Usage at the end of the message.
fn usage(envelope: &Envelope, done: &Completion) -> Value {
    let mut usage = usage_at_start(envelope);
    set(&mut usage, "output_tokens", done.usage.output);
    set(
        &mut usage,
        "output_tokens_details",
        json!({ "thinking_tokens": done.usage.reasoning }),
    );
    usage
}

fn usage_at_start(envelope: &Envelope) -> Value {
    let cached = envelope.cached;
    json!({
        "input_tokens": cached.plain, "cache_creation_input_tokens": cached.created,
        "cache_read_input_tokens": cached.read,
        "cache_creation": { "ephemeral_5m_input_tokens": cached.created - cached.created_1h,
                            "ephemeral_1h_input_tokens": cached.created_1h },
        "output_tokens": 1, "output_tokens_details": null, "server_tool_use": null, "service_tier": "standard",
        "inference_geo": null, "speed": null,
    })
}
