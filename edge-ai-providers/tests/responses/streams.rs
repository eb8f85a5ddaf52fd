use edge_ai_core::{
    ChatEvent, ChatFrame, ChatStart, Error, ErrorKind, FinishReason, ReasoningDelta, ToolCallDelta, Usage,
};
use edge_ai_providers::anthropic::MessagesStreamEncoder;
use edge_ai_providers::openai::responses::{Echo, RESPONSES, ResponsesStreamEncoder};
use serde_json::json;

use crate::protocol::{End, check, read};
use crate::{decode, events, fixture, head};

#[test]
fn a_stream_is_read() {
    let (events, error) = events(&fixture!("text.sse"));
    assert_eq!(error, None);
    let mut usage = Usage::new(36, 87);
    usage.cache_read_tokens = 16;
    usage.reasoning_tokens = 64;
    let thought = |text: &str| ChatEvent::Reasoning(ReasoningDelta::text(text));
    assert_eq!(
        events,
        [
            ChatEvent::Start(ChatStart::new("resp_68af", "gpt-6-luna-2026-09-01")),
            thought("Look"),
            thought("ing."),
            thought("\n\n"),
            thought("Foun"),
            thought("d."),
            ChatEvent::Reasoning(ReasoningDelta::signature("openai.responses:rs_68af:gAAAAABo")),
            ChatEvent::Text("Grüße".into()),
            ChatEvent::Text(" 🐱".into()),
            ChatEvent::Text("\n".into()),
            ChatEvent::Finish(FinishReason::Stop),
            ChatEvent::Usage(usage),
            ChatEvent::Done,
        ]
    );
}

#[test]
fn interleaved_calls_are_told_apart() {
    let (events, error) = events(&fixture!("tools.sse"));
    assert_eq!(error, None);
    let more = |index, text: &str| ChatEvent::ToolCall(ToolCallDelta::arguments(index, text));
    assert_eq!(
        events[1..8],
        [
            ChatEvent::ToolCall(ToolCallDelta::start(0, "call_a", "get_weather")),
            ChatEvent::ToolCall(ToolCallDelta::start(1, "call_b", "get_time")),
            more(0, "{\"city"),
            more(1, "{"),
            more(0, "\":\"Paris\"}"),
            more(1, "}"),
            ChatEvent::Finish(FinishReason::ToolCalls),
        ]
    );
}

#[test]
fn what_only_the_end_of_an_item_says_is_heard() {
    let (events, error) = events(&fixture!("incomplete.sse"));
    assert_eq!(error, None);
    assert!(matches!(&events[1], ChatEvent::Part(_)));
    assert_eq!(
        events[2..4],
        [
            ChatEvent::Text("Half".into()),
            ChatEvent::Finish(FinishReason::Length)
        ]
    );
}

#[test]
fn failures_end_a_stream() {
    for (stream, kind) in [
        (fixture!("failed.sse"), ErrorKind::RateLimited),
        (fixture!("error.sse"), ErrorKind::Unavailable),
        (fixture!("cut.sse"), ErrorKind::Interrupted),
        (fixture!("malformed.sse"), ErrorKind::BadUpstream),
    ] {
        let (events, error) = events(&stream);
        assert_eq!(error, Some(kind));
        assert!(!events.contains(&ChatEvent::Done));
    }
    let flat = b"data: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"m\",\"sequence_number\":1}\n\n";
    assert_eq!(events(flat).1, Some(ErrorKind::RateLimited));
}

#[test]
fn frames_go_through_untouched() {
    for stream in [
        fixture!("text.sse"),
        fixture!("tools.sse"),
        fixture!("incomplete.sse"),
    ] {
        let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
        let (frames, _) = decode(&[&stream]);
        let passed: Vec<u8> = frames
            .iter()
            .flat_map(|frame| encoder.encode(frame, Some(&RESPONSES)))
            .collect();
        assert_eq!(passed, stream);
        assert!(
            encoder
                .error(&Error::new(ErrorKind::Interrupted, "late"))
                .is_empty()
        );
    }
}

#[test]
fn an_error_goes_on_counting_where_the_vendor_has_stopped() {
    let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
    let (frames, _) = decode(&[&fixture!("cut.sse")]);
    frames
        .iter()
        .for_each(|frame| drop(encoder.encode(frame, Some(&RESPONSES))));
    let written =
        encoder.error(&Error::new(ErrorKind::Interrupted, "the connection was lost").with_code("gone"));
    let last = read(&written).pop().unwrap();
    let expect =
        json!({"message": "the connection was lost", "type": "server_error", "param": null, "code": "gone"});
    assert_eq!(
        (&last["type"], &last["code"], &last["error"]),
        (&json!("error"), &json!("gone"), &expect)
    );
    // After the open message was closed.
    assert_eq!(last["sequence_number"], 4);
}

#[test]
fn another_vendors_stream_is_written_item_by_item() {
    let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
    let mut bytes = Vec::new();
    let call = |index, id: &str, name: &str| ChatEvent::ToolCall(ToolCallDelta::start(index, id, name));
    let more = |index, text: &str| ChatEvent::ToolCall(ToolCallDelta::arguments(index, text));
    for event in [
        ChatEvent::Start(ChatStart::new("msg_1", "claude")),
        ChatEvent::Reasoning(ReasoningDelta::text("Hm")),
        ChatEvent::Reasoning(ReasoningDelta::signature("EqoB")),
        ChatEvent::Text("Par".into()),
        ChatEvent::Text("is".into()),
        call(0, "toolu_1", "f"),
        call(1, "toolu_2", "g"),
        more(0, "{\"a\":"),
        more(1, "{}"),
        more(0, "1}"),
        ChatEvent::Finish(FinishReason::ToolCalls),
        ChatEvent::Usage(Usage::new(3, 4)),
        ChatEvent::Done,
    ] {
        bytes.extend(encoder.encode(&ChatFrame::new(vec![event]), None));
    }
    assert_eq!(check(&bytes), End::Completed);
    let events = read(&bytes);
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let response = &events.last().unwrap()["response"];
    assert_eq!(
        (&response["id"], &response["model"]),
        (&json!("resp_1"), &json!("claude"))
    );
    assert_eq!(response["usage"]["total_tokens"], 7);
    assert_eq!(response["output"][2]["arguments"], "{\"a\":1}");
}

#[test]
fn this_dialects_stream_reaches_an_anthropic_client() {
    let (frames, _) = decode(&[&fixture!("text.sse")]);
    let mut encoder = MessagesStreamEncoder::new(head());
    let bytes: Vec<u8> = frames
        .iter()
        .flat_map(|frame| encoder.encode(frame, Some(&RESPONSES)))
        .collect();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(r#""id":"msg_68af""#), "{text}");
    assert!(
        text.contains(r#""signature":"openai.responses:rs_68af:gAAAAABo""#),
        "{text}"
    );
    assert!(
        text.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        "{text}"
    );
}
