use edge_ai_core::{ChatRequest, ContentPart, Message, Role, ToolCall, ToolResult};
use edge_ai_providers::compatible::{MISTRAL, VENDORS};
use edge_ai_providers::openai::{ChatStreamDecoder, decode_chat_request, encode_chat_request_with};
use proptest::prelude::*;
use serde_json::Value;

use crate::exchange::fixture;

proptest! {
    /// However a stream is cut, it says the same.
    #[test]
    fn any_cut_of_any_stream_says_the_same(cuts in prop::collection::vec(0_usize..2_000, 0..12)) {
        for stream in [
            fixture!("groq.stream.sse"),
            fixture!("groq.error.sse"),
            fixture!("perplexity.stream.sse"),
            fixture!("openrouter.stream.sse"),
            fixture!("openrouter.choice_error.sse"),
            fixture!("openrouter.signed.sse"),
            fixture!("gemini.stream.sse"),
            fixture!("azure.stream.sse"),
            fixture!("mistral.stream.sse"),
        ] {
            let mut cuts = cuts.clone();
            cuts.retain(|cut| *cut < stream.len());
            cuts.sort_unstable();
            let read = |cuts: &[usize]| {
                let mut decoder = ChatStreamDecoder::new();
                let mut events = Vec::new();
                let mut from = 0;
                for to in cuts.iter().copied().chain([stream.len()]) {
                    match decoder.push(stream.slice(from..to)) {
                        Ok(frames) => events.extend(frames.into_iter().flat_map(|frame| frame.events)),
                        Err(failed) => return (events, Some(failed.message().to_owned())),
                    }
                    from = to;
                }
                match decoder.finish() {
                    Ok(frames) => events.extend(frames.into_iter().flat_map(|frame| frame.events)),
                    Err(failed) => return (events, Some(failed.message().to_owned())),
                }
                (events, None)
            };
            prop_assert_eq!(read(&cuts), read(&[]));
        }
    }

    /// Calls and their results keep together, whatever their ids were.
    #[test]
    fn mistrals_ids_keep_calls_and_results_together(ids in prop::collection::hash_set(".{0,40}", 1..8)) {
        let ids: Vec<String> = ids.into_iter().collect();
        let calls = ids.iter().map(|id| ContentPart::ToolCall(ToolCall::new(id.as_str(), "f", "{}")));
        let results = ids.iter().map(|id| ContentPart::ToolResult(ToolResult::from_text(id.as_str(), "r")));
        let request = ChatRequest::new("m")
            .user("Hello!")
            .message(Message::new(Role::Assistant, calls.collect()))
            .message(Message::new(Role::Tool, results.collect()));
        let body = encode_chat_request_with(&request, false, &MISTRAL.compatibility).unwrap();
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let called: Vec<&str> = sent["messages"][1]["tool_calls"]
            .as_array().unwrap().iter().filter_map(|call| call["id"].as_str()).collect();
        let mut apart = called.clone();
        apart.sort_unstable();
        apart.dedup();
        prop_assert_eq!(apart.len(), ids.len());
        for (at, id) in called.iter().enumerate() {
            prop_assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            prop_assert_eq!(&sent["messages"][2 + at]["tool_call_id"], *id);
        }
    }

    /// What one vendor gets, every vendor takes again: its rules leave nothing for a second pass.
    #[test]
    fn a_vendors_rules_hold_after_one_pass(content in ".{0,20}", name in prop::option::of("[a-z]{1,8}"), id in "[ -~]{1,20}") {
        let mut user = serde_json::json!({"role": "user", "content": content});
        if let Some(name) = name {
            user["name"] = name.into();
        }
        let call = serde_json::json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
        let body = serde_json::json!({"model": "m", "seed": 1, "user": "u", "store": true, "messages": [
            {"role": "developer", "content": "d"}, user,
            {"role": "assistant", "content": "a", "reasoning_content": "r", "annotations": [1]},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": id, "content": "r"},
        ]});
        let body = bytes::Bytes::from(body.to_string());
        for vendor in VENDORS {
            let request = decode_chat_request(&body).unwrap().request;
            let once = encode_chat_request_with(&request, true, &vendor.compatibility).unwrap();
            let request = decode_chat_request(&once).unwrap().request;
            let twice = encode_chat_request_with(&request, true, &vendor.compatibility).unwrap();
            prop_assert_eq!(&twice, &once, "{}", vendor.name);
        }
    }
}
