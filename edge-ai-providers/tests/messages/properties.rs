use bytes::Bytes;
use edge_ai_core::{
    ChatAccumulator, ChatEvent, ChatFrame, ChatOutput, ChatStart, ContentPart, FinishReason, ReasoningDelta,
    ReasoningPart, TextPart, ToolCallDelta, Usage,
};
use edge_ai_providers::anthropic::{
    DEFAULT_MAX_TOKENS, MESSAGES, decode_messages_request, decode_messages_response, encode_messages_request,
    encode_messages_response,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::protocol::check;
use crate::streams::{SEARCH, TOOLS};
use crate::{decode, encode, extra, head};

/// What a client of the dialect can know of an answer.
#[derive(Debug, PartialEq)]
enum Said {
    Text(String),
    Citations(String),
    Thought(String, Option<String>),
    Redacted(String),
    Call(String, String, String),
    Own(ContentPart),
}

/// The arguments of the generated calls, and what is left of them.
const ARGUMENTS: [(&str, &str); 8] = [
    ("", "{}"),
    ("{}", "{}"),
    (
        r#"{"a": [1.50, {"b": "}\""}], "é": "ü"}"#,
        r#"{"a": [1.50, {"b": "}\""}], "é": "ü"}"#,
    ),
    (" {\"a\":1}\n", "{\"a\":1}"),
    ("{\"a\":\"cut", "{\"a\":\"cut"),
    ("[1]", "{}"),
    ("{\"a\":1}{\"b\":2}", "{\"a\":1}"),
    ("{\"a\":oops}", "{\"a\":"),
];

fn accumulate(frames: &[ChatFrame]) -> ChatOutput {
    let mut accumulator = ChatAccumulator::default();
    for event in frames.iter().flat_map(|frame| &frame.events) {
        accumulator.push_ref(event);
        if accumulator.is_complete() {
            break;
        }
    }
    assert!(accumulator.is_complete());
    accumulator.finish()
}

fn said(output: &ChatOutput) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for part in &output.content {
        match part {
            ContentPart::Text(part) => {
                say(&mut said, &part.text);
                if let Some(list) = part.extra.get(&MESSAGES, "citations") {
                    said.push(Said::Citations(list.get().to_owned()));
                }
            }
            ContentPart::Refusal(text) => say(&mut said, text),
            ContentPart::Reasoning(part) => match (&part.redacted, said.last_mut()) {
                (Some(data), _) => said.push(Said::Redacted(data.clone())),
                (None, Some(Said::Thought(text, signature @ None))) => {
                    text.push_str(&part.text);
                    signature.clone_from(&part.signature);
                }
                (None, _) if part.text.is_empty() && part.signature.is_none() => {}
                (None, _) => said.push(Said::Thought(part.text.clone(), part.signature.clone())),
            },
            ContentPart::ToolCall(call) => {
                let known = ARGUMENTS.iter().find(|(written, _)| *written == call.arguments);
                let arguments = known.map_or(call.arguments.as_str(), |(_, left)| left);
                said.push(Said::Call(
                    call.id.clone(),
                    call.name.clone(),
                    arguments.to_owned(),
                ));
            }
            ContentPart::Other(own) if own.get(&MESSAGES, "type").is_some() => {
                said.push(Said::Own(part.clone()))
            }
            _ => {}
        }
    }
    said
}

fn say(said: &mut Vec<Said>, more: &str) {
    match said.last_mut() {
        Some(Said::Text(text)) => text.push_str(more),
        _ if more.is_empty() => {}
        _ => said.push(Said::Text(more.to_owned())),
    }
}

/// Whether a client of the dialect is told the same answer.
pub(crate) fn same(given: &[ChatFrame], written: &[ChatFrame]) {
    let (given, written) = (accumulate(given), accumulate(written));
    assert_eq!(said(&written), said(&given));
    assert_eq!(written.usage.unwrap_or_default(), given.usage.unwrap_or_default());
    let told = |output: &ChatOutput| {
        let refused = output
            .content
            .iter()
            .any(|part| matches!(part, ContentPart::Refusal(_)));
        match &output.finish_reason {
            FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other(_) => {
                if output.tool_calls().next().is_some() {
                    FinishReason::ToolCalls
                } else if refused {
                    FinishReason::Refusal
                } else {
                    FinishReason::Stop
                }
            }
            FinishReason::ContentFilter => FinishReason::Refusal,
            reason => reason.clone(),
        }
    };
    assert_eq!(written.finish_reason, told(&given));
}

fn thought() -> impl Strategy<Value = ReasoningPart> {
    prop_oneof![
        ("[a-z ]{0,4}", prop::option::of("[A-Z]{1,4}"))
            .prop_map(|(text, signature)| ReasoningPart::new(text, signature)),
        "[A-Z]{1,4}".prop_map(ReasoningPart::redacted),
    ]
}

fn usage() -> impl Strategy<Value = Usage> {
    (0..100_u64, 0..100_u64, 0..100_u64, 0..100_u64).prop_map(|(fresh, read, write, output)| {
        let mut usage = Usage::new(fresh + read + write, output);
        (
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
        ) = (read, write, output / 2);
        usage
    })
}

fn event() -> impl Strategy<Value = ChatEvent> {
    let reasons = vec![
        FinishReason::Stop,
        FinishReason::Length,
        FinishReason::ToolCalls,
        FinishReason::ContentFilter,
        FinishReason::Pause,
        FinishReason::Other("eos".into()),
    ];
    prop_oneof![
        3 => "[a-zé\n\" ]{0,4}".prop_map(ChatEvent::Text),
        1 => "[a-z ]{0,4}".prop_map(ChatEvent::Refusal),
        3 => thought().prop_map(|part| {
            let mut delta = ReasoningDelta::text(part.text);
            (delta.signature, delta.redacted) = (part.signature, part.redacted);
            ChatEvent::Reasoning(delta)
        }),
        1 => thought().prop_map(|part| ChatEvent::Part(ContentPart::Reasoning(part))),
        1 => "[a-z]{0,3}".prop_map(|text| ChatEvent::Part(ContentPart::text(text))),
        1 => "[a-z]{0,3}".prop_map(|text| ChatEvent::Part(ContentPart::Text(TextPart::new(text, extra(&[("citations", "[{\"n\":1.10},{}]")]))))),
        1 => Just(ChatEvent::Part(ContentPart::Other(extra(&[("type", "\"server_tool_use\""), ("input", "{\"a\":1}")])))),
        1 => Just(ChatEvent::Part(ContentPart::image_url("https://example.com/a.png"))),
        1 => prop::sample::select(reasons).prop_map(ChatEvent::Finish),
        1 => usage().prop_map(ChatEvent::Usage),
    ]
}

/// The pieces of a call, cut anywhere.
fn call(index: u32) -> impl Strategy<Value = Vec<ChatEvent>> {
    (
        prop::sample::select(&ARGUMENTS[..]),
        prop::collection::vec(any::<Index>(), 0..4),
        any::<bool>(),
    )
        .prop_map(move |((arguments, _), cuts, together)| {
            let mut cuts: Vec<_> = cuts
                .iter()
                .map(|cut| cut.index(arguments.len() + 1))
                .filter(|cut| arguments.is_char_boundary(*cut))
                .collect();
            cuts.extend([0, arguments.len()]);
            cuts.sort_unstable();
            let mut pieces: Vec<_> = cuts
                .windows(2)
                .map(|pair| ToolCallDelta::arguments(index, &arguments[pair[0]..pair[1]]))
                .collect();
            let start = ToolCallDelta::start(index, format!("call_{index}"), format!("f{index}"));
            if together {
                (pieces[0].id, pieces[0].name) = (start.id, start.name);
            } else {
                pieces.insert(0, start);
            }
            pieces.into_iter().map(ChatEvent::ToolCall).collect()
        })
}

/// Any answer: calls and other things, interleaved, in frames of any size.
fn answer() -> impl Strategy<Value = Vec<ChatFrame>> {
    let lanes = (
        prop::collection::vec(event(), 0..10),
        call(0),
        call(1),
        call(7),
        0..4_usize,
    );
    (
        lanes,
        any::<bool>(),
        prop::collection::vec((any::<Index>(), any::<bool>()), 60),
    )
        .prop_map(|((others, a, b, c, calls), start, picks)| {
            let mut lanes = vec![others];
            lanes.extend([a, b, c].into_iter().take(calls));
            let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
            let mut frames = vec![ChatFrame::default()];
            if start {
                frames[0]
                    .events
                    .push(ChatEvent::Start(ChatStart::new("id", "model")));
            }
            let mut picks = picks.into_iter().cycle();
            while !lanes.is_empty() {
                let (pick, new) = picks.next().unwrap();
                let lane = pick.index(lanes.len());
                let Some(event) = lanes[lane].next() else {
                    lanes.remove(lane);
                    continue;
                };
                if new {
                    frames.push(ChatFrame::default());
                }
                frames.last_mut().unwrap().events.push(event);
            }
            frames.last_mut().unwrap().events.push(ChatEvent::Done);
            frames
        })
}

fn cache() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"cache_control": {"type": "ephemeral"}}))
    ]
}

fn with(mut block: Value, more: Value) -> Value {
    block
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    block
}

fn media() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}})),
        Just(json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}})),
        Just(json!({"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "x"})),
        "[a-zé]{0,4}".prop_map(|text| json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}})),
        Just(json!({"type": "search_result", "source": "x", "title": "y", "content": []})),
        "[a-zé]{1,4}".prop_map(|text| json!({"type": "text", "text": text})),
    ]
}

fn turns() -> impl Strategy<Value = Vec<Value>> {
    let result = (prop::collection::vec(media(), 0..3), any::<bool>(), cache()).prop_map(
        |(content, failed, cache)| {
            let result = json!({"type": "tool_result", "tool_use_id": "t", "content": content});
            let failed = if failed {
                json!({"is_error": true})
            } else {
                json!({})
            };
            with(with(result, failed), cache)
        },
    );
    let said = || (media(), cache()).prop_map(|(block, cache)| with(block, cache));
    let user = (
        prop::collection::vec(result, 0..3),
        prop::collection::vec(said(), 1..3),
    )
        .prop_map(|(results, others)| json!({"role": "user", "content": ([results, others].concat())}));
    let thought = prop_oneof![
        Just(json!({"type": "thinking", "thinking": "hm", "signature": "sig"})),
        Just(json!({"type": "redacted_thinking", "data": "x"})),
    ];
    let call = cache().prop_map(|cache| {
        with(
            json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}),
            cache,
        )
    });
    let assistant = (prop::collection::vec(thought, 0..2), said(), prop::collection::vec(call, 0..3))
        .prop_map(|(thoughts, said, calls)| json!({"role": "assistant", "content": ([thoughts, vec![said], calls].concat())}));
    prop::collection::vec((user, assistant), 1..4).prop_map(|pairs| {
        let turns = pairs.into_iter().flat_map(|(user, assistant)| [user, assistant]);
        turns.collect()
    })
}

proptest! {
    #[test]
    fn any_answer_is_a_legal_stream_of_the_same_answer(frames in answer()) {
        let written = encode(&frames, None);
        prop_assert!(check(&written).complete);
        same(&frames, &decode(&written));
    }

    #[test]
    fn what_breaks_off_is_legal_so_far(frames in answer(), at in any::<Index>()) {
        let written = encode(&frames[..at.index(frames.len())], None);
        let message = check(&written);
        prop_assert!(!message.complete && message.stop_reason.is_none());
    }

    #[test]
    fn any_answer_is_a_message(frames in answer()) {
        let output = accumulate(&frames);
        let message = decode_messages_response(encode_messages_response(&output.clone().into(), &head())).unwrap();
        let ids = |output: &ChatOutput| output.tool_calls().map(|call| call.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!((ids(&message), message.usage), (ids(&output), Some(output.usage.unwrap_or_default())));
        for call in message.tool_calls() {
            prop_assert!(serde_json::from_str::<serde_json::Map<_, _>>(&call.arguments).is_ok());
        }
    }

    #[test]
    fn a_changed_request_says_the_same(turns in turns(), system in prop::collection::vec(cache(), 0..3)) {
        let system: Vec<_> = system.into_iter().map(|cache| with(json!({"type": "text", "text": "s"}), cache)).collect();
        let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 5, "system": system, "messages": turns});
        let request = decode_messages_request(&body.to_string().into()).unwrap().request;
        let mut changed = request.clone();
        changed.input.edit();
        let written = encode_messages_request(&changed, false, DEFAULT_MAX_TOKENS).unwrap();
        let again = decode_messages_request(&written).unwrap().request;
        prop_assert_eq!(&*again.input, &*request.input);
        let mut written: Value = serde_json::from_slice(&written).unwrap();
        for result in written["messages"].as_array_mut().unwrap().iter_mut().flat_map(|turn| turn["content"].as_array_mut().unwrap()) {
            if let Some(text) = result["content"].as_str() {
                result["content"] = json!([{"type": "text", "text": text}]);
            }
        }
        prop_assert_eq!(&written["messages"], &body["messages"]);
    }

    #[test]
    fn no_request_panics(cut in any::<Index>(), length in 0..40_usize, with in "[\\[\\]{}\",:a-z0-9\\\\é]{0,6}") {
        let text = include_str!("../fixtures/anthropic/inbound/everything.json");
        let boundary = |mut at: usize| { while !text.is_char_boundary(at) { at -= 1; } at };
        let start = boundary(cut.index(text.len()));
        let end = boundary((start + length).min(text.len()));
        let broken = format!("{}{with}{}", &text[..start], &text[end.max(start)..]);
        if let Ok(call) = decode_messages_request(&broken.into()) {
            let mut request = call.request;
            request.input.edit();
            let _ = encode_messages_request(&request, false, DEFAULT_MAX_TOKENS);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = decode_messages_request(&Bytes::from(bytes.clone()));
        let frame = ChatFrame::with_native(vec![ChatEvent::Text("a".into())], bytes.into());
        encode(&[frame, ChatFrame::new(vec![ChatEvent::Done])], Some(&MESSAGES));
    }

    #[test]
    fn a_stream_that_loses_bytes_stays_legal(lost in prop::collection::vec(any::<bool>(), 64)) {
        for stream in [TOOLS, SEARCH] {
            let mut frames = decode(stream.as_bytes());
            for (frame, lost) in frames.iter_mut().zip(lost.iter().cycle()) {
                if *lost {
                    frame.native = None;
                }
            }
            prop_assert!(check(&encode(&frames, Some(&MESSAGES))).complete);
        }
    }
}
