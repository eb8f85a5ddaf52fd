//! What gateways commonly get wrong between one vendor's stream and another's, each as a probe: a vendor's bytes in, the bytes that a
//! client of OpenAI's dialect gets out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use edge_ai_core::{Body, ChatStream, Error, ErrorKind, SseDecoder};
use edge_ai_providers::anthropic::messages_stream;
use edge_ai_providers::openai::{ChatStreamEncoder, Head, chat_stream};
use edge_ai_providers::workers_ai::{TextExchange, text_stream};
use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

const TOOLS: &str = include_str!("fixtures/anthropic/tools.stream.txt");
const OVERLOADED: &str = include_str!("fixtures/anthropic/overloaded.stream.txt");
const OPENAI_TEXT: &str = include_str!("fixtures/openai/streams/text.sse");
const OPENAI_TOOLS: &str = include_str!("fixtures/openai/streams/tools.sse");
const WORKERS_AI: &str = include_str!("fixtures/workers_ai/native.stream.txt");

/// A vendor, by the reader of its streams.
#[derive(Clone, Copy, Debug)]
enum Vendor {
    OpenAi,
    Anthropic,
    WorkersAi,
}

impl Vendor {
    fn read(self, body: Body) -> ChatStream {
        match self {
            Self::OpenAi => chat_stream(body),
            Self::Anthropic => messages_stream(body),
            Self::WorkersAi => text_stream(TextExchange::new("@cf/meta/llama", b"{}"), body),
        }
    }
}

/// A body that arrives in pieces of so many bytes.
fn in_pieces(text: &str, size: usize) -> Body {
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    Body::from_stream(stream::iter(pieces))
}

/// What the client reads, event by event.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    chunks: Vec<Value>,
    done: bool,
    error: Option<ErrorKind>,
}

impl Heard {
    fn deltas(&self, field: &str) -> Vec<&Value> {
        let choices = self.chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
        choices
            .filter_map(|choice| choice["delta"].get(field))
            .filter(|value| !value.is_null())
            .collect()
    }

    fn text(&self, field: &str) -> String {
        self.deltas(field).into_iter().filter_map(Value::as_str).collect()
    }

    /// Id, name and arguments of each call, by its index.
    fn calls(&self) -> Vec<(String, String, String)> {
        let mut calls: Vec<(String, String, String)> = Vec::new();
        for call in self
            .deltas("tool_calls")
            .into_iter()
            .flat_map(|list| list.as_array().unwrap())
        {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            calls.resize(calls.len().max(index + 1), Default::default());
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (id, name, arguments) = &mut calls[index];
            id.push_str(&text(&call["id"]));
            name.push_str(&text(&call["function"]["name"]));
            arguments.push_str(&text(&call["function"]["arguments"]));
        }
        calls
    }

    fn finish_reasons(&self) -> Vec<&str> {
        let choices = self.chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
        choices
            .filter_map(|choice| choice["finish_reason"].as_str())
            .collect()
    }

    fn usage(&self) -> &Value {
        let mut usages = self
            .chunks
            .iter()
            .map(|chunk| &chunk["usage"])
            .filter(|usage| !usage.is_null());
        let usage = usages.next().unwrap_or(&Value::Null);
        assert!(usages.next().is_none(), "the usage is told once");
        usage
    }
}

/// What a client hears of a vendor's body.
fn hear(vendor: Vendor, body: Body) -> Heard {
    let mut stream = vendor.read(body);
    let dialect = stream.dialect().cloned();
    let head = Head {
        id: "chatcmpl-ours".into(),
        created: 1_764_000_000,
        model: "smart".into(),
    };
    let mut encoder = ChatStreamEncoder::new(head, true);
    let mut sent = Vec::new();
    let mut heard = Heard::default();
    while let Some(frame) = block_on(stream.next()) {
        match frame {
            Ok(frame) => sent.extend(encoder.encode(&frame, dialect.as_ref())),
            Err(error) => {
                heard.error = Some(error.kind());
                sent.extend(encoder.error(&error));
            }
        }
    }
    for event in SseDecoder::new().push(sent.into()).unwrap() {
        match event.data.as_str() {
            "" => {}
            "[DONE]" => heard.done = true,
            data => {
                assert!(!heard.done, "nothing follows the end mark");
                heard.chunks.push(serde_json::from_str(data).unwrap());
            }
        }
    }
    heard
}

fn message(stop_reason: &str) -> String {
    [
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ]
    .map(|event| format!("data: {event}\n\n"))
    .concat()
}

#[test]
fn a_streams_bytes_may_be_cut_anywhere_and_written_in_every_legal_way() {
    for (vendor, text) in [
        (Vendor::OpenAi, OPENAI_TEXT),
        (Vendor::OpenAi, OPENAI_TOOLS),
        (Vendor::Anthropic, TOOLS),
        (Vendor::WorkersAi, WORKERS_AI),
    ] {
        let whole = hear(vendor, Body::from(text));
        assert!(whole.done && whole.error.is_none(), "{vendor:?}");
        // Characters of several bytes come in pieces.
        assert_eq!(hear(vendor, in_pieces(text, 1)), whole, "{vendor:?}");
        for other in [
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.replace("data: ", "data:"),
            format!(
                "\u{feff}: hello\n\nretry: 3000\n\n{}",
                text.replace("data: ", "id: 7\ndata: ")
            ),
        ] {
            for size in [1, 3, 1 << 20] {
                assert_eq!(hear(vendor, in_pieces(&other, size)), whole, "{vendor:?}");
            }
        }
    }
}

#[test]
fn thoughts_calls_and_usage_of_anthropic_reach_an_openai_client() {
    let heard = hear(Vendor::Anthropic, Body::from(TOOLS));
    assert_eq!(heard.text("reasoning_content"), "Two lookups are needed.");
    let blocks: Vec<_> = heard
        .deltas("thinking_blocks")
        .into_iter()
        .flat_map(|list| list.as_array().unwrap())
        .collect();
    let signed = json!({"type": "thinking", "thinking": "Two lookups are needed.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"});
    assert_eq!(blocks[0], &signed);
    assert_eq!(blocks[1]["type"], "redacted_thinking");
    assert_eq!(heard.text("content"), "Let me look.");
    let expected = [
        (
            "toolu_01A09q90qw90lq917835lq9",
            "get_weather",
            "{\"city\": \"Zürich\", \"days\": 2}",
        ),
        // No input came at all: an empty text would be no JSON.
        ("toolu_02B19r80rw81mr028946mr8", "get_time", "{}"),
    ];
    let expected =
        expected.map(|(id, name, arguments)| (id.to_owned(), name.to_owned(), arguments.to_owned()));
    assert_eq!(heard.calls(), expected);
    assert_eq!(heard.finish_reasons(), ["tool_calls"]);
    // 100 fresh, 200 written to the cache and 700 read from it are 1,000 of the prompt.
    let usage = json!({"prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050,
        "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 200},
        "completion_tokens_details": {"reasoning_tokens": 12}});
    assert_eq!(heard.usage(), &usage);
}

#[test]
fn interleaved_calls_stay_apart() {
    let start = |index: u32, id: &str, name: &str| json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}});
    let more = |index: u32, text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": text}});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude"}}),
        start(0, "a", "f"),
        start(1, "b", "g"),
        more(0, "{\"a\""),
        more(1, "{"),
        more(0, ":1}"),
        more(1, "}"),
        stop(1),
        stop(0),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
        json!({"type": "message_stop"}),
    ];
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let heard = hear(Vendor::Anthropic, text.into());
    let expected = [("a", "f", "{\"a\":1}"), ("b", "g", "{}")];
    assert_eq!(
        heard.calls(),
        expected.map(|(id, name, arguments)| (id.to_owned(), name.to_owned(), arguments.to_owned()))
    );
}

#[test]
fn reasons_to_stop_keep_their_meaning() {
    for (reason, word) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "stop"),
    ] {
        let heard = hear(Vendor::Anthropic, message(reason).into());
        assert_eq!(heard.finish_reasons(), [word], "{reason}");
        assert!(heard.done);
    }
}

#[test]
fn an_early_end_never_looks_like_an_answer() {
    for (vendor, text) in [
        (Vendor::OpenAi, OPENAI_TEXT),
        (Vendor::Anthropic, TOOLS),
        (Vendor::WorkersAi, WORKERS_AI),
    ] {
        let frames: Vec<_> = text.split_inclusive("\n\n").collect();
        let half = frames[..frames.len() / 2].concat();
        let lost = Error::new(ErrorKind::Interrupted, "connection reset");
        let broken: Vec<edge_ai_core::Result<Bytes>> = vec![Ok(Bytes::from(half.clone())), Err(lost)];
        for body in [Body::from(half), Body::from_stream(stream::iter(broken))] {
            let heard = hear(vendor, body);
            assert_eq!(heard.error, Some(ErrorKind::Interrupted), "{vendor:?}");
            assert!(
                !heard.done && heard.finish_reasons().is_empty(),
                "{vendor:?}: {heard:?}"
            );
            assert_eq!(heard.usage(), &Value::Null, "{vendor:?}: nothing is invented");
            assert!(heard.chunks.last().unwrap().get("error").is_some());
        }
    }
}

#[test]
fn of_several_choices_each_must_end() {
    let chunk = |choice: Value| format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}));
    let begin = |index: u32| chunk(json!({"index": index, "delta": {"content": "a"}}));
    let end = |index: u32| chunk(json!({"index": index, "delta": {}, "finish_reason": "stop"}));
    let cut = [begin(0), begin(1), end(0)].concat();
    let heard = hear(Vendor::OpenAi, cut.into());
    assert_eq!((heard.done, heard.error), (false, Some(ErrorKind::Interrupted)));
    let whole = [begin(0), begin(1), end(0), end(1)].concat();
    let heard = hear(Vendor::OpenAi, whole.into());
    assert_eq!((heard.done, heard.error), (true, None));
}

#[test]
fn an_error_in_the_stream_is_told_as_one() {
    let heard = hear(Vendor::Anthropic, Body::from(OVERLOADED));
    assert_eq!(heard.error, Some(ErrorKind::Unavailable));
    assert!(!heard.done && heard.finish_reasons().is_empty());
    let error = &heard.chunks.last().unwrap()["error"];
    assert_eq!(error["code"], "overloaded_error");

    // As the first event, before anything was sent: whoever asked may still try another model.
    for (vendor, kind, text) in [
        (
            Vendor::OpenAi,
            ErrorKind::Unavailable,
            "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\"}}\n\n",
        ),
        (
            Vendor::Anthropic,
            ErrorKind::Unavailable,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
        ),
        (
            // A code that nobody knows says nothing of an outage.
            Vendor::WorkersAi,
            ErrorKind::BadUpstream,
            "data: {\"errors\":[{\"code\":9999,\"message\":\"busy\"}]}\n\n",
        ),
    ] {
        let first = block_on(vendor.read(Body::from(text)).next()).unwrap();
        assert_eq!(first.unwrap_err().kind(), kind, "{vendor:?}");
    }
}
