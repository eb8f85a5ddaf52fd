//! The native dialect: `{"response", "tool_calls", "usage"}`, and its stream.

use serde_json::{Value, json};

use crate::generate::{Completion, ToolCall, tokens};
use crate::json::set;
use crate::reply::Frame;

/// An answer in one piece. With JSON mode `response` is the value itself, not its text.
pub(super) fn response(done: &Completion, structured: bool) -> Value {
    let mut answer =
        json!({ "response": done.text, "tool_calls": tool_calls(&done.tool_calls), "usage": usage(done) });
    if structured && let Ok(value) = serde_json::from_str::<Value>(&done.text) {
        set(&mut answer, "response", value);
    }
    if !done.tool_calls.is_empty() {
        set(&mut answer, "response", Value::Null);
    }
    answer
}

/// Frames of a stream, each with the padding `p` that hides the tokens' lengths.
pub(super) fn stream(done: &Completion) -> Vec<Frame> {
    let mut frames: Vec<Frame> = tokens::pieces(&done.text)
        .into_iter()
        .enumerate()
        .map(|(at, piece)| Frame::data(json!({ "response": piece, "p": padding(at) })))
        .collect();
    if !done.tool_calls.is_empty() {
        let calls = tool_calls(&done.tool_calls);
        frames.push(Frame::data(
            json!({ "response": null, "tool_calls": calls, "p": padding(0) }),
        ));
    }
    frames.push(Frame::data(
        json!({ "response": "", "usage": usage(done), "p": padding(frames.len()) }),
    ));
    frames.push(Frame::done());
    frames
}

fn tool_calls(calls: &[ToolCall]) -> Vec<Value> {
    calls
        .iter()
        .map(|call| json!({ "name": call.name, "arguments": call.arguments }))
        .collect()
}

fn usage(done: &Completion) -> Value {
    let (input, output) = (done.usage.input, done.usage.output);
    json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
}

fn padding(at: usize) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    LETTERS.get(..1 + at * 7 % LETTERS.len()).unwrap_or(LETTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Finish, Usage};

    #[test]
    fn the_stream_joins_to_the_answer_and_ends_with_usage() {
        let usage = Usage {
            input: 3,
            output: 5,
            reasoning: 0,
        };
        let done = Completion {
            reasoning: None,
            text: "one two, three".into(),
            tool_calls: vec![ToolCall {
                name: "f".into(),
                arguments: json!({ "a": 1 }),
            }],
            finish: Finish::ToolCalls,
            usage,
        };
        let frames = stream(&done);
        let parsed: Vec<Value> = frames
            .iter()
            .filter_map(|frame| serde_json::from_str(&frame.data).ok())
            .collect();
        let text: String = parsed
            .iter()
            .filter_map(|frame| frame["response"].as_str())
            .collect();
        assert_eq!(text, done.text);
        assert!(parsed.iter().all(|frame| frame["p"].is_string()));
        assert!(
            parsed
                .iter()
                .any(|frame| frame["tool_calls"] == json!([{ "name": "f", "arguments": { "a": 1 } }]))
        );
        assert_eq!(parsed.last().unwrap()["usage"]["total_tokens"], 8);
        assert_eq!(frames.last(), Some(&Frame::done()));
    }
}
