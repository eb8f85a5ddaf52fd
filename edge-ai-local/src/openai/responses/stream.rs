//! A completion event by event.

use serde_json::{Value, json};

use super::encode::{Envelope, begun, output, response, status};
use crate::generate::{Completion, tokens};
use crate::json::set;
use crate::reply::Frame;

struct Events(Vec<Frame>);

impl Events {
    fn push(&mut self, kind: &'static str, fields: Value) {
        let mut event = json!({ "type": kind, "sequence_number": self.0.len() });
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
            event.extend(fields);
        }
        self.0.push(Frame::event(kind, event));
    }
}

/// An error inside a stream that has begun.
pub(crate) fn error_frame(number: usize) -> Frame {
    Frame::event(
        "error",
        json!({ "type": "error", "sequence_number": number, "error": {
            "type": "server_error", "code": "server_error", "param": null,
            "message": "The server had an error while processing your request. Sorry about that!" } }),
    )
}

/// The events of a stream. Calls are written beside each other, a piece of each in turn.
pub(super) fn events(done: &Completion, envelope: &Envelope) -> Vec<Frame> {
    let mut events = Events(Vec::new());
    for kind in ["response.created", "response.in_progress"] {
        events.push(kind, json!({ "response": begun(envelope) }));
    }
    let items = output(done, envelope);
    let mut calls = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item.get("type").and_then(Value::as_str) {
            Some("reasoning") => thought(&mut events, at, item),
            Some("message") => message(&mut events, at, item),
            _ => calls.push((at, item)),
        }
    }
    self::calls(&mut events, &calls);
    let kind = match status(done) {
        "incomplete" => "response.incomplete",
        _ => "response.completed",
    };
    events.push(kind, json!({ "response": response(done, envelope) }));
    events.0
}

fn begin(events: &mut Events, at: usize, item: &Value, emptied: &[(&str, Value)]) {
    let mut begun = item.clone();
    for (name, value) in emptied {
        set(&mut begun, name, value.clone());
    }
    events.push(
        "response.output_item.added",
        json!({ "output_index": at, "item": begun }),
    );
}

fn end(events: &mut Events, at: usize, item: &Value) {
    events.push(
        "response.output_item.done",
        json!({ "output_index": at, "item": item }),
    );
}

fn thought(events: &mut Events, at: usize, item: &Value) {
    begin(
        events,
        at,
        item,
        &[("summary", json!([])), ("encrypted_content", Value::Null)],
    );
    let place = |fields: Value| {
        let mut event = json!({ "item_id": item.get("id"), "output_index": at, "summary_index": 0 });
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
            event.extend(fields);
        }
        event
    };
    if let Some(text) = item.pointer("/summary/0/text").and_then(Value::as_str) {
        let part = |text: &str| json!({ "part": { "type": "summary_text", "text": text } });
        events.push("response.reasoning_summary_part.added", place(part("")));
        for piece in tokens::pieces(text) {
            events.push(
                "response.reasoning_summary_text.delta",
                place(json!({ "delta": piece })),
            );
        }
        events.push(
            "response.reasoning_summary_text.done",
            place(json!({ "text": text })),
        );
        events.push("response.reasoning_summary_part.done", place(part(text)));
    }
    end(events, at, item);
}

fn message(events: &mut Events, at: usize, item: &Value) {
    begin(
        events,
        at,
        item,
        &[("status", json!("in_progress")), ("content", json!([]))],
    );
    let text = item
        .pointer("/content/0/text")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let part = |text: &str| json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text });
    let place = |name: &str, value: Value| {
        let mut event = json!({ "item_id": item.get("id"), "output_index": at, "content_index": 0 });
        set(&mut event, name, value);
        event
    };
    events.push("response.content_part.added", place("part", part("")));
    for piece in tokens::pieces(text) {
        events.push("response.output_text.delta", place("delta", json!(piece)));
    }
    events.push("response.output_text.done", place("text", json!(text)));
    events.push("response.content_part.done", place("part", part(text)));
    end(events, at, item);
}

fn calls(events: &mut Events, calls: &[(usize, &Value)]) {
    let arguments = |item: &Value| {
        item.get("arguments")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    for (at, item) in calls {
        begin(
            events,
            *at,
            item,
            &[("status", json!("in_progress")), ("arguments", json!(""))],
        );
    }
    let texts: Vec<String> = calls.iter().map(|(_, item)| arguments(item)).collect();
    let pieces: Vec<Vec<&str>> = texts.iter().map(|text| tokens::pieces(text)).collect();
    let longest = pieces.iter().map(Vec::len).max().unwrap_or_default();
    for turn in 0..longest {
        for ((at, item), pieces) in calls.iter().zip(&pieces) {
            if let Some(piece) = pieces.get(turn) {
                events.push(
                    "response.function_call_arguments.delta",
                    json!({ "item_id": item.get("id"), "output_index": at, "delta": piece }),
                );
            }
        }
    }
    for (at, item) in calls {
        events.push(
            "response.function_call_arguments.done",
            json!({ "item_id": item.get("id"), "output_index": at, "name": item.get("name"), "arguments": arguments(item) }),
        );
        end(events, *at, item);
    }
}
