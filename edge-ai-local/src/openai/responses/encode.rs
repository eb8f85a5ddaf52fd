//! A completion as a `response`.

use serde_json::{Map, Value, json};

use super::seal;
use crate::generate::{Completion, Finish};
use crate::id;
use crate::json::set;

/// What goes around a completion.
pub(super) struct Envelope {
    /// What the ids of the answer and of its items end in.
    pub(super) suffix: String,
    pub(super) model: String,
    pub(super) created: u64,
    /// Number of the request, for the ids of calls.
    pub(super) number: u64,
    /// What the answer repeats.
    pub(super) request: Map<String, Value>,
}

/// The fields of a request that the answer repeats, with what they are unsaid.
fn echo(envelope: &Envelope) -> Map<String, Value> {
    let unsaid = json!({
        "background": false, "instructions": null, "max_output_tokens": null, "max_tool_calls": null, "metadata": {},
        "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
        "reasoning": { "effort": null, "summary": null }, "safety_identifier": null, "service_tier": "default",
        "store": true, "temperature": 1.0, "text": { "format": { "type": "text" } }, "tool_choice": "auto", "tools": [],
        "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "user": null,
    });
    let mut fields = unsaid.as_object().cloned().unwrap_or_default();
    for (name, value) in &mut fields {
        if let Some(said) = envelope.request.get(name).filter(|said| !said.is_null()) {
            *value = said.clone();
        }
    }
    fields
}

/// The response as it begins.
pub(super) fn begun(envelope: &Envelope) -> Value {
    let mut response = json!({
        "id": format!("resp_{}", envelope.suffix), "object": "response", "created_at": envelope.created,
        "status": "in_progress", "completed_at": null, "error": null, "incomplete_details": null,
        "model": envelope.model, "output": [], "usage": null,
    });
    if let Value::Object(fields) = &mut response {
        fields.extend(echo(envelope));
    }
    response
}

/// The response as it ends.
pub(super) fn response(done: &Completion, envelope: &Envelope) -> Value {
    let mut response = begun(envelope);
    set(&mut response, "output", output(done, envelope));
    set(&mut response, "status", status(done));
    if done.finish == Finish::Length {
        set(
            &mut response,
            "incomplete_details",
            json!({ "reason": "max_output_tokens" }),
        );
    } else {
        set(&mut response, "completed_at", envelope.created);
    }
    let usage = &done.usage;
    set(
        &mut response,
        "usage",
        json!({
            "input_tokens": usage.input, "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
            "output_tokens": usage.output, "output_tokens_details": { "reasoning_tokens": usage.reasoning },
            "total_tokens": usage.input + usage.output,
        }),
    );
    response
}

pub(super) fn status(done: &Completion) -> &'static str {
    if done.finish == Finish::Length {
        "incomplete"
    } else {
        "completed"
    }
}

/// The items of an answer: the thought, then the calls or the text.
pub(super) fn output(done: &Completion, envelope: &Envelope) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(reasoning) = &done.reasoning {
        items.push(thought(reasoning, envelope));
    }
    if done.tool_calls.is_empty() {
        let part = json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": done.text });
        items.push(
            json!({ "id": format!("msg_{}", envelope.suffix), "type": "message", "status": status(done),
                           "role": "assistant", "content": [part] }),
        );
    }
    for (at, call) in done.tool_calls.iter().enumerate() {
        let call_id = id::alphanumeric(envelope.number, &format!("response call {at}"), 24);
        items.push(json!({ "id": format!("fc_{at}{}", envelope.suffix), "type": "function_call", "status": "completed",
                           "call_id": format!("call_{call_id}"), "name": call.name, "arguments": call.arguments.to_string() }));
    }
    items
}

/// It is shown as a summary to who asks for one, and encrypted to who asks for that.
fn thought(reasoning: &str, envelope: &Envelope) -> Value {
    let id = format!("rs_{}", envelope.suffix);
    let asked = envelope
        .request
        .get("reasoning")
        .and_then(|reasoning| reasoning.get("summary"));
    let summary = match asked {
        Some(Value::String(_)) => json!([{ "type": "summary_text", "text": reasoning }]),
        _ => json!([]),
    };
    let includes = envelope.request.get("include").and_then(Value::as_array);
    let encrypted =
        includes.is_some_and(|all| all.iter().any(|include| include == "reasoning.encrypted_content"));
    let mut item = json!({ "id": id, "type": "reasoning", "summary": summary });
    if encrypted {
        set(&mut item, "encrypted_content", seal::seal(&id));
    }
    item
}
