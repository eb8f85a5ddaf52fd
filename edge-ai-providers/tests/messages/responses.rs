use edge_ai_core::{
    ChatOutput, ChatResponse, ContentPart, FinishReason, ImagePart, Media, ReasoningPart, TextPart, ToolCall,
    Usage,
};
use edge_ai_providers::anthropic::{decode_messages_response, encode_messages_response};
use edge_ai_providers::openai::decode_chat_response;
use serde_json::{Value, json};

use crate::{extra, head};

const TOOLS: &str = include_str!("../fixtures/anthropic/tools.response.json");
const SEARCH: &str = include_str!("../fixtures/anthropic/search.response.json");

fn encode(output: ChatOutput) -> Value {
    serde_json::from_slice(&encode_messages_response(&output.into(), &head())).unwrap()
}

fn output(content: Vec<ContentPart>, finish_reason: FinishReason) -> ChatOutput {
    let mut output = ChatOutput::default();
    (output.content, output.finish_reason) = (content, finish_reason);
    output
}

#[test]
fn an_answer_of_the_dialect_goes_out_as_it_came() {
    for text in [TOOLS, SEARCH] {
        let mut response = decode_messages_response(text.into()).unwrap();
        assert_eq!(encode_messages_response(&response, &head()), text);
        response.edit();
        let written = encode_messages_response(&response, &head());
        let mut again = decode_messages_response(written).unwrap();
        again.edit();
        assert_eq!(again, response, "written anew it says the same");
    }
}

#[test]
fn another_vendors_answer_becomes_a_message() {
    let mut answer = output(
        vec![
            ContentPart::Reasoning(ReasoningPart::new("Hm.", None)),
            ContentPart::Reasoning(ReasoningPart::new("Aha.", Some("sig".into()))),
            ContentPart::Reasoning(ReasoningPart::redacted("data")),
            ContentPart::text(""),
            ContentPart::Text(TextPart::new("Cited.", extra(&[("citations", "[{}]")]))),
            ContentPart::Image(ImagePart::new(
                Media::Url("https://example.com".into()),
                None,
                Default::default(),
            )),
            ContentPart::ToolCall(ToolCall::new(
                "call_1",
                "f",
                r#"{"b": 1.50, "a": 12345678901234567890}"#,
            )),
            ContentPart::ToolCall(ToolCall::new("", "g", "")),
            ContentPart::ToolCall(ToolCall::new("call_3", "h", "{\"cut\": \"of")),
            ContentPart::ToolCall(ToolCall::new("call_4", "h", "[1]")),
            ContentPart::Other(extra(&[("type", "\"server_tool_use\""), ("id", "\"s\"")])),
            ContentPart::Other(Default::default()),
        ],
        FinishReason::Stop,
    );
    let mut usage = Usage::new(1_000, 50);
    (
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ) = (700, 200, 12);
    answer.usage = Some(usage);
    let text = encode_messages_response(&answer.clone().into(), &head());
    assert!(
        std::str::from_utf8(&text)
            .unwrap()
            .contains(r#""input":{"b": 1.50, "a": 12345678901234567890}"#),
        "arguments keep their order and digits"
    );
    let mut message = encode(answer);
    message["content"][4]["input"] = json!(null);
    assert_eq!(
        message,
        json!({"id": "msg_ours", "type": "message", "role": "assistant", "model": "smart", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": ""},
            {"type": "thinking", "thinking": "Aha.", "signature": "sig"},
            {"type": "redacted_thinking", "data": "data"},
            {"type": "text", "text": "Cited.", "citations": [{}]},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": null},
            {"type": "tool_use", "id": "toolu_msg_ours_7", "name": "g", "input": {}},
            {"type": "tool_use", "id": "call_3", "name": "h", "input": {}},
            {"type": "tool_use", "id": "call_4", "name": "h", "input": {}},
            {"type": "server_tool_use", "id": "s"}],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 100, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 700,
                "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 12}}})
    );
}

#[test]
fn the_stop_reason_is_what_clients_act_on() {
    let call = || vec![ContentPart::ToolCall(ToolCall::new("1", "f", "{}"))];
    let text = || vec![ContentPart::text("a")];
    let refusal = || vec![ContentPart::Refusal("No.".into())];
    let other = |reason: &str| FinishReason::Other(reason.into());
    for (content, reason, expect) in [
        (text(), FinishReason::Stop, "end_turn"),
        (text(), FinishReason::ToolCalls, "end_turn"),
        (text(), FinishReason::StopSequence, "stop_sequence"),
        (text(), FinishReason::Length, "max_tokens"),
        (text(), FinishReason::ContentFilter, "refusal"),
        (text(), FinishReason::Refusal, "refusal"),
        (text(), FinishReason::Pause, "pause_turn"),
        (
            text(),
            FinishReason::ContextWindow,
            "model_context_window_exceeded",
        ),
        (text(), other("compaction"), "compaction"),
        (text(), other("eos"), "end_turn"),
        (call(), FinishReason::ToolCalls, "tool_use"),
        (call(), FinishReason::Stop, "tool_use"),
        (call(), other("eos"), "tool_use"),
        (call(), FinishReason::Length, "max_tokens"),
        (refusal(), FinishReason::Stop, "refusal"),
    ] {
        assert_eq!(encode(output(content, reason))["stop_reason"], expect);
    }
    let mut stopped = output(text(), FinishReason::StopSequence);
    stopped.extra = extra(&[("stop_sequence", "\"END\"")]);
    assert_eq!(encode(stopped)["stop_sequence"], "END");
}

#[test]
fn openai_answers_survive() {
    for body in [
        &include_bytes!("../fixtures/openai/responses/text.json")[..],
        include_bytes!("../fixtures/openai/responses/tools.json"),
        include_bytes!("../fixtures/openai/responses/thoughts.json"),
        include_bytes!("../fixtures/openai/responses/refusal.json"),
    ] {
        let response: ChatResponse = decode_chat_response(bytes::Bytes::from_static(body)).unwrap();
        let message = decode_messages_response(encode_messages_response(&response, &head())).unwrap();
        assert_eq!(message.model, response.model);
        assert_eq!(
            message.id,
            format!("msg_{}", response.id.trim_start_matches("chatcmpl-"))
        );
        let said = |output: &ChatOutput| {
            let parts = output.content.iter().filter_map(|part| match part {
                ContentPart::Text(part) => Some(part.text.clone()),
                ContentPart::Refusal(text) => Some(text.clone()),
                ContentPart::Reasoning(part) => {
                    Some(format!("{}|{:?}|{:?}", part.text, part.signature, part.redacted))
                }
                ContentPart::ToolCall(call) => {
                    Some(format!("{} {} {}", call.id, call.name, call.arguments_json()))
                }
                _ => None,
            });
            parts.filter(|part| !part.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(said(&message), said(&response));
        assert_eq!(
            message.usage.unwrap_or_default(),
            response.usage.unwrap_or_default()
        );
    }
}
