//! Workers AI's dialect, against exchanges in the service's documented shapes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use edge_ai_core::{
    ChatAccumulator, ChatEvent, ChatFrame, ChatOutput, ChatRequest, ContentPart, EmbeddingPurpose, Error,
    ErrorKind, Extra, FinishReason, FunctionTool, ImagePart, Media, Message, RawJson, ReasoningConfig,
    ReasoningPart, RerankRequest, ResponseFormat, Result, Role, ToolCall, ToolChoice, ToolResult, Usage,
    Verbatim,
};
use edge_ai_providers::openai::CHAT;
use edge_ai_providers::workers_ai::{
    DEFAULT_MAX_TOKENS, Pooling, TEXT, TextExchange, TextStreamDecoder, decode_embedding_answer,
    decode_rerank_answer, decode_text_response, encode_embedding_inputs, encode_rerank_inputs,
    encode_text_request,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NATIVE_RESPONSE: &str = include_str!("fixtures/workers_ai/native.response.json");
const NATIVE_STREAM: &str = include_str!("fixtures/workers_ai/native.stream.txt");
const OPENAI_RESPONSE: &str = include_str!("fixtures/workers_ai/openai.response.json");
const OPENAI_STREAM: &str = include_str!("fixtures/workers_ai/openai.stream.txt");
const MODEL: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

fn exchange() -> TextExchange {
    TextExchange::new(MODEL, br#"{"messages":[],"max_tokens":40}"#)
}

fn decode(text: &str) -> Result<ChatOutput> {
    decode_text_response(&exchange(), Bytes::copy_from_slice(text.as_bytes())).map(Verbatim::into_inner)
}

fn frames(chunks: &[&[u8]]) -> Result<Vec<ChatFrame>> {
    let mut decoder = TextStreamDecoder::new(exchange());
    let mut frames = Vec::new();
    for chunk in chunks {
        frames.extend(decoder.push(Bytes::copy_from_slice(chunk))?);
    }
    frames.extend(decoder.finish()?);
    Ok(frames)
}

fn accumulate(stream: &str) -> Result<ChatOutput> {
    let mut accumulator = ChatAccumulator::default();
    for event in frames(&[stream.as_bytes()])?
        .into_iter()
        .flat_map(|frame| frame.events)
    {
        accumulator.push(event);
    }
    assert!(accumulator.is_complete());
    Ok(accumulator.finish())
}

fn kind(result: Result<impl std::fmt::Debug>) -> ErrorKind {
    result.map_err(|error: Error| error.kind()).unwrap_err()
}

fn conversation() -> ChatRequest {
    let picture = Media::Base64 {
        media_type: "image/png".into(),
        data: "iVBORw0KGgo=".into(),
    };
    let mut user = Message::new(
        Role::User,
        vec![
            ContentPart::text("What is this?"),
            ContentPart::Image(ImagePart::new(picture, None, Extra::default())),
        ],
    );
    user.name = Some("ada".into());
    let annotations = Extra::new(CHAT, vec![("annotations".into(), RawJson::parse("[]").unwrap())]);
    let results = [("call_1", "18 °C"), ("call_2", "noon")];
    let weather =
        RawJson::parse(r#"{"type": "object", "properties": {"city": {"type": "string"}}}"#).unwrap();
    let schema = RawJson::parse(
        r#"{"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "number"}}}"#,
    )
    .unwrap();
    let mut request = ChatRequest::new(MODEL)
        .system("You help travelers.")
        .message(Message::from_text(Role::Developer, "Answer briefly."))
        .message(user)
        .message(Message::new(
            Role::Assistant,
            vec![
                ContentPart::Reasoning(ReasoningPart::new("hm", None)),
                ContentPart::ToolCall(ToolCall::new("call_1", "get_weather", r#"{"city": "Paris"}"#)),
                ContentPart::ToolCall(ToolCall::new("call_2", "get_time", "")),
                ContentPart::Other(annotations),
            ],
        ))
        .message(Message::new(
            Role::Tool,
            results
                .map(|(id, text)| ContentPart::ToolResult(ToolResult::from_text(id, text)))
                .to_vec(),
        ))
        .user("Well?")
        .tool(FunctionTool::named("get_time"))
        .tool(FunctionTool::new("get_weather", "The weather in a city", weather))
        .tool_choice(ToolChoice::Function("get_weather".into()))
        .response_format(ResponseFormat::JsonSchema {
            name: "x".into(),
            description: None,
            schema,
            strict: None,
        })
        .reasoning(ReasoningConfig::effort("low"))
        .temperature(1.5);
    let input = request.input.edit();
    input.top_k = Some(90);
    input.seed = Some(0);
    request
}

#[test]
fn a_conversation_is_written_as_workers_ai_wants_it() {
    let body = encode_text_request(&conversation(), true, DEFAULT_MAX_TOKENS).unwrap();
    let expect: Value =
        serde_json::from_str(include_str!("fixtures/workers_ai/conversation.request.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expect);
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.contains(r#""properties": {"z""#),
        "the order of a schema's properties stays"
    );
}

#[test]
fn a_request_of_the_dialect_goes_out_as_it_came() {
    let text = r#"{ "prompt": "hi", "lora": "mine", "temperature": 0.10 }"#;
    let input = Verbatim::new(conversation().input.into_inner()).with_native(TEXT, text.into());
    let request = ChatRequest::from_input(MODEL, input);
    assert_eq!(encode_text_request(&request, false, 9).unwrap(), text);
    assert_eq!(
        encode_text_request(&request, true, 9).unwrap(),
        r#"{"prompt":"hi","lora":"mine","temperature":0.10,"stream":true}"#
    );
}

#[test]
fn what_cannot_be_said_is_refused_with_its_place() {
    let request = || ChatRequest::new(MODEL);
    let audio = ContentPart::Audio(edge_ai_core::AudioPart::new(
        "UklG".into(),
        "wav".into(),
        Extra::default(),
    ));
    let image = ContentPart::ToolResult(ToolResult::new("1", vec![ContentPart::image_url("https://a/b")]));
    let file = ContentPart::Image(ImagePart::new(Media::FileId("f".into()), None, Extra::default()));
    let mut twice = request().user("hi");
    twice.input.edit().choices = Some(2);
    for (request, kind, param) in [
        (request(), ErrorKind::InvalidRequest, "messages"),
        (
            request().message(Message::new(Role::User, vec![audio])),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            request().message(Message::new(Role::User, vec![file])),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            request().message(Message::new(Role::Tool, vec![image])),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            request().message(Message::from_text(Role::Tool, "x")),
            ErrorKind::InvalidRequest,
            "messages[0].content[0]",
        ),
        (
            request().user("hi").tool_choice(ToolChoice::Function("f".into())),
            ErrorKind::InvalidRequest,
            "tool_choice",
        ),
        (twice, ErrorKind::Unsupported, "n"),
    ] {
        let error = encode_text_request(&request, false, DEFAULT_MAX_TOKENS).unwrap_err();
        assert_eq!((error.kind(), error.param()), (kind, Some(param)));
    }
}

#[test]
fn the_own_shape_is_read() {
    let output = decode(NATIVE_RESPONSE).unwrap();
    assert_eq!(output.model, MODEL);
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let mut usage = Usage::new(184, 32);
    usage.cache_read_tokens = 64;
    assert_eq!(output.usage, Some(usage));
    assert_eq!(
        output.content,
        [
            ContentPart::text("Let me look."),
            ContentPart::ToolCall(ToolCall::new(
                exchange().call_id(0),
                "get_weather",
                r#"{"city": "Zürich", "days": 2.50}"#
            )),
            ContentPart::ToolCall(ToolCall::new(exchange().call_id(1), "get_time", "{}")),
        ]
    );
}

#[test]
fn every_form_of_a_response_has_its_text() {
    for (response, text) in [
        (r#""hi""#, "hi"),
        (r#"{"z": 1.10, "a": [2]}"#, r#"{"z": 1.10, "a": [2]}"#),
        ("42", "42"),
        ("null", ""),
        (r#""""#, ""),
    ] {
        let output = decode(&format!(r#"{{"response":{response}}}"#)).unwrap();
        assert_eq!(
            (output.text().as_str(), output.finish_reason),
            (text, FinishReason::Stop),
            "{response}"
        );
    }
}

#[test]
fn an_answer_at_its_limit_was_cut() {
    let usage = |tokens| format!(r#""usage":{{"prompt_tokens":1,"completion_tokens":{tokens}}}"#);
    for (tokens, reason) in [(39, FinishReason::Stop), (40, FinishReason::Length)] {
        let usage = usage(tokens);
        assert_eq!(
            decode(&format!(r#"{{"response":"x",{usage}}}"#))
                .unwrap()
                .finish_reason,
            reason
        );
        let stream = format!("data: {{\"response\":\"x\",{usage}}}\n\ndata: [DONE]\n\n");
        assert_eq!(accumulate(&stream).unwrap().finish_reason, reason);
    }
}

#[test]
fn openais_shape_is_read_too() {
    let output = decode(OPENAI_RESPONSE).unwrap();
    assert_eq!(output.model, "@cf/openai/gpt-oss-120b");
    assert_eq!(output.usage, Some(Usage::new(90, 21)));
    let calls: Vec<_> = output.tool_calls().cloned().collect();
    assert_eq!(
        calls,
        [ToolCall::new(
            exchange().call_id(0),
            "get_weather",
            r#"{"city":"Zürich"}"#
        )]
    );
}

#[test]
fn an_answer_that_is_none_is_the_upstreams_fault() {
    for text in [
        "",
        "null",
        "[]",
        "<html>",
        "{}",
        r#"{"request_id":"x"}"#,
        r#"{"response":"x","tool_calls":7}"#,
    ] {
        assert_eq!(kind(decode(text)), ErrorKind::BadUpstream, "{text}");
    }
    let busy =
        r#"{"internalCode":3040,"message":"m","name":"E","description":"Capacity temporarily exceeded"}"#;
    assert_eq!(kind(decode(busy)), ErrorKind::RateLimited);
}

#[test]
fn streams_accumulate_to_the_answer() {
    assert_eq!(
        accumulate(NATIVE_STREAM).unwrap(),
        decode(NATIVE_RESPONSE).unwrap()
    );
    let (streamed, whole) = (
        accumulate(OPENAI_STREAM).unwrap(),
        decode(OPENAI_RESPONSE).unwrap(),
    );
    assert_eq!(streamed.content, whole.content);
    assert_eq!(
        (streamed.usage, streamed.finish_reason),
        (whole.usage, whole.finish_reason)
    );
}

#[test]
fn a_stream_is_complete_with_its_mark_or_a_reason() {
    // OpenAI's frames above end with a reason and without the mark.
    assert_eq!(
        frames(&[OPENAI_STREAM.as_bytes()])
            .unwrap()
            .last()
            .unwrap()
            .events,
        [ChatEvent::Done]
    );
    let unfinished = OPENAI_STREAM.rfind("data:").unwrap();
    assert_eq!(
        kind(frames(&[&OPENAI_STREAM.as_bytes()[..unfinished]])),
        ErrorKind::Interrupted
    );
    let unmarked = NATIVE_STREAM.rfind("data: [DONE]").unwrap();
    assert_eq!(
        kind(frames(&[&NATIVE_STREAM.as_bytes()[..unmarked]])),
        ErrorKind::Interrupted
    );
    assert_eq!(
        kind(frames(&[b"data: {\"response\":\"ha"])),
        ErrorKind::Interrupted
    );
    assert_eq!(kind(frames(&[])), ErrorKind::Interrupted);
    // The mark's own empty line may be missing.
    assert!(frames(&[NATIVE_STREAM.trim_end().as_bytes()]).is_ok());
}

#[test]
fn frames_of_both_kinds_may_meet() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\ndata: {\"response\":\"lo\"}\n\n\
        data: {\"response\":7}\n\ndata: {\"response\":null,\"usage\":{\"prompt_tokens\":2.0,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    let output = accumulate(stream).unwrap();
    assert_eq!(
        (output.text().as_str(), output.usage),
        ("Hello7", Some(Usage::new(2, 1)))
    );
}

#[test]
fn pieces_of_calls_find_each_other() {
    let stream = "data: {\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\"}},{\"index\":1,\"function\":{\"name\":\"g\"}}]}\n\n\
        data: {\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":\"}}]}\n\n\
        data: {\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}},{\"id\":null,\"function\":{\"name\":null,\"arguments\":\"\"}}]}\n\n\
        data: [DONE]\n\n";
    let output = accumulate(stream).unwrap();
    let calls: Vec<_> = output.tool_calls().cloned().collect();
    assert_eq!(
        calls,
        [
            ToolCall::new("a", "f", r#"{"x":1}"#),
            ToolCall::new(exchange().call_id(1), "g", "{}")
        ]
    );
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
}

#[test]
fn an_error_in_a_stream_is_an_error_after_what_came_before() {
    let stream = "data: {\"response\":\"Once\"}\n\ndata: {\"errors\":[{\"code\":3040,\"message\":\"Capacity temporarily exceeded\"}]}\n\n";
    let mut decoder = TextStreamDecoder::new(exchange());
    let before = decoder.push(stream.into()).unwrap();
    assert_eq!(before[0].events[1], ChatEvent::Text("Once".into()));
    let error = decoder.finish().unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::RateLimited, Some("3040"))
    );
    assert_eq!(kind(frames(&[b"data: {oops\n\n"])), ErrorKind::BadUpstream);
}

#[test]
fn frames_keep_their_bytes() {
    let native: Vec<u8> = frames(&[NATIVE_STREAM.as_bytes()])
        .unwrap()
        .into_iter()
        .flat_map(|frame| frame.native.unwrap())
        .collect();
    assert_eq!(String::from_utf8(native).unwrap(), NATIVE_STREAM);
}

#[test]
fn embedding_models_get_what_they_know() {
    let encode = |model, purpose| -> Value {
        serde_json::from_slice(
            &encode_embedding_inputs(model, &["a", "b"], purpose, Pooling::default()).unwrap(),
        )
        .unwrap()
    };
    let query = Some(EmbeddingPurpose::Query);
    let document = Some(EmbeddingPurpose::Document);
    assert_eq!(
        encode("@cf/baai/bge-base-en-v1.5", query),
        json!({"text": ["a", "b"], "pooling": "cls"})
    );
    assert_eq!(encode("@cf/baai/bge-m3", document), json!({"text": ["a", "b"]}));
    assert_eq!(
        encode("@cf/qwen/qwen3-embedding-0.6b", query),
        json!({"queries": ["a", "b"]})
    );
    assert_eq!(
        encode("@cf/qwen/qwen3-embedding-0.6b", document),
        json!({"documents": ["a", "b"]})
    );
    assert_eq!(
        encode("@cf/qwen/qwen3-embedding-0.6b", None),
        json!({"text": ["a", "b"]})
    );
}

#[test]
fn embeddings_are_one_for_each_text_and_of_one_length() {
    let (vectors, usage) = decode_embedding_answer(
        br#"{"shape":[2,2],"data":[[0.5,-1],[2e-3,0]],"pooling":"cls"}"#,
        2,
    )
    .unwrap();
    assert_eq!((vectors, usage), (vec![vec![0.5, -1.0], vec![0.002, 0.0]], None));
    for (body, count) in [
        (r#"{"data":[[1]]}"#, 2),
        (r#"{"data":[[1],[1,2]]}"#, 2),
        (r#"{"data":[[]]}"#, 1),
        (r#"{"data":[["x"]]}"#, 1),
        (r#"{"request_id":"x"}"#, 1),
    ] {
        assert_eq!(
            kind(decode_embedding_answer(body.as_bytes(), count)),
            ErrorKind::BadUpstream,
            "{body}"
        );
    }
}

#[test]
fn documents_are_ranked() {
    let request = RerankRequest::new(
        "@cf/baai/bge-reranker-base",
        "q",
        vec!["a".into(), "b".into(), "c".into()],
    )
    .top_n(2);
    let inputs: Value = serde_json::from_slice(&encode_rerank_inputs(&request).unwrap()).unwrap();
    assert_eq!(
        inputs,
        json!({"query": "q", "contexts": [{"text": "a"}, {"text": "b"}, {"text": "c"}], "top_k": 2})
    );
    let ranked = decode_rerank_answer(
        br#"{"response":[{"id":0,"score":-3.5},{"id":2,"score":0.9}]}"#,
        3,
        Some(2),
    )
    .unwrap();
    let order: Vec<_> = ranked
        .results
        .iter()
        .map(|result| (result.index, result.score))
        .collect();
    assert_eq!(order, [(2, 0.9), (0, -3.5)]);
    for wrong in [
        r#"{"response":[{"id":3,"score":1}]}"#,
        r#"{"response":[{"id":0,"score":1},{"id":0,"score":1}]}"#,
        "{}",
    ] {
        assert_eq!(
            kind(decode_rerank_answer(wrong.as_bytes(), 3, None)),
            ErrorKind::BadUpstream,
            "{wrong}"
        );
    }
    assert_eq!(
        kind(encode_rerank_inputs(&RerankRequest::new("m", "q", Vec::new()))),
        ErrorKind::InvalidRequest
    );
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for stream in [NATIVE_STREAM, OPENAI_STREAM] {
            let bytes = stream.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(frames(&chunks).unwrap(), frames(&[bytes]).unwrap());
        }
    }

    #[test]
    fn any_own_answer_reads_back(text in "[a-zé\"\\\\\n]{0,12}", names in prop::collection::vec("[a-z]{1,6}", 0..4)) {
        let calls: Vec<_> = names.iter().map(|name| json!({"name": name, "arguments": {"x": 1}})).collect();
        let output = decode(&json!({"response": text, "tool_calls": calls}).to_string()).unwrap();
        prop_assert_eq!(output.text(), text);
        let called: Vec<_> = output.tool_calls().map(|call| call.name.clone()).collect();
        prop_assert_eq!(called, names);
        let mut ids: Vec<_> = output.tool_calls().map(|call| call.id.clone()).collect();
        ids.dedup();
        prop_assert_eq!(ids.len(), calls.len());
    }

    #[test]
    fn no_input_panics(lines in prop::collection::vec((0_usize..60, any::<prop::sample::Index>()), 0..10), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let known: Vec<_> = NATIVE_STREAM.lines().chain(OPENAI_STREAM.lines()).collect();
        let mut stream: Vec<u8> = Vec::new();
        for (line, cut) in lines {
            let line = known[line % known.len()].as_bytes();
            let cut = if cut.index(3) == 0 { cut.index(line.len() + 1) } else { line.len() };
            stream.extend(&line[..cut]);
            stream.extend(b"\n\n");
        }
        stream.extend(&bytes);
        let _ = frames(&[&stream]);
        let _ = decode_text_response(&exchange(), bytes.clone().into());
        let _ = decode_embedding_answer(&bytes, 1);
        let _ = decode_rerank_answer(&bytes, 1, None);
    }
}
