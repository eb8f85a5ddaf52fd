//! What holds for every input.

use bytes::Bytes;
use edge_ai_core::{
    ChatEvent, ChatFrame, ChatOutput, ChatRequest, ChatStream, ContentPart, ErrorKind, FinishReason,
    FunctionTool, ImagePart, Media, Message, RawJson, ReasoningConfig, ResponseFormat, Role, Tool, ToolCall,
    ToolChoice, ToolResult, Usage,
};
use edge_ai_providers::openai::{
    ChatStreamDecoder, ChatStreamEncoder, Head, decode_chat_request, decode_chat_response,
    decode_embedding_request, decode_embedding_response, decode_error, encode_chat_request,
    encode_chat_response, encode_error,
};
use futures_executor::block_on;
use futures_util::StreamExt;
use proptest::prelude::*;

use crate::fixture::{fixture, json, text};

/// The frames and the kind of the error of a stream in pieces.
fn decode(pieces: &[&[u8]]) -> (Vec<ChatFrame>, Option<ErrorKind>) {
    let mut decoder = ChatStreamDecoder::new();
    let mut frames = Vec::new();
    for piece in pieces {
        match decoder.push(Bytes::copy_from_slice(piece)) {
            Ok(more) => frames.extend(more),
            Err(error) => return (frames, Some(error.kind())),
        }
    }
    loop {
        match decoder.finish() {
            Ok(more) if more.is_empty() => return (frames, None),
            Ok(more) => frames.extend(more),
            Err(error) => return (frames, Some(error.kind())),
        }
    }
}

fn arbitrary_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,12}", "\\PC{1,12}", Just("\"\\\n\u{2028}🐱".to_owned())]
}

fn user_part() -> impl Strategy<Value = ContentPart> {
    prop_oneof![
        arbitrary_text().prop_map(ContentPart::text),
        ("[a-z]{1,8}", prop::option::of(Just("high".to_owned()))).prop_map(|(path, detail)| {
            let source = Media::Url(format!("https://example.com/{path}"));
            ContentPart::Image(ImagePart::new(source, detail, Default::default()))
        }),
    ]
}

fn call() -> impl Strategy<Value = ToolCall> {
    ("[a-z0-9]{1,8}", "[a-z_]{1,8}", arbitrary_text()).prop_map(|(id, name, value)| {
        ToolCall::new(id, name, serde_json::json!({ "value": value }).to_string())
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        arbitrary_text().prop_map(|text| Message::from_text(Role::System, text)),
        arbitrary_text().prop_map(|text| Message::from_text(Role::Developer, text)),
        prop::collection::vec(user_part(), 1..4).prop_map(|parts| Message::new(Role::User, parts)),
        (
            prop::option::of(arbitrary_text()),
            prop::collection::vec(call(), 1..3)
        )
            .prop_map(|(text, calls)| {
                let parts = text
                    .map(ContentPart::text)
                    .into_iter()
                    .chain(calls.into_iter().map(ContentPart::ToolCall));
                Message::new(Role::Assistant, parts.collect())
            }),
        ("[a-z0-9]{1,8}", arbitrary_text()).prop_map(|(id, text)| {
            Message::new(
                Role::Tool,
                vec![ContentPart::ToolResult(ToolResult::from_text(id, text))],
            )
        }),
    ]
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
        prop::collection::vec(message(), 1..6),
        prop::collection::vec("[a-z]{1,8}", 0..3),
        prop::option::of(prop_oneof![
            Just(ToolChoice::Required),
            Just(ToolChoice::Function("f".into()))
        ]),
        prop::option::of(format),
        (
            prop::option::of(1..10_000_u32),
            prop::option::of((0..=200_u32).prop_map(|hundredths| f64::from(hundredths) / 100.0)),
            prop::option::of(any::<i64>()),
        ),
        prop::collection::vec(arbitrary_text(), 0..4),
        prop::option::of(Just(ReasoningConfig::effort("high"))),
    )
        .prop_map(
            move |(messages, tools, choice, format, (limit, temperature, seed), stop, reasoning)| {
                let mut request = ChatRequest::new("m");
                let input = request.input.edit();
                input.messages = messages;
                input.tools = tools
                    .into_iter()
                    .map(|name| Tool::Function(FunctionTool::new(name, "does", schema())))
                    .collect();
                input.tool_choice = choice;
                input.response_format = format;
                input.max_output_tokens = limit;
                input.temperature = temperature;
                input.seed = seed;
                input.stop = stop;
                input.reasoning = reasoning;
                request
            },
        )
}

fn answer() -> impl Strategy<Value = ChatOutput> {
    (
        prop::option::of(arbitrary_text()),
        prop::option::of(arbitrary_text()),
        prop::collection::vec(call(), 0..3),
        (0..1_000_u64, 0..1_000_u64),
    )
        .prop_map(|(thought, text, calls, (input, written))| {
            let mut output = ChatOutput::default();
            output.id = "chatcmpl-1".into();
            output.model = "m".into();
            let reason = if calls.is_empty() {
                FinishReason::Stop
            } else {
                FinishReason::ToolCalls
            };
            let thought =
                thought.map(|text| ContentPart::Reasoning(edge_ai_core::ReasoningPart::new(text, None)));
            output.content = thought.into_iter().chain(text.map(ContentPart::text)).collect();
            output
                .content
                .extend(calls.into_iter().map(ContentPart::ToolCall));
            output.finish_reason = reason;
            output.usage = Some(Usage::new(input, written));
            output
        })
}

/// A server's answer says when it was made; ours does not.
fn without_extra(mut output: ChatOutput) -> ChatOutput {
    output.extra = Default::default();
    output
}

fn head() -> Head {
    Head {
        id: "unused".into(),
        created: 7,
        model: "unused".into(),
    }
}

proptest! {
    #[test]
    fn any_chunking_of_a_stream_gives_the_same(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for stream in [
            fixture!("streams/text.sse"), fixture!("streams/tools.sse"), fixture!("streams/thoughts.sse"),
            fixture!("streams/choices.sse"), fixture!("streams/unmarked.sse"), fixture!("streams/cut.sse"),
            fixture!("streams/error.sse"), fixture!("streams/malformed.sse"),
        ] {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&pieces), decode(&[&stream]));
            // A byte at a time, which cuts every character and every line end.
            prop_assert_eq!(decode(&stream.chunks(1).collect::<Vec<_>>()), decode(&[&stream]));
        }
    }

    #[test]
    fn requests_survive_the_round_trip(request in request()) {
        let body = encode_chat_request(&request, false).unwrap();
        let mut back = decode_chat_request(&body).unwrap().request;
        prop_assert_eq!(back.input.edit(), &*request.input);
    }

    #[test]
    fn answers_survive_the_round_trip(output in answer()) {
        let body = encode_chat_response(&output.clone().into(), &head());
        prop_assert_eq!(without_extra(decode_chat_response(body).unwrap().into_inner()), output);
    }

    #[test]
    fn streamed_answers_survive_the_round_trip(output in answer()) {
        let mut encoder = ChatStreamEncoder::new(head(), true);
        let frames = block_on(ChatStream::from_response(output.clone().into()).collect_frames());
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| encoder.encode(frame, None)).collect();
        let (frames, error) = decode(&[&bytes]);
        prop_assert_eq!(error, None);
        prop_assert_eq!(frames.last().map(|frame| &frame.events[..]), Some(&[ChatEvent::Done][..]));
        let back = ChatStream::new(futures_util::stream::iter(frames.into_iter().map(Ok)));
        prop_assert_eq!(without_extra(block_on(back.collect()).unwrap()), output);
    }

    #[test]
    fn unknown_fields_survive(name in "x_[a-z]{1,8}", value in prop_oneof![Just("1.10"), Just("[1,  {\"a\":null}]"), Just("123456789012345678901"), Just("\"\\u0041\"")]) {
        let field = format!("\"{name}\":{value}");
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"a",{field}}},{{"type":"image_url","image_url":{{"url":"https://e.x/a",{field}}},{field}}}],{field}}},
               {{"role":"assistant","content":"b","tool_calls":[{{"id":"1","type":"function","function":{{"name":"f","arguments":"{{}}",{field}}},{field}}}],{field}}},
               {{"role":"tool","tool_call_id":"1","name":"f","content":"c",{field}}},
               {{"role":"tool","tool_call_id":"2","content":[{{"type":"text","text":"d",{field}}},{{"type":"text","text":"e"}}]}}],
               "tools":[{{"type":"function","function":{{"name":"f",{field}}},{field}}},{{"type":"web_search",{field}}}],{field}}}"#
        );
        let body = Bytes::from(body);
        let mut request = decode_chat_request(&body).unwrap().request;
        request.input.edit();
        let sent = encode_chat_request(&request, false).unwrap();
        prop_assert_eq!(text(&sent).matches(&field).count(), text(&body).matches(&field).count());
        prop_assert_eq!(json(&sent), json(&body));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&bytes);
    }

    #[test]
    fn no_change_of_a_body_panics(at in any::<prop::sample::Index>(), with in prop::sample::select(b"\"{}[],:0-e\\n\x00\xff".to_vec()), which in 0..12_usize) {
        let bodies = [
            fixture!("requests/everything.json"), fixture!("requests/thoughts.json"), fixture!("requests/functions.json"),
            fixture!("responses/text.json"), fixture!("responses/several.json"), fixture!("responses/odd.json"),
            fixture!("embeddings/float.json"), fixture!("embeddings/base64.json"), fixture!("errors/filter.json"),
            fixture!("streams/text.sse"), fixture!("streams/tools.sse"), fixture!("streams/thoughts.sse"),
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
    if let Ok(mut call) = decode_chat_request(&body) {
        let _ = encode_chat_request(&call.request, true);
        call.request.input.edit();
        let _ = encode_chat_request(&call.request, true);
    }
    if let Ok(mut response) = decode_chat_response(body.clone()) {
        response.edit();
        json(&encode_chat_response(&response, &head()));
    }
    let _ = decode_embedding_request(&body);
    let _ = decode_embedding_response(body.clone());
    let _ = encode_error(&decode_error(500, &http::HeaderMap::new(), body));
    let (frames, _) = decode(&[bytes]);
    let mut encoder = ChatStreamEncoder::new(head(), true);
    frames.iter().for_each(|frame| drop(encoder.encode(frame, None)));
}

trait CollectFrames {
    async fn collect_frames(self) -> Vec<ChatFrame>;
}

impl CollectFrames for ChatStream {
    async fn collect_frames(self) -> Vec<ChatFrame> {
        StreamExt::collect::<Vec<_>>(self)
            .await
            .into_iter()
            .map(|frame| frame.unwrap())
            .collect()
    }
}
