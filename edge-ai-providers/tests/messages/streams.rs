use bytes::Bytes;
use edge_ai_core::{
    ChatEvent, ChatFrame, ChatStart, ContentPart, Error, ErrorKind, FinishReason, Native, ReasoningDelta,
    TextPart, ToolCallDelta, Usage,
};
use edge_ai_providers::anthropic::{MESSAGES, MessagesStreamDecoder, MessagesStreamEncoder};
use edge_ai_providers::openai::{CHAT, ChatStreamDecoder};
use serde_json::{Value, json};

use crate::protocol::{check, events};
use crate::{decode, encode, encode_events, extra, head};

pub(crate) const TOOLS: &str = include_str!("../fixtures/anthropic/tools.stream.txt");
pub(crate) const SEARCH: &str = include_str!("../fixtures/anthropic/search.stream.txt");

fn openai(stream: &'static [u8]) -> Vec<ChatFrame> {
    let mut decoder = ChatStreamDecoder::new();
    let mut frames = decoder.push(Bytes::from_static(stream)).unwrap();
    frames.extend(decoder.finish().unwrap());
    frames
}

fn call(index: u32, id: &str) -> ChatEvent {
    ChatEvent::ToolCall(ToolCallDelta::start(index, id, "f"))
}

fn arguments(index: u32, more: &str) -> ChatEvent {
    ChatEvent::ToolCall(ToolCallDelta::arguments(index, more))
}

fn text(more: &str) -> ChatEvent {
    ChatEvent::Text(more.into())
}

/// The type of each event, with the index of its block.
fn outline(stream: &[u8]) -> Vec<String> {
    let short = |event: &Value| {
        let kind = event["type"].as_str().unwrap().replace("content_block_", "");
        match event["index"].as_u64() {
            Some(index) => format!("{kind} {index}"),
            None => kind,
        }
    };
    events(stream).iter().map(short).collect()
}

#[test]
fn the_same_dialect_keeps_the_bytes() {
    for stream in [TOOLS, SEARCH] {
        let sent = encode(&decode(stream.as_bytes()), Some(&MESSAGES));
        assert_eq!(std::str::from_utf8(&sent).unwrap(), stream);
    }
    // Another dialect's bytes are not ours.
    let frames = openai(include_bytes!("../fixtures/openai/streams/text.sse"));
    check(&encode(&frames, Some(&CHAT)));
}

#[test]
fn a_message_event_by_event() {
    let mut usage = Usage::new(1_000, 50);
    (
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ) = (700, 200, 12);
    let stream = encode_events(vec![
        ChatEvent::Start(ChatStart::new("chatcmpl-1", "gpt")),
        ChatEvent::Reasoning(ReasoningDelta::text("Let me")),
        ChatEvent::Reasoning(ReasoningDelta::text(" see.")),
        ChatEvent::Reasoning(ReasoningDelta::signature("sig")),
        ChatEvent::Reasoning(ReasoningDelta::redacted("data")),
        text("Hi"),
        call(3, "a"),
        arguments(3, "{\"x\""),
        arguments(3, ":1}"),
        ChatEvent::Finish(FinishReason::Stop),
        ChatEvent::Usage(usage),
        ChatEvent::Done,
    ]);
    let delta = |index: u32, kind: &str, name: &str, text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, name: text}});
    let start = |index: u32, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});
    let counts = |fresh: u64, write: u64, read: u64, out: u64, thought: u64| {
        json!({"input_tokens": fresh, "cache_creation_input_tokens": write, "cache_read_input_tokens": read,
            "output_tokens": out, "output_tokens_details": {"thinking_tokens": thought}})
    };
    let expect = [
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "gpt",
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": counts(0, 0, 0, 0, 0)}}),
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, "thinking_delta", "thinking", "Let me"),
        delta(0, "thinking_delta", "thinking", " see."),
        delta(0, "signature_delta", "signature", "sig"),
        stop(0),
        start(1, json!({"type": "redacted_thinking", "data": "data"})),
        stop(1),
        start(2, json!({"type": "text", "text": ""})),
        delta(2, "text_delta", "text", "Hi"),
        stop(2),
        start(
            3,
            json!({"type": "tool_use", "id": "a", "name": "f", "input": {}}),
        ),
        delta(3, "input_json_delta", "partial_json", "{\"x\""),
        delta(3, "input_json_delta", "partial_json", ":1}"),
        stop(3),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": counts(100, 200, 700, 50, 12)}),
        json!({"type": "message_stop"}),
    ];
    assert_eq!(events(&stream), expect);
    check(&stream);
}

#[test]
fn interleaved_calls_are_set_apart() {
    let stream = encode_events(vec![
        call(0, "a"),
        call(1, "b"),
        arguments(1, "{"),
        arguments(0, "{\"a\""),
        text("meanwhile"),
        arguments(1, "}"),
        arguments(0, ":1}"),
        call(2, "c"),
        ChatEvent::Done,
    ]);
    let message = check(&stream);
    assert_eq!(message.inputs, ["{\"a\":1}", "{}", "", "{}"]);
    let ids: Vec<_> = message.content.iter().map(|block| block["id"].clone()).collect();
    assert_eq!(ids, [json!("a"), json!("b"), json!(null), json!("c")]);
    assert_eq!(message.content[2]["text"], "meanwhile");
    assert_eq!(message.stop_reason.as_deref(), Some("tool_use"));
}

#[test]
fn a_call_is_given_as_soon_as_it_is_whole() {
    let mut encoder = MessagesStreamEncoder::new(head());
    let mut give = |events: Vec<ChatEvent>| outline(&encoder.encode(&ChatFrame::new(events), None));
    assert_eq!(give(vec![call(0, "a")]), ["message_start", "start 0"]);
    assert_eq!(give(vec![arguments(0, "{\"a\":")]), ["delta 0"]);
    assert_eq!(give(vec![text("waits")]), [""; 0]);
    assert_eq!(
        give(vec![arguments(0, "[]} ")]),
        ["delta 0", "stop 0", "start 1", "delta 1"]
    );
    assert_eq!(give(vec![arguments(0, " ")]), [""; 0]);
    assert_eq!(give(vec![text("!")]), ["delta 1"]);
    assert_eq!(
        give(vec![ChatEvent::Done]),
        ["stop 1", "message_delta", "message_stop"]
    );
    assert_eq!(give(vec![text("late"), ChatEvent::Done]), [""; 0]);
}

#[test]
fn arguments_are_what_the_sdks_can_parse() {
    for (written, expect) in [
        ("", "{}"),
        (" \n", "{}"),
        (" {\"a\": 1} ", "{\"a\": 1}"),
        ("[1]", "{}"),
        ("I cannot", "{}"),
        ("{\"a\": \"cut o", "{\"a\": \"cut o"),
        ("{\"a\": 1}}", "{\"a\": 1}"),
        ("{\"a\": 1, b}", "{\"a\": 1, "),
    ] {
        let message = check(&encode_events(vec![
            call(0, "a"),
            arguments(0, written),
            ChatEvent::Done,
        ]));
        assert_eq!(message.inputs, [expect], "{written:?}");
    }
}

#[test]
fn the_usage_may_come_at_any_time() {
    let finish = || ChatEvent::Finish(FinishReason::Length);
    let usage = |output| ChatEvent::Usage(Usage::new(7, output));
    for events in [
        vec![text("a"), finish(), usage(3), ChatEvent::Done],
        vec![usage(1), text("a"), usage(3), finish(), ChatEvent::Done],
        vec![usage(3), text("a"), finish(), ChatEvent::Done],
    ] {
        let message = check(&encode_events(events));
        assert_eq!(
            (&message.usage["input_tokens"], &message.usage["output_tokens"]),
            (&json!(7), &json!(3))
        );
        assert_eq!(message.stop_reason.as_deref(), Some("max_tokens"));
    }
    let mut encoder = MessagesStreamEncoder::new(head());
    let first = ChatFrame::new(vec![ChatEvent::Start(ChatStart::new("", "")), usage(1)]);
    let start = &events(&encoder.encode(&first, None))[0]["message"];
    assert_eq!(
        (&start["id"], &start["model"], &start["usage"]["input_tokens"]),
        (&json!("msg_ours"), &json!("smart"), &json!(7))
    );
}

#[test]
fn parts_that_come_whole() {
    let mut cited = TextPart::new("", extra(&[("citations", "[{\"n\":1.10},{}]")]));
    let stream = encode_events(vec![
        text("Cited."),
        ChatEvent::Part(ContentPart::Text(cited.clone())),
        text(" And more."),
        ChatEvent::Refusal("No".into()),
        ChatEvent::Refusal(".".into()),
        ChatEvent::Part(ContentPart::Other(extra(&[
            ("type", "\"server_tool_use\""),
            ("input", "{\"q\":1}"),
        ]))),
        ChatEvent::Part(ContentPart::image_url("https://example.com/a.png")),
        ChatEvent::Part(ContentPart::ToolCall(edge_ai_core::ToolCall::new("", "g", ""))),
        ChatEvent::Finish(FinishReason::Refusal),
        ChatEvent::Done,
    ]);
    let message = check(&stream);
    assert_eq!(
        message.content,
        [
            json!({"type": "text", "text": "Cited.", "citations": [{"n": 1.10}, {}]}),
            json!({"type": "text", "text": " And more."}),
            json!({"type": "text", "text": "No."}),
            json!({"type": "server_tool_use", "input": {"q": 1}}),
            json!({"type": "tool_use", "id": "toolu_msg_ours_4", "name": "g", "input": {}}),
        ]
    );
    assert_eq!(message.stop_reason.as_deref(), Some("refusal"));
    cited.text = "Alone.".into();
    let alone = check(&encode_events(vec![
        ChatEvent::Part(ContentPart::Text(cited)),
        ChatEvent::Done,
    ]));
    assert_eq!(alone.content[0]["text"], "Alone.");
}

#[test]
fn openai_streams_survive() {
    for stream in [
        &include_bytes!("../fixtures/openai/streams/text.sse")[..],
        include_bytes!("../fixtures/openai/streams/tools.sse"),
        include_bytes!("../fixtures/openai/streams/thoughts.sse"),
        include_bytes!("../fixtures/openai/streams/choices.sse"),
        include_bytes!("../fixtures/openai/streams/unmarked.sse"),
    ] {
        let frames = openai(stream);
        let written = encode(&frames, Some(&CHAT));
        assert!(check(&written).complete);
        crate::properties::same(&frames, &decode(&written));
    }
    let tools = check(&encode(
        &openai(include_bytes!("../fixtures/openai/streams/tools.sse")),
        None,
    ));
    assert_eq!(tools.inputs, [r#"{"city":"Oslo"}"#, "{}"]);
}

#[test]
fn a_stream_changed_on_its_way_goes_on_in_order() {
    for stream in [TOOLS, SEARCH] {
        let whole = decode(stream.as_bytes());
        for from in 0..whole.len() {
            let mut frames = whole.clone();
            frames
                .iter_mut()
                .skip(from)
                .step_by(2)
                .for_each(|frame| frame.native = None);
            let written = encode(&frames, Some(&MESSAGES));
            assert!(check(&written).complete, "from {from}");
            if stream == TOOLS {
                crate::properties::same(&whole, &decode(&written));
            }
        }
    }
}

#[test]
fn no_end_follows_an_error() {
    let mut encoder = MessagesStreamEncoder::new(head());
    let mut stream = encoder.encode(&ChatFrame::new(vec![text("half")]), None).to_vec();
    stream.extend(encoder.error(&Error::new(ErrorKind::Interrupted, "the stream broke off")));
    assert!(
        encoder
            .encode(&ChatFrame::new(vec![ChatEvent::Done]), None)
            .is_empty()
    );
    assert!(
        encoder
            .error(&Error::new(ErrorKind::Internal, "again"))
            .is_empty()
    );
    let message = check(&stream);
    assert_eq!(
        (message.complete, message.error),
        (
            false,
            Some(json!({"type": "api_error", "message": "the stream broke off"}))
        )
    );
    let mut decoder = MessagesStreamDecoder::new();
    decoder.push(stream.into()).unwrap();
    assert_eq!(decoder.finish().unwrap_err().code(), Some("api_error"));
}

#[test]
fn the_vendors_own_error_keeps_its_words() {
    let body = "{\n  \"type\": \"error\",\r\n  \"error\": {\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}\n}";
    let error = Error::new(ErrorKind::Unavailable, "Overloaded")
        .with_native(Native::new(MESSAGES, Bytes::from_static(body.as_bytes())));
    let message = check(&MessagesStreamEncoder::new(head()).error(&error));
    assert_eq!(message.error.unwrap()["type"], "overloaded_error");
}
