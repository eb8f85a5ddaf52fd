//! A completion as one answer, and as the chunks of a stream.

use serde_json::{Value, json};

use super::signature;
use crate::generate::{Completion, Finish, Prompt, tokens};
use crate::id;
use crate::json::set;
use crate::reply::Frame;

/// What goes around a completion.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) model: String,
    /// Number of the request, for the ids of calls.
    pub(super) number: u64,
    /// Gemini 3: ids and signatures.
    pub(super) third: bool,
    pub(super) shows_thoughts: bool,
}

impl Envelope {
    /// The answer to a prompt that the filter blocks.
    pub(super) fn blocked(&self, prompt: &Prompt) -> Value {
        let read = prompt.tokens();
        json!({
            "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" },
            "usageMetadata": { "promptTokenCount": read, "totalTokenCount": read },
            "modelVersion": self.model, "responseId": self.id })
    }

    fn answer(&self, parts: &[Value], finish: Option<&Finish>, usage: Value) -> Value {
        let mut candidate = json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
        if let Some(finish) = finish {
            set(&mut candidate, "finishReason", reason(finish));
        }
        json!({
            "candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model, "responseId": self.id })
    }
}

pub(super) fn whole(done: &Completion, envelope: &Envelope) -> Value {
    let mut parts = thoughts(done, envelope);
    if !done.text.is_empty() {
        let mut part = json!({ "text": done.text });
        if envelope.third {
            set(&mut part, "thoughtSignature", signature::of_text());
        }
        parts.push(part);
    }
    parts.extend(calls(done, envelope));
    envelope.answer(&parts, Some(&done.finish), usage(done))
}

/// The chunks of a stream; the last one has the reason to stop.
pub(super) fn chunks(done: &Completion, envelope: &Envelope) -> Vec<Frame> {
    let read = json!({ "promptTokenCount": done.usage.input, "totalTokenCount": done.usage.input });
    let chunk = |parts: &[Value]| Frame::data(envelope.answer(parts, None, read.clone()));
    let mut frames = Vec::new();
    for thought in thoughts(done, envelope) {
        let text = thought.get("text").and_then(Value::as_str).unwrap_or_default();
        let pieces = tokens::pieces(text).into_iter();
        frames.extend(pieces.map(|piece| chunk(&[json!({ "text": piece, "thought": true })])));
    }
    let pieces = tokens::pieces(&done.text).into_iter();
    frames.extend(pieces.map(|piece| chunk(&[json!({ "text": piece })])));
    frames.extend(
        calls(done, envelope)
            .iter()
            .map(|call| chunk(std::slice::from_ref(call))),
    );
    // The signature of a text comes on an empty one, when all has been said.
    let mut last = json!({ "text": "" });
    if envelope.third && done.tool_calls.is_empty() {
        set(&mut last, "thoughtSignature", signature::of_text());
    }
    frames.push(Frame::data(envelope.answer(
        &[last],
        Some(&done.finish),
        usage(done),
    )));
    frames
}

fn thoughts(done: &Completion, envelope: &Envelope) -> Vec<Value> {
    let shown = done.reasoning.as_ref().filter(|_| envelope.shows_thoughts);
    shown
        .map(|text| json!({ "text": text, "thought": true }))
        .into_iter()
        .collect()
}

/// Of several calls at once the first is signed.
fn calls(done: &Completion, envelope: &Envelope) -> Vec<Value> {
    let part = |(at, call): (usize, &crate::generate::ToolCall)| {
        let mut function = json!({ "name": call.name, "args": call.arguments });
        if envelope.third {
            let id = id::alphanumeric(envelope.number, &format!("gemini call {at}"), 8).to_lowercase();
            set(&mut function, "id", id);
        }
        let mut part = json!({ "functionCall": function });
        if envelope.third && at == 0 {
            set(
                &mut part,
                "thoughtSignature",
                signature::of_call(&call.name, &call.arguments),
            );
        }
        part
    };
    done.tool_calls.iter().enumerate().map(part).collect()
}

fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Length => "MAX_TOKENS",
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => "STOP",
    }
}

/// Thoughts stand beside the candidates' tokens.
fn usage(done: &Completion) -> Value {
    let mut usage = json!({
        "promptTokenCount": done.usage.input,
        "candidatesTokenCount": done.usage.output - done.usage.reasoning,
        "totalTokenCount": done.usage.input + done.usage.output,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": done.usage.input }] });
    if done.usage.reasoning > 0 {
        set(&mut usage, "thoughtsTokenCount", done.usage.reasoning);
    }
    usage
}
