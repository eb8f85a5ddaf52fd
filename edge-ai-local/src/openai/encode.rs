//! A completion as `chat.completion` and as a stream of `chat.completion.chunk`.

use serde_json::{Value, json};

use crate::generate::{Completion, Finish, ToolCall, tokens};
use crate::id;
use crate::json::set;

mod chunks;

pub(crate) use chunks::stream;

/// What goes around a completion.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) created: u64,
    /// Number of the request, for the ids of tool calls.
    pub(crate) number: u64,
    pub(crate) choices: usize,
    pub(crate) logprobs: bool,
    pub(crate) include_usage: bool,
    /// Reasoning goes out as `reasoning_content`, as Workers AI does and OpenAI does not.
    pub(crate) shows_reasoning: bool,
}

pub(crate) fn completion(done: &Completion, envelope: &Envelope) -> Value {
    let choices: Vec<Value> = (0..envelope.choices)
        .map(|index| {
            json!({
                "index": index,
                "message": message(done, envelope, index),
                "logprobs": envelope.logprobs.then(|| json!({ "content": logprobs(&done.text), "refusal": null })),
                "finish_reason": finish_reason(&done.finish),
            })
        })
        .collect();
    json!({
        "id": envelope.id, "object": "chat.completion", "created": envelope.created, "model": envelope.model,
        "choices": choices, "usage": usage(done, envelope.choices),
        "service_tier": "default", "system_fingerprint": "fp_edge_ai_local",
    })
}

fn message(done: &Completion, envelope: &Envelope, choice: usize) -> Value {
    let calls: Vec<Value> = done
        .tool_calls
        .iter()
        .enumerate()
        .map(|(at, call)| tool_call(call, &call_id(envelope, choice, at)))
        .collect();
    let mut message =
        json!({ "role": "assistant", "content": done.text, "refusal": null, "annotations": [] });
    if !calls.is_empty() {
        set(&mut message, "content", Value::Null);
        set(&mut message, "tool_calls", calls);
    }
    if let (true, Some(reasoning)) = (envelope.shows_reasoning, &done.reasoning) {
        set(&mut message, "reasoning_content", reasoning.as_str());
    }
    message
}

fn tool_call(call: &ToolCall, id: &str) -> Value {
    json!({ "id": id, "type": "function",
            "function": { "name": call.name, "arguments": call.arguments.to_string() } })
}

fn call_id(envelope: &Envelope, choice: usize, at: usize) -> String {
    format!(
        "call_{}",
        id::alphanumeric(envelope.number, &format!("tool call {choice} {at}"), 24)
    )
}

fn finish_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
    }
}

fn usage(done: &Completion, choices: usize) -> Value {
    let output = done.usage.output * choices;
    json!({
        "prompt_tokens": done.usage.input, "completion_tokens": output, "total_tokens": done.usage.input + output,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": done.usage.reasoning * choices, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
    })
}

/// Log probabilities for show: the generator is certain of every token.
fn logprobs(text: &str) -> Vec<Value> {
    tokens::pieces(text)
        .into_iter()
        .map(|token| json!({ "token": token, "logprob": 0.0, "bytes": token.as_bytes(), "top_logprobs": [] }))
        .collect()
}
