//! A completion frame by frame.

use serde_json::{Value, json};

use super::{Envelope, call_id, finish_reason, logprobs, usage};
use crate::generate::{Completion, tokens};
use crate::json::set;
use crate::reply::Frame;

/// Frames of a stream: the role, the text or the calls, the finish reason, usage when asked for, and the end mark.
pub(crate) fn stream(done: &Completion, envelope: &Envelope) -> Vec<Frame> {
    let mut frames = Vec::new();
    for choice in 0..envelope.choices {
        let mut push = |delta: Value, finish: Option<&str>, logprobs: Value| {
            frames.push(chunk(
                envelope,
                &json!([{
                "index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish }]),
            ));
        };
        push(
            json!({ "role": "assistant", "content": "", "refusal": null }),
            None,
            Value::Null,
        );
        if let (true, Some(reasoning)) = (envelope.shows_reasoning, &done.reasoning) {
            for piece in tokens::pieces(reasoning) {
                push(json!({ "reasoning_content": piece }), None, Value::Null);
            }
        }
        for piece in tokens::pieces(&done.text) {
            let certain = if envelope.logprobs {
                json!({ "content": logprobs(piece), "refusal": null })
            } else {
                Value::Null
            };
            push(json!({ "content": piece }), None, certain);
        }
        for (at, call) in done.tool_calls.iter().enumerate() {
            // The id and the name come once; the arguments come in pieces under the same index.
            push(
                json!({ "tool_calls": [{ "index": at, "id": call_id(envelope, choice, at), "type": "function",
                                         "function": { "name": call.name, "arguments": "" } }] }),
                None,
                Value::Null,
            );
            for piece in tokens::pieces(&call.arguments.to_string()) {
                let delta = json!({ "tool_calls": [{ "index": at, "function": { "arguments": piece } }] });
                push(delta, None, Value::Null);
            }
        }
        push(json!({}), Some(finish_reason(&done.finish)), Value::Null);
    }
    if envelope.include_usage {
        let mut last = bare_chunk(envelope, &json!([]));
        set(&mut last, "usage", usage(done, envelope.choices));
        frames.push(Frame::data(last));
    }
    frames.push(Frame::done());
    frames
}

fn chunk(envelope: &Envelope, choices: &Value) -> Frame {
    let mut chunk = bare_chunk(envelope, choices);
    if envelope.include_usage {
        set(&mut chunk, "usage", Value::Null);
    }
    Frame::data(chunk)
}

fn bare_chunk(envelope: &Envelope, choices: &Value) -> Value {
    json!({
        "id": envelope.id, "object": "chat.completion.chunk", "created": envelope.created, "model": envelope.model,
        "service_tier": "default", "system_fingerprint": "fp_edge_ai_local", "choices": choices,
    })
}
