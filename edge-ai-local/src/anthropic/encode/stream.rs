//! A message event by event.

use serde_json::{Value, json};

use super::{Envelope, blocks, stop, usage, usage_at_start};
use crate::generate::{Completion, tokens};
use crate::json::set;
use crate::reply::Frame;

pub(in super::super) fn events(done: &Completion, envelope: &Envelope) -> Vec<Frame> {
    let mut frames = Vec::new();
    let start = json!({
        "id": envelope.id, "type": "message", "role": "assistant", "model": envelope.model, "content": [],
        "stop_reason": null, "stop_sequence": null, "stop_details": null, "container": null, "diagnostics": null, "usage": usage_at_start(envelope),
    });
    frames.push(event("message_start", json!({ "message": start })));
    for (index, block) in blocks(done, envelope).into_iter().enumerate() {
        frames.push(event(
            "content_block_start",
            json!({ "index": index, "content_block": opened(&block) }),
        ));
        if index == 0 {
            frames.push(event("ping", json!({})));
        }
        let delta = |delta: Value| event("content_block_delta", json!({ "index": index, "delta": delta }));
        frames.extend(deltas(&block).into_iter().map(delta));
        frames.push(event("content_block_stop", json!({ "index": index })));
    }
    let (stop_reason, stop_sequence) = stop(&done.finish);
    let delta = json!({ "stop_reason": stop_reason, "stop_sequence": stop_sequence, "stop_details": null,
                        "container": null });
    frames.push(event(
        "message_delta",
        json!({ "delta": delta, "usage": usage(envelope, done) }),
    ));
    frames.push(event("message_stop", json!({})));
    frames
}

fn event(name: &'static str, mut data: Value) -> Frame {
    set(&mut data, "type", name);
    Frame::event(name, data)
}

/// A block as it is before its deltas.
fn opened(block: &Value) -> Value {
    let mut opened = block.clone();
    for (key, empty) in [
        ("text", json!("")),
        ("thinking", json!("")),
        ("signature", json!("")),
        ("input", json!({})),
    ] {
        if opened.get(key).is_some() {
            set(&mut opened, key, empty);
        }
    }
    opened
}

fn deltas(block: &Value) -> Vec<Value> {
    let field = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default();
    match field("type") {
        "thinking" => tokens::pieces(field("thinking"))
            .into_iter()
            .map(|piece| json!({ "type": "thinking_delta", "thinking": piece }))
            .chain([json!({ "type": "signature_delta", "signature": field("signature") })])
            .collect(),
        "tool_use" => {
            let input = block.get("input").map(Value::to_string).unwrap_or_default();
            // The first delta is empty, as the service's is.
            std::iter::once("")
                .chain(tokens::pieces(&input))
                .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }))
                .collect()
        }
        _ => tokens::pieces(field("text"))
            .into_iter()
            .map(|piece| json!({ "type": "text_delta", "text": piece }))
            .collect(),
    }
}
