//! What holds for every input.

use bytes::Bytes;
use edge_ai_core::{
    ChatEvent, ChatFrame, ChatOutput, ChatRequest, ChatStream, ContentPart, Error, ErrorKind, FinishReason,
    FunctionTool, ImagePart, Media, Message, RawJson, ReasoningConfig, ReasoningDelta, ReasoningPart,
    ResponseFormat, Role, Tool, ToolCall, ToolCallDelta, ToolChoice, ToolResult, Usage,
};
use edge_ai_providers::openai::responses::{
    Echo, RESPONSES, ResponsesStreamEncoder, decode_responses_request, decode_responses_response,
    encode_responses_request, encode_responses_response,
};
use futures_executor::block_on;
use futures_util::StreamExt;
use proptest::prelude::*;

use crate::protocol::{End, check};
use crate::{decode, fixture, head, json};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,12}", "\\PC{1,12}", Just("\"\\\n\u{2028}🐱".to_owned())]
}

fn call() -> impl Strategy<Value = ToolCall> {
    ("[a-z0-9]{1,8}", "[a-z_]{1,8}", text()).prop_map(|(id, name, value)| {
        ToolCall::new(id, name, serde_json::json!({ "value": value }).to_string())
    })
}

fn thought() -> impl Strategy<Value = ReasoningPart> {
    ("[a-z]{0,8}", "[a-z0-9]{1,8}", "[A-Za-z0-9_=-]{1,12}").prop_map(|(text, id, encrypted)| {
        ReasoningPart::new(text, Some(format!("openai.responses:rs_{id}:{encrypted}")))
    })
}

fn user_part() -> impl Strategy<Value = ContentPart> {
    prop_oneof![
        text().prop_map(ContentPart::text),
        ("[a-z]{1,8}", prop::sample::select(vec!["high", "auto"])).prop_map(|(path, detail)| {
            let source = Media::Url(format!("https://example.com/{path}"));
            ContentPart::Image(ImagePart::new(
                source,
                Some(detail.to_owned()),
                Default::default(),
            ))
        }),
    ]
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let other = prop_oneof![
        text().prop_map(|text| Message::from_text(Role::System, text)),
        text().prop_map(|text| Message::from_text(Role::Developer, text)),
        prop::collection::vec(user_part(), 1..4).prop_map(|parts| Message::new(Role::User, parts)),
        ("[a-z0-9]{1,8}", text()).prop_map(|(id, text)| {
            Message::new(
                Role::Tool,
                vec![ContentPart::ToolResult(ToolResult::from_text(id, text))],
            )
        }),
    ];
    let assistant = (
        prop::option::of(thought()),
        prop::option::of(text()),
        prop::collection::vec(call(), 1..3),
    )
        .prop_map(|(thought, text, calls)| {
            let parts = thought
                .map(ContentPart::Reasoning)
                .into_iter()
                .chain(text.map(ContentPart::text))
                .chain(calls.into_iter().map(ContentPart::ToolCall));
            Message::new(Role::Assistant, parts.collect())
        });
    // Turns of the assistant that follow each other are one.
    prop::collection::vec((prop::option::of(assistant), other), 1..5).prop_map(|turns| {
        let pairs = turns
            .into_iter()
            .flat_map(|(assistant, other)| [assistant, Some(other)]);
        pairs.flatten().collect()
    })
}

fn request() -> impl Strategy<Value = ChatRequest> {
    let schema = || RawJson::parse(r#"{"type":"object","properties":{"z":{},"a":{}}}"#).unwrap();
    let format = prop_oneof![
        Just(ResponseFormat::JsonObject),
        Just(ResponseFormat::JsonSchema {
            name: "n".into(),
            description: None,
            schema: schema(),
            strict: Some(true)
        }),
    ];
    (
        messages(),
        prop::collection::vec(("[a-z]{1,8}", any::<bool>()), 0..3),
        prop::option::of(prop_oneof![
            Just(ToolChoice::Required),
            Just(ToolChoice::Function("f".into()))
        ]),
        prop::option::of(format),
        (
            prop::option::of(16..10_000_u32),
            prop::option::of((0..=200_u32).prop_map(|hundredths| f64::from(hundredths) / 100.0)),
        ),
        prop::option::of(Just(ReasoningConfig::effort("high"))),
    )
        .prop_map(
            move |(messages, tools, choice, format, (limit, temperature), reasoning)| {
                let mut request = ChatRequest::new("m");
                let input = request.input.edit();
                input.messages = messages;
                input.tools = tools
                    .into_iter()
                    .map(|(name, strict)| {
                        let mut tool = FunctionTool::new(name, "does", schema());
                        tool.strict = Some(strict);
                        Tool::Function(tool)
                    })
                    .collect();
                input.tool_choice = choice;
                input.response_format = format;
                input.max_output_tokens = limit;
                input.temperature = temperature;
                input.reasoning = reasoning;
                request
            },
        )
}

fn answer() -> impl Strategy<Value = ChatOutput> {
    (
        prop::option::of(thought()),
        prop::option::of(text()),
        prop::collection::vec(call(), 0..3),
        (0..1_000_u64, 0..1_000_u64),
        any::<bool>(),
    )
        .prop_map(|(thought, text, calls, (input, written), cut)| {
            let mut output = ChatOutput::default();
            output.id = "resp_1".into();
            output.model = "m".into();
            output.finish_reason = match (cut, calls.is_empty()) {
                (true, _) => FinishReason::Length,
                (false, true) => FinishReason::Stop,
                (false, false) => FinishReason::ToolCalls,
            };
            output.content = thought
                .map(ContentPart::Reasoning)
                .into_iter()
                .chain(text.map(ContentPart::text))
                .chain(calls.into_iter().map(ContentPart::ToolCall))
                .collect();
            output.usage = Some(Usage::new(input, written));
            output
        })
}

/// Anything that a stream may bring, in any order.
fn event() -> impl Strategy<Value = ChatEvent> {
    let delta = (
        0..4_u32,
        prop::option::of("[a-z]{0,3}"),
        prop::option::of("[a-z]{0,3}"),
        prop::sample::select(vec!["", "{", "}", "{}", "{\"a\":1}", "\"a\":", "[1]", " "]),
    )
        .prop_map(|(index, id, name, arguments)| {
            let mut delta = ToolCallDelta::arguments(index, arguments);
            delta.id = id;
            delta.name = name;
            ChatEvent::ToolCall(delta)
        });
    let reasoning = (
        "[a-z]{0,3}",
        prop::option::of(prop_oneof![
            Just("sig".to_owned()),
            Just("openai.responses:rs_9:gAAA".to_owned())
        ]),
        prop::option::weighted(0.2, Just("data".to_owned())),
    )
        .prop_map(|(text, signature, redacted)| {
            let mut delta = ReasoningDelta::text(text);
            delta.signature = signature;
            delta.redacted = redacted;
            ChatEvent::Reasoning(delta)
        });
    prop_oneof![
        "[a-z]{0,3}".prop_map(ChatEvent::Text),
        "[a-z]{0,3}".prop_map(ChatEvent::Refusal),
        reasoning,
        delta,
        call().prop_map(|call| ChatEvent::Part(ContentPart::ToolCall(call))),
        thought().prop_map(|thought| ChatEvent::Part(ContentPart::Reasoning(thought))),
        Just(ChatEvent::Finish(FinishReason::Length)),
        Just(ChatEvent::Finish(FinishReason::Stop)),
        Just(ChatEvent::Usage(Usage::new(1, 2))),
        Just(ChatEvent::Start(edge_ai_core::ChatStart::new(
            "chatcmpl-1",
            "gpt"
        ))),
    ]
}

fn without_extra(mut output: ChatOutput) -> ChatOutput {
    output.extra = Default::default();
    output
}

fn cut<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn any_chunking_of_a_stream_gives_the_same(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for stream in [
            fixture!("text.sse"), fixture!("tools.sse"), fixture!("incomplete.sse"), fixture!("failed.sse"),
            fixture!("error.sse"), fixture!("cut.sse"), fixture!("malformed.sse"),
        ] {
            prop_assert_eq!(decode(&cut(&stream, &cuts)), decode(&[&stream]));
            // A byte at a time, which cuts every character and every line end.
            prop_assert_eq!(decode(&stream.chunks(1).collect::<Vec<_>>()), decode(&[&stream]));
        }
    }

    #[test]
    fn requests_survive_the_round_trip(request in request()) {
        let body = encode_responses_request(&request, false).unwrap();
        let mut back = decode_responses_request(&body).unwrap().request;
        back.input.edit().extra = Default::default();
        prop_assert_eq!(back.input.edit(), &*request.input);
    }

    #[test]
    fn answers_survive_the_round_trip(output in answer()) {
        let body = encode_responses_response(&output.clone().into(), &head(), &Echo::default());
        prop_assert_eq!(without_extra(decode_responses_response(body).unwrap().into_inner()), output);
    }

    #[test]
    fn streamed_answers_survive_the_round_trip(output in answer()) {
        let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
        let frames = block_on(StreamExt::collect::<Vec<_>>(ChatStream::from_response(output.clone().into())));
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encoder.encode(frame.as_ref().unwrap(), None)).collect();
        let end = check(&bytes);
        prop_assert_eq!(end, if output.finish_reason == FinishReason::Length { End::Incomplete } else { End::Completed });
        let (frames, error) = decode(&[&bytes]);
        prop_assert_eq!(error, None);
        let back = ChatStream::new(futures_util::stream::iter(frames.into_iter().map(Ok)));
        prop_assert_eq!(without_extra(block_on(back.collect()).unwrap()), output);
    }

    #[test]
    fn whatever_comes_in_what_goes_out_is_legal(events in prop::collection::vec(event(), 0..24), fails in any::<bool>()) {
        let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
        let mut bytes = Vec::new();
        for event in events {
            bytes.extend(encoder.encode(&ChatFrame::new(vec![event]), None));
        }
        if fails {
            bytes.extend(encoder.error(&Error::new(ErrorKind::Unavailable, "gone")));
            prop_assert_eq!(check(&bytes), End::Error);
        } else {
            bytes.extend(encoder.encode(&ChatFrame::new(vec![ChatEvent::Done]), None));
            prop_assert!(matches!(check(&bytes), End::Completed | End::Incomplete));
        }
        prop_assert!(encoder.encode(&ChatFrame::new(vec![ChatEvent::Text("late".into())]), None).is_empty());
        prop_assert!(encoder.error(&Error::new(ErrorKind::Unavailable, "late")).is_empty());
    }

    #[test]
    fn a_stream_that_is_changed_on_its_way_stays_legal(at in any::<prop::sample::Index>(), which in 0..3_usize, fails in any::<bool>()) {
        let stream = [fixture!("text.sse"), fixture!("tools.sse"), fixture!("incomplete.sse")][which].clone();
        let (frames, _) = decode(&[&stream]);
        let at = at.index(frames.len() - 1) + 1;
        let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
        let mut bytes: Vec<u8> = frames[..at].iter().flat_map(|frame| encoder.encode(frame, Some(&RESPONSES))).collect();
        if fails {
            bytes.extend(encoder.error(&Error::new(ErrorKind::Interrupted, "gone")));
        } else {
            let rest = [ChatEvent::Text("ours".into()), ChatEvent::Finish(FinishReason::Stop), ChatEvent::Done];
            bytes.extend(encoder.encode(&ChatFrame::new(rest.to_vec()), Some(&RESPONSES)));
        }
        let events = crate::protocol::read(&bytes);
        for (number, event) in events.iter().enumerate() {
            prop_assert_eq!(&event["sequence_number"], number);
        }
        let last = events.last().unwrap();
        prop_assert_eq!(&last["type"], if fails { "error" } else { "response.completed" });
        let named = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
        prop_assert_eq!(named("response.output_item.added"), named("response.output_item.done") );
        prop_assert_eq!(named("response.created"), 1);
    }

    #[test]
    fn unknown_fields_survive(name in "x_[a-z]{1,8}", value in prop_oneof![Just("1.10"), Just("[1,  {\"a\":null}]"), Just("123456789012345678901"), Just("\"\\u0041\"")]) {
        let field = format!("\"{name}\":{value}");
        let body = format!(
            r#"{{"model":"m","input":[{{"type":"message","role":"user","content":[{{"type":"input_text","text":"a",{field}}},{{"type":"input_image","image_url":"https://e.x/a","detail":"auto",{field}}}],{field}}},
               {{"type":"web_search_call","id":"ws_1",{field}}},
               {{"type":"function_call","call_id":"1","name":"f","arguments":"{{}}",{field}}},
               {{"type":"function_call_output","call_id":"1","output":"c",{field}}}],
               "tools":[{{"type":"function","name":"f","parameters":{{}},"strict":true,{field}}},{{"type":"web_search",{field}}}],
               "text":{{{field}}},"reasoning":{{{field}}},"store":true,{field}}}"#
        );
        let body = Bytes::from(body);
        let mut request = decode_responses_request(&body).unwrap().request;
        request.input.edit();
        let sent = encode_responses_request(&request, false).unwrap();
        prop_assert_eq!(json(&sent), json(&body));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&bytes);
    }

    #[test]
    fn no_change_of_a_body_panics(at in any::<prop::sample::Index>(), with in prop::sample::select(b"\"{}[],:0-e\\n\x00\xff".to_vec()), which in 0..7_usize) {
        let bodies = [
            fixture!("everything.request.json"), fixture!("text.json"), fixture!("tools.json"), fixture!("failed.json"),
            fixture!("text.sse"), fixture!("tools.sse"), fixture!("incomplete.sse"),
        ];
        let mut body = bodies[which].to_vec();
        let at = at.index(body.len());
        body[at] = with;
        everything(&body);
        body.truncate(at);
        everything(&body);
    }
}

/// Every decoder, and the encoders on what they make of it.
fn everything(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    if let Ok(mut call) = decode_responses_request(&body) {
        let _ = encode_responses_request(&call.request, true);
        call.request.input.edit();
        let _ = encode_responses_request(&call.request, true);
        if let Ok(mut response) = decode_responses_response(fixture!("text.json")) {
            response.edit();
            json(&encode_responses_response(&response, &head(), &call.echo));
        }
    }
    if let Ok(mut response) = decode_responses_response(body) {
        response.edit();
        json(&encode_responses_response(&response, &head(), &Echo::default()));
    }
    let (frames, _) = decode(&[bytes]);
    let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
    let passed: Vec<u8> = frames
        .iter()
        .flat_map(|frame| encoder.encode(frame, Some(&RESPONSES)))
        .collect();
    // An empty line that was left out at the end is written.
    assert!(bytes.starts_with(passed.trim_ascii_end()));
    encoder.error(&Error::new(ErrorKind::Interrupted, "cut"));
    let mut encoder = ResponsesStreamEncoder::new(head(), Echo::default());
    let written: Vec<u8> = frames
        .iter()
        .flat_map(|frame| encoder.encode(frame, None))
        .collect();
    if !written.is_empty() {
        check(&written);
    }
}
