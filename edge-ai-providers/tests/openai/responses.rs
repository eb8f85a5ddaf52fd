use bytes::Bytes;
use edge_ai_core::{
    ChatOutput, ChatRequest, ContentPart, ErrorKind, Extra, FinishReason, ReasoningPart, ToolCall, Usage,
};
use edge_ai_providers::openai::{
    CHAT, Head, decode_chat_response, encode_chat_request, encode_chat_response,
};
use serde_json::json;

use crate::fixture::{fixture, json, text};

fn decode(body: Bytes) -> ChatOutput {
    decode_chat_response(body).unwrap().into_inner()
}

fn head() -> Head {
    Head {
        id: "chatcmpl-ours".into(),
        created: 1_764_000_000,
        model: "openai/gpt".into(),
    }
}

/// What is written when the vendor's own text is not there any more.
fn rewritten(body: Bytes) -> Bytes {
    encode_chat_response(&decode(body).into(), &head())
}

#[test]
fn a_text() {
    let output = decode(fixture!("responses/text.json"));
    assert_eq!(
        (&*output.id, &*output.model),
        ("chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "gpt-4.1-2025-04-14")
    );
    assert_eq!(
        output.content,
        [ContentPart::text("Hello! How can I assist you today?")]
    );
    assert_eq!(output.finish_reason, FinishReason::Stop);
    let mut usage = Usage::new(19, 10);
    usage.cache_read_tokens = 8;
    assert_eq!(output.usage, Some(usage));
    assert_eq!(
        output.extra.names().collect::<Vec<_>>(),
        ["created", "service_tier", "system_fingerprint", "x_big"]
    );
}

#[test]
fn calls_of_tools() {
    let output = decode(fixture!("responses/tools.json"));
    let expected = [
        ContentPart::ToolCall(ToolCall::new(
            "call_abc",
            "get_weather",
            "{\n\"city\": \"Boston, MA\"\n}",
        )),
        ContentPart::ToolCall(ToolCall::new("call_def", "get_time", "")),
    ];
    assert_eq!(output.content, expected);
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    // Clients parse the arguments.
    let sent = json(&rewritten(fixture!("responses/tools.json")));
    assert_eq!(
        sent["choices"][0]["message"]["tool_calls"][1]["function"]["arguments"],
        "{}"
    );
    assert_eq!(sent["choices"][0]["message"]["content"], json!(null));
}

#[test]
fn thoughts_and_refusals() {
    let output = decode(fixture!("responses/thoughts.json"));
    let thought = ReasoningPart::new("Compare the tenths: 1 < 8.", None);
    assert_eq!(
        output.content,
        [
            ContentPart::Reasoning(thought),
            ContentPart::text("9.8 is larger.")
        ]
    );
    assert_eq!(output.usage.unwrap().reasoning_tokens, 21);

    let output = decode(fixture!("responses/refusal.json"));
    assert_eq!(
        output.content,
        [ContentPart::Refusal(
            "I'm sorry, I cannot assist with that request.".into()
        )]
    );
}

#[test]
fn signatures_reach_the_client() {
    let mut output = ChatOutput::from_text("9.8");
    output.content.insert(
        0,
        ContentPart::Reasoning(ReasoningPart::new("hm", Some("sig".into()))),
    );
    output
        .content
        .insert(1, ContentPart::Reasoning(ReasoningPart::redacted("data")));
    let sent = encode_chat_response(&output.clone().into(), &head());
    let message = &json(&sent)["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "hm");
    let blocks = json!([{"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "redacted_thinking", "data": "data"}]);
    assert_eq!(message["thinking_blocks"], blocks);
    assert_eq!(decode(sent).content, output.content);
}

#[test]
fn of_several_choices_the_first_is_read_and_all_are_kept() {
    let body = fixture!("responses/several.json");
    let response = decode_chat_response(body.clone()).unwrap();
    assert_eq!(response.text(), "Heads");
    assert_eq!(response.finish_reason, FinishReason::Length);
    assert_eq!(encode_chat_response(&response, &head()), body);
    let mut expected = json(&body);
    expected["choices"].as_array_mut().unwrap().pop();
    let sent = json(&rewritten(body));
    for place in ["annotations", "content"] {
        assert_eq!(
            sent["choices"][0]["message"][place],
            expected["choices"][0]["message"][place]
        );
    }
    for place in ["logprobs", "content_filter_results", "finish_reason"] {
        assert_eq!(sent["choices"][0][place], expected["choices"][0][place]);
    }
}

#[test]
fn what_a_server_leaves_out_is_no_error() {
    let output = decode(fixture!("responses/minimal.json"));
    assert_eq!(output, ChatOutput::from_text("hi"));
    let sent = json(&rewritten(fixture!("responses/minimal.json")));
    let message = json!({"role": "assistant", "content": "hi", "refusal": null});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    let expected = json!({"id": "chatcmpl-ours", "object": "chat.completion", "created": 1_764_000_000, "model": "openai/gpt", "choices": [choice]});
    assert_eq!(sent, expected);
}

#[test]
fn odd_types_are_no_error() {
    let output = decode(fixture!("responses/odd.json"));
    assert_eq!((&*output.id, &*output.model), ("17", ""));
    let expected = [
        ContentPart::Reasoning(ReasoningPart::new("Hm.", None)),
        ContentPart::text("Yes."),
        ContentPart::ToolCall(ToolCall::new("", "f", r#"{"a": 1}"#)),
    ];
    assert_eq!(output.content, expected);
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    assert_eq!(output.usage, Some(Usage::new(3, 0)));
    // A call without an id gets one: its result has to be tied to it.
    let sent = json(&rewritten(fixture!("responses/odd.json")));
    assert_eq!(
        sent["choices"][0]["message"]["tool_calls"][0]["id"],
        "call_chatcmpl-ours_0"
    );
}

#[test]
fn unknown_fields_survive_the_loss_of_the_text() {
    for (body, field) in [
        (
            fixture!("responses/text.json"),
            r#""x_big":12345678901234567890123"#,
        ),
        (fixture!("responses/text.json"), r#""created":1741569952"#),
        (
            fixture!("responses/thoughts.json"),
            r#""system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache""#,
        ),
    ] {
        let sent = rewritten(body);
        assert!(text(&sent).contains(field), "{}", text(&sent));
        assert_eq!(text(&sent).matches("\"created\"").count(), 1);
    }
}

#[test]
fn every_reason_has_its_word() {
    for (reason, word) in [
        (FinishReason::Stop, "stop"),
        (FinishReason::StopSequence, "stop"),
        (FinishReason::Pause, "stop"),
        (FinishReason::Length, "length"),
        (FinishReason::ContextWindow, "length"),
        (FinishReason::ToolCalls, "tool_calls"),
        (FinishReason::ContentFilter, "content_filter"),
        (FinishReason::Refusal, "content_filter"),
        (FinishReason::Other("eos".into()), "eos"),
    ] {
        let mut output = ChatOutput::from_text("x");
        output.finish_reason = reason;
        let sent = encode_chat_response(&output.into(), &head());
        assert_eq!(json(&sent)["choices"][0]["finish_reason"], word);
    }
}

#[test]
fn junk_is_a_bad_upstream_and_an_error_is_itself() {
    for junk in [
        &b""[..],
        b"<html>",
        b"[]",
        b"{}",
        b"\xff",
        br#"{"choices":null}"#,
        br#"{"choices":[]}"#,
        br#"{"choices":[{}]}"#,
        br#"{"choices":[{"message":5}]}"#,
        br#"{"choices":[{"message":{"tool_calls":[{"function":{}}]}}]}"#,
        br#"{"choices":[{"message":{"refusal":5}}]}"#,
    ] {
        let error = decode_chat_response(Bytes::from_static(junk)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{error}");
        assert!(error.is_retryable());
    }
    let error = decode_chat_response(fixture!("errors/quota.json")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
}

#[test]
fn parts_of_another_dialect_are_left_out() {
    let mut output = ChatOutput::from_text("x");
    let other = Extra::new(
        edge_ai_core::Dialect::new("other"),
        vec![("a".into(), edge_ai_core::RawJson::parse("1").unwrap())],
    );
    output.content.push(ContentPart::Other(other.clone()));
    output.extra = other;
    assert!(!text(&encode_chat_response(&output.into(), &head())).contains("\"a\""));
    assert_eq!(CHAT.as_str(), "openai.chat");
}

#[test]
fn sound_goes_back_by_its_id() {
    let body = Bytes::from_static(
        br#"{"id":"c","model":"gpt-audio","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":null,
            "audio":{"id":"audio_1","expires_at":1,"data":"UklGRg==","transcript":"Hi"}}}]}"#,
    );
    let sent = json(&rewritten(body.clone()));
    assert_eq!(sent["choices"][0]["message"]["audio"]["transcript"], "Hi");
    let request = ChatRequest::new("gpt-audio")
        .user("Hello")
        .message(decode(body).to_message())
        .user("Again?");
    let sent = json(&encode_chat_request(&request, false).unwrap());
    assert_eq!(
        sent["messages"][1],
        json!({"role": "assistant", "content": null, "audio": {"id": "audio_1"}})
    );
}
