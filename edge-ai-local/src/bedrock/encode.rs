//! A completion as Converse answers it, and as the events of its stream.

use serde_json::{Value, json};

use crate::anthropic::{Cached, thinking};
use crate::generate::{Completion, Finish, tokens};
use crate::id;
use crate::json::set;
use crate::reply::Frame;

/// What goes around a completion.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    /// Number of the request, for the ids of tool uses.
    pub(super) number: u64,
    pub(super) cached: Cached,
}

pub(super) fn message(done: &Completion, envelope: &Envelope) -> Value {
    json!({
        "output": { "message": { "role": "assistant", "content": blocks(done, envelope) } },
        "stopReason": stop(&done.finish), "usage": usage(done, envelope), "metrics": { "latencyMs": 1 },
    })
}

/// Content blocks in order: thinking, text, tool uses.
fn blocks(done: &Completion, envelope: &Envelope) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(text) = &done.reasoning {
        let thought = json!({ "text": text, "signature": thinking::sign(text) });
        blocks.push(json!({ "reasoningContent": { "reasoningText": thought } }));
    }
    if !done.text.is_empty() {
        blocks.push(json!({ "text": done.text }));
    }
    blocks.extend(done.tool_calls.iter().enumerate().map(|(at, call)| {
        let id = format!(
            "tooluse_{}",
            id::alphanumeric(envelope.number, &format!("tool use {at}"), 22)
        );
        json!({ "toolUse": { "toolUseId": id, "name": call.name, "input": call.arguments } })
    }));
    blocks
}

fn stop(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
    }
}

fn usage(done: &Completion, envelope: &Envelope) -> Value {
    let cached = envelope.cached;
    json!({
        "inputTokens": cached.plain, "outputTokens": done.usage.output,
        "totalTokens": cached.plain + cached.read + cached.created + done.usage.output,
        "cacheReadInputTokens": cached.read, "cacheWriteInputTokens": cached.created,
    })
}

pub(super) fn events(done: &Completion, envelope: &Envelope) -> Vec<Frame> {
    let mut frames = vec![event("messageStart", json!({ "role": "assistant" }))];
    for (index, block) in blocks(done, envelope).into_iter().enumerate() {
        let at = |mut data: Value| {
            set(&mut data, "contentBlockIndex", index);
            data
        };
        // Of texts and thoughts nothing is said before their deltas.
        if let Some(call) = block.get("toolUse") {
            let start =
                json!({ "toolUse": { "toolUseId": call.get("toolUseId"), "name": call.get("name") } });
            frames.push(event("contentBlockStart", at(json!({ "start": start }))));
        }
        let delta = |delta: Value| event("contentBlockDelta", at(json!({ "delta": delta })));
        frames.extend(deltas(&block).into_iter().map(delta));
        frames.push(event("contentBlockStop", at(json!({}))));
    }
    frames.push(event("messageStop", json!({ "stopReason": stop(&done.finish) })));
    let metadata = json!({ "usage": usage(done, envelope), "metrics": { "latencyMs": 1 } });
    frames.push(event("metadata", metadata));
    frames
}

/// An event, with the padding that the service hides its length with.
fn event(name: &'static str, mut data: Value) -> Frame {
    set(&mut data, "p", "abcdefghij");
    Frame::aws(name, data)
}

fn deltas(block: &Value) -> Vec<Value> {
    let text = |pointer: &str| block.pointer(pointer).and_then(Value::as_str);
    if let Some(text) = text("/text") {
        let pieces = tokens::pieces(text).into_iter();
        return pieces.map(|piece| json!({ "text": piece })).collect();
    }
    if let Some(thought) = text("/reasoningContent/reasoningText/text") {
        let signature = text("/reasoningContent/reasoningText/signature");
        let pieces = tokens::pieces(thought)
            .into_iter()
            .map(|piece| json!({ "text": piece }));
        return pieces
            .chain([json!({ "signature": signature })])
            .map(|delta| json!({ "reasoningContent": delta }))
            .collect();
    }
    let input = block
        .pointer("/toolUse/input")
        .map(Value::to_string)
        .unwrap_or_default();
    tokens::pieces(&input)
        .into_iter()
        .map(|piece| json!({ "toolUse": { "input": piece } }))
        .collect()
}
