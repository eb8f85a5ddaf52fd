use bytes::Bytes;
use edge_ai_core::{
    Body, ChatAccumulator, ChatEvent, ChatFrame, ChatOutput, ChatStart, ContentPart, Error, ErrorKind,
    FinishReason, ReasoningDelta, ReasoningPart, ToolCall, ToolCallDelta, Usage,
};
use edge_ai_providers::openai::{CHAT, ChatStreamDecoder, ChatStreamEncoder, Head, chat_stream};
use futures_executor::block_on;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::fixture::{events, fixture, text};

/// The frames of a stream, and the error that ends it.
fn decode(stream: &Bytes) -> (Vec<ChatFrame>, Option<Error>) {
    let mut stream = chat_stream(Body::from(stream.clone()));
    assert_eq!(stream.dialect(), Some(&CHAT));
    let (mut frames, mut error) = (Vec::new(), None);
    while let Some(item) = block_on(stream.next()) {
        assert!(error.is_none(), "nothing follows an error");
        match item {
            Ok(frame) => frames.push(frame),
            Err(failure) => error = Some(failure),
        }
    }
    (frames, error)
}

fn output(frames: &[ChatFrame]) -> ChatOutput {
    let mut accumulator = ChatAccumulator::default();
    frames
        .iter()
        .flat_map(|frame| frame.events.clone())
        .for_each(|event| accumulator.push(event));
    accumulator.finish()
}

fn natives(frames: &[ChatFrame]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| frame.native.clone().unwrap())
        .collect()
}

fn head() -> Head {
    Head {
        id: "chatcmpl-ours".into(),
        created: 1_764_000_000,
        model: "smart".into(),
    }
}

/// The chunks that are written for events of another vendor.
fn encode(include_usage: bool, events: Vec<ChatEvent>) -> Vec<Value> {
    let mut encoder = ChatStreamEncoder::new(head(), include_usage);
    let frames = events.into_iter().map(|event| ChatFrame::new(vec![event]));
    let bytes: Vec<u8> = frames.flat_map(|frame| encoder.encode(&frame, None)).collect();
    self::events(&bytes)
}

#[test]
fn a_text() {
    let stream = fixture!("streams/text.sse");
    let (frames, error) = decode(&stream);
    assert!(error.is_none());
    assert_eq!(natives(&frames), stream);
    let events: Vec<_> = frames.iter().map(|frame| frame.events.clone()).collect();
    let mut usage = Usage::new(9, 4);
    usage.cache_read_tokens = 2;
    usage.reasoning_tokens = 1;
    let [ChatEvent::Start(start)] = &events[0][..] else {
        panic!("{events:?}")
    };
    assert_eq!((&*start.id, &*start.model), ("chatcmpl-123", "gpt-4o-mini"));
    assert_eq!(
        start.extra.names().collect::<Vec<_>>(),
        ["created", "system_fingerprint", "service_tier"]
    );
    let expected = [
        vec![ChatEvent::Text("Grüße".into())],
        vec![ChatEvent::Text(" 🐱\n".into())],
        vec![ChatEvent::Finish(FinishReason::Stop)],
        vec![ChatEvent::Usage(usage)],
        vec![ChatEvent::Done],
    ];
    assert_eq!(events[1..], expected);
}

#[test]
fn interleaved_calls() {
    let (frames, error) = decode(&fixture!("streams/tools.sse"));
    assert!(error.is_none());
    let answer = output(&frames);
    let expected = [
        ContentPart::ToolCall(ToolCall::new("call_a", "get_weather", r#"{"city":"Oslo"}"#)),
        ContentPart::ToolCall(ToolCall::new("call_b", "get_time", "")),
    ];
    assert_eq!(answer.content, expected);
    assert_eq!(answer.finish_reason, FinishReason::ToolCalls);
}

#[test]
fn thoughts_pings_and_unknown_fields() {
    let stream = fixture!("streams/thoughts.sse");
    let (frames, error) = decode(&stream);
    assert!(error.is_none());
    assert_eq!(natives(&frames), stream);
    assert!(
        frames[0].events.is_empty() && frames[2].events.is_empty(),
        "a comment and a ping have no events"
    );
    let answer = output(&frames);
    assert_eq!(
        answer.content[0],
        ContentPart::Reasoning(ReasoningPart::new("Compare tenths.", Some("sig".into())))
    );
    assert_eq!(answer.content[1], ContentPart::text("9.8"));
    let ContentPart::Other(other) = &answer.content[2] else {
        panic!()
    };
    assert_eq!(other.get(&CHAT, "x_confidence").unwrap().get(), "0.5");
    assert_eq!((answer.content.len(), answer.usage), (3, Some(Usage::new(4, 6))));
}

#[test]
fn of_several_choices_the_first_has_events() {
    let stream = fixture!("streams/choices.sse");
    let (frames, error) = decode(&stream);
    assert!(error.is_none());
    assert_eq!(natives(&frames), stream);
    assert!(
        frames[0].events.is_empty(),
        "Azure's filter results begin no answer"
    );
    let answer = output(&frames);
    assert_eq!(
        answer.content,
        [
            ContentPart::text("Heads"),
            ContentPart::Refusal("No more.".into())
        ]
    );
    assert_eq!(
        (&*answer.id, answer.finish_reason),
        ("c", FinishReason::ContentFilter)
    );
}

#[test]
fn a_reason_to_stop_is_an_end() {
    let (frames, error) = decode(&fixture!("streams/unmarked.sse"));
    assert!(error.is_none());
    let last = frames.last().unwrap();
    assert_eq!(last.events, [ChatEvent::Done]);
    assert_eq!(last.native.as_deref(), Some(&b"data: [DONE]\n\n"[..]));
    assert_eq!(output(&frames).text(), "all");
}

#[test]
fn an_end_without_a_mark_is_an_error() {
    let (frames, error) = decode(&fixture!("streams/cut.sse"));
    assert_eq!(output(&frames).text(), "half");
    assert_eq!(error.unwrap().kind(), ErrorKind::Interrupted);
    for stream in ["", "\n\n", ": ping\n\n", "data: {\"choices\":[]}\n\n"] {
        assert_eq!(
            decode(&stream.into()).1.unwrap().kind(),
            ErrorKind::Interrupted,
            "{stream:?}"
        );
    }
}

#[test]
fn the_end_mark_counts_without_the_last_line() {
    for end in ["data: [DONE]", "data:[DONE]\n", "data: [DONE]\r\n\r\n"] {
        let (frames, error) =
            decode(&format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\n{end}").into());
        assert!(error.is_none(), "{end:?}: {error:?}");
        assert_eq!(frames.last().unwrap().events, [ChatEvent::Done]);
    }
}

#[test]
fn nothing_follows_the_end_mark() {
    let (frames, error) = decode(&Bytes::from_static(
        b"data: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    ));
    assert!(error.is_none());
    assert_eq!(frames.len(), 1);
}

#[test]
fn an_error_in_the_stream_is_an_error() {
    let (frames, error) = decode(&fixture!("streams/error.sse"));
    let error = error.unwrap();
    assert_eq!(output(&frames).text(), "half");
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Unavailable, true)
    );
    assert_eq!(
        error.message(),
        "The server had an error while processing your request."
    );

    let (frames, error) = decode(&fixture!("streams/error_first.sse"));
    assert!(frames.is_empty());
    assert_eq!(error.unwrap().kind(), ErrorKind::RateLimited);

    for (event, kind) in [
        (
            r#"data: {"error":{"code":429,"message":"x"},"choices":[{"finish_reason":"error"}]}"#,
            ErrorKind::RateLimited,
        ),
        (
            r#"data: {"object":"error","message":"x","code":400}"#,
            ErrorKind::InvalidRequest,
        ),
        (r#"data: {"error":"overloaded"}"#, ErrorKind::Unavailable),
        ("event: error\ndata: overloaded", ErrorKind::Unavailable),
        (
            r#"data: {"error":{"message":"x","type":"invalid_request_error"}}"#,
            ErrorKind::InvalidRequest,
        ),
    ] {
        assert_eq!(
            decode(&format!("{event}\n\n").into()).1.unwrap().kind(),
            kind,
            "{event}"
        );
    }
}

#[test]
fn a_frame_that_is_no_chunk_is_a_bad_upstream() {
    let (frames, error) = decode(&fixture!("streams/malformed.sse"));
    assert_eq!(output(&frames).text(), "a");
    assert_eq!(error.unwrap().kind(), ErrorKind::BadUpstream);
    for junk in [
        "data: 5",
        "data: []",
        "data: <html>",
        r#"data: {"choices":5}"#,
        r#"data: {"choices":[{"delta":5}]}"#,
    ] {
        assert_eq!(
            decode(&format!("{junk}\n\n").into()).1.unwrap().kind(),
            ErrorKind::BadUpstream,
            "{junk}"
        );
    }
}

#[test]
fn an_error_waits_for_the_frames_before_it() {
    let mut decoder = ChatStreamDecoder::new();
    let frames = decoder.push(fixture!("streams/error.sse")).unwrap();
    assert_eq!(frames.len(), 1);
    assert_eq!(
        decoder.push(Bytes::new()).unwrap_err().kind(),
        ErrorKind::Unavailable
    );

    let mut decoder = ChatStreamDecoder::new();
    assert_eq!(decoder.push(fixture!("streams/error.sse")).unwrap().len(), 1);
    assert_eq!(decoder.finish().unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn the_same_dialect_keeps_the_bytes() {
    let stream = fixture!("streams/text.sse");
    let (frames, _) = decode(&stream);
    for include_usage in [true, false] {
        let mut encoder = ChatStreamEncoder::new(head(), include_usage);
        let sent: Vec<u8> = frames
            .iter()
            .flat_map(|frame| encoder.encode(frame, Some(&CHAT)))
            .collect();
        let expected: Vec<&str> = text(&stream)
            .split_inclusive("\n\n")
            .filter(|frame| include_usage || !frame.contains("\"choices\":[]"))
            .collect();
        assert_eq!(text(&sent), expected.concat());
    }
}

#[test]
fn a_frame_that_was_changed_goes_on_in_the_same_answer() {
    let chunk = |delta: &str, reason: &str| {
        format!(
            "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"gpt\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    let call = r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#;
    let more = r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#;
    let stream = [
        chunk(r#"{"role":"assistant","content":""}"#, "null"),
        chunk(r#"{"content":"secret"}"#, "null"),
        chunk(call, "null"),
        chunk(more, "null"),
        chunk("{}", "\"tool_calls\""),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let (mut frames, error) = decode(&Bytes::from(stream));
    assert!(error.is_none());
    frames[1] = ChatFrame::new(vec![ChatEvent::Text("[SECRET]".into())]);
    frames[3] = ChatFrame::new(frames[3].events.clone());
    let mut encoder = ChatStreamEncoder::new(head(), false);
    let written: Vec<u8> = frames
        .iter()
        .flat_map(|frame| encoder.encode(frame, Some(&CHAT)))
        .collect();
    let text = String::from_utf8(written).unwrap();
    let data: Vec<&str> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    assert_eq!(data.len(), frames.len(), "{text}");
    let changed: Value = serde_json::from_str(data[1]).unwrap();
    assert_eq!((&changed["id"], &changed["created"]), (&json!("c1"), &json!(7)));
    assert_eq!(changed["choices"][0]["delta"], json!({"content": "[SECRET]"}));
    let call: Value = serde_json::from_str(data[3]).unwrap();
    assert_eq!(
        call["choices"][0]["delta"],
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\":1}"}}]})
    );
    assert_eq!(data[5], "[DONE]");
}

#[test]
fn another_vendors_answer_becomes_chunks() {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": "claude", "usage": null,
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]})
    };
    let call = |delta: Value| chunk(json!({"tool_calls": [delta]}), json!(null));
    let mut usage = Usage::new(1_000, 50);
    usage.cache_read_tokens = 700;
    usage.cache_write_tokens = 200;
    let chunks = encode(
        true,
        vec![
            ChatEvent::Start(ChatStart::new("msg_1", "claude")),
            ChatEvent::Usage(Usage::new(1_000, 1)),
            ChatEvent::Reasoning(ReasoningDelta::text("Let me")),
            ChatEvent::Reasoning(ReasoningDelta::text(" see.")),
            ChatEvent::Reasoning(ReasoningDelta::signature("sig")),
            ChatEvent::Reasoning(ReasoningDelta::redacted("data")),
            ChatEvent::Text("Hi".into()),
            ChatEvent::ToolCall(ToolCallDelta::start(3, "a", "f")),
            ChatEvent::ToolCall(ToolCallDelta::start(5, "b", "g")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(3, "{\"x\":1}")),
            ChatEvent::Finish(FinishReason::ToolCalls),
            ChatEvent::Usage(usage),
            ChatEvent::Done,
        ],
    );
    let null = || json!(null);
    let thinking = json!([{"type": "thinking", "thinking": "Let me see.", "signature": "sig"}]);
    let expected = [
        chunk(
            json!({"role": "assistant", "content": "", "refusal": null}),
            null(),
        ),
        chunk(json!({"reasoning_content": "Let me"}), null()),
        chunk(json!({"reasoning_content": " see."}), null()),
        chunk(json!({"thinking_blocks": thinking}), null()),
        chunk(
            json!({"thinking_blocks": [{"type": "redacted_thinking", "data": "data"}]}),
            null(),
        ),
        chunk(json!({"content": "Hi"}), null()),
        call(json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}})),
        call(json!({"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}})),
        call(json!({"index": 0, "function": {"arguments": "{\"x\":1}"}})),
        call(json!({"index": 1, "function": {"arguments": "{}"}})),
        chunk(json!({}), json!("tool_calls")),
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": "claude", "choices": [], "usage": {
            "prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050,
            "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 200}, "completion_tokens_details": {"reasoning_tokens": 0}}}),
        json!("[DONE]"),
    ];
    for (chunk, expected) in chunks.iter().zip(&expected) {
        assert_eq!(chunk, expected);
    }
    assert_eq!(chunks.len(), expected.len());
}

#[test]
fn usage_is_only_for_who_asked() {
    let answer = || {
        vec![
            ChatEvent::Text("a".into()),
            ChatEvent::Usage(Usage::new(1, 1)),
            ChatEvent::Done,
        ]
    };
    let count = |chunks: Vec<Value>| chunks.iter().filter(|chunk| chunk.get("usage").is_some()).count();
    assert_eq!(count(encode(false, answer())), 0);
    // The other three say that theirs is not it.
    assert_eq!(count(encode(true, answer())), 4);
}

#[test]
fn what_a_vendor_leaves_out_is_made_up_for() {
    let chunks = encode(
        false,
        vec![
            ChatEvent::ToolCall(ToolCallDelta::start(0, "", "f")),
            ChatEvent::Done,
        ],
    );
    assert_eq!(
        (&chunks[0]["id"], &chunks[0]["model"]),
        (&json!("chatcmpl-ours"), &json!("smart"))
    );
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(
        chunks[1]["choices"][0]["delta"]["tool_calls"][0]["id"],
        "call_chatcmpl-ours_0"
    );
    assert_eq!(
        chunks[2]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"],
        "{}"
    );
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(chunks[4], "[DONE]");
}

#[test]
fn no_end_mark_follows_an_error() {
    let mut encoder = ChatStreamEncoder::new(head(), true);
    encoder.encode(&ChatFrame::new(vec![ChatEvent::Text("half".into())]), None);
    let error = Error::new(ErrorKind::Interrupted, "the stream broke off");
    let expected = json!({"error": {"message": "the stream broke off", "type": "server_error", "param": null, "code": "interrupted"}});
    assert_eq!(events(&encoder.error(&error)), [expected]);
    assert!(
        encoder
            .encode(&ChatFrame::new(vec![ChatEvent::Done]), None)
            .is_empty()
    );
    assert!(encoder.error(&error).is_empty());
}

#[test]
fn an_error_of_several_lines_is_one_event() {
    let error = edge_ai_providers::openai::decode_error(
        429,
        &http::HeaderMap::new(),
        "{\n \"error\": {\n\"message\": \"slow down\"\n}\n}\n".into(),
    );
    let sent = ChatStreamEncoder::new(head(), false).error(&error);
    let events = edge_ai_core::SseDecoder::new().push(sent).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        serde_json::from_str::<Value>(&events[0].data).unwrap(),
        json!({"error": {"message": "slow down"}})
    );
}

#[test]
fn an_answer_of_openais_dialect_is_the_same_without_its_bytes() {
    for stream in [
        fixture!("streams/text.sse"),
        fixture!("streams/tools.sse"),
        fixture!("streams/thoughts.sse"),
    ] {
        let (frames, _) = decode(&stream);
        let mut encoder = ChatStreamEncoder::new(head(), true);
        let sent: Vec<u8> = frames
            .iter()
            .flat_map(|frame| encoder.encode(&ChatFrame::new(frame.events.clone()), None))
            .collect();
        let (again, error) = decode(&sent.into());
        assert!(error.is_none());
        let (mut again, mut expected) = (output(&again), output(&frames));
        for part in again.content.iter_mut().chain(&mut expected.content) {
            if let ContentPart::ToolCall(call) = part {
                call.arguments = call.arguments_json().to_owned();
            }
        }
        assert_eq!(again, expected);
    }
}
