//! Anthropic's dialect, against exchanges in the vendor's documented shapes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use edge_ai_core::{
    ChatAccumulator, ChatEvent, ChatFrame, ChatOutput, ChatRequest, ContentPart, Dialect, ErrorKind, Extra,
    FilePart, FinishReason, FunctionTool, ImagePart, Media, Message, RawJson, ReasoningConfig, ReasoningPart,
    ResponseFormat, Result, Role, TextPart, Tool, ToolCall, ToolChoice, ToolResult, Usage, Verbatim,
};
use edge_ai_providers::anthropic::{
    DEFAULT_MAX_TOKENS, MESSAGES, MessagesStreamDecoder, decode_messages_response, encode_messages_request,
};
use edge_ai_providers::openai::CHAT;
use proptest::prelude::*;
use serde_json::{Value, json};

const TOOLS_RESPONSE: &str = include_str!("fixtures/anthropic/tools.response.json");
const TOOLS_STREAM: &str = include_str!("fixtures/anthropic/tools.stream.txt");
const SEARCH_RESPONSE: &str = include_str!("fixtures/anthropic/search.response.json");
const SEARCH_STREAM: &str = include_str!("fixtures/anthropic/search.stream.txt");
const OVERLOADED_STREAM: &str = include_str!("fixtures/anthropic/overloaded.stream.txt");

fn extra(dialect: Dialect, name: &str, json: &str) -> Extra {
    Extra::new(dialect, vec![(name.to_owned(), RawJson::parse(json).unwrap())])
}

fn encode(request: &ChatRequest) -> Value {
    serde_json::from_slice(&encode_messages_request(request, false, DEFAULT_MAX_TOKENS).unwrap()).unwrap()
}

fn refused(request: &ChatRequest) -> (ErrorKind, String) {
    let error = encode_messages_request(request, false, DEFAULT_MAX_TOKENS).unwrap_err();
    (error.kind(), error.param().unwrap_or_default().to_owned())
}

fn decode(text: &str) -> ChatOutput {
    decode_messages_response(Bytes::copy_from_slice(text.as_bytes()))
        .unwrap()
        .into_inner()
}

fn frames(chunks: &[&[u8]]) -> Result<Vec<ChatFrame>> {
    let mut decoder = MessagesStreamDecoder::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        frames.extend(decoder.push(Bytes::copy_from_slice(chunk))?);
    }
    frames.extend(decoder.finish()?);
    Ok(frames)
}

fn accumulate(stream: &str) -> ChatOutput {
    let mut accumulator = ChatAccumulator::default();
    for event in frames(&[stream.as_bytes()])
        .unwrap()
        .into_iter()
        .flat_map(|frame| frame.events)
    {
        accumulator.push(event);
    }
    assert!(accumulator.is_complete());
    accumulator.finish()
}

fn calls(calls: &[(&str, &str, &str)]) -> Message {
    let calls = calls
        .iter()
        .map(|(id, name, arguments)| ContentPart::ToolCall(ToolCall::new(*id, *name, *arguments)));
    Message::new(Role::Assistant, calls.collect())
}

/// A conversation as an OpenAI client would have it: instructions in two roles, a cache mark, thoughts after the text, a message
/// for each tool result.
fn conversation() -> ChatRequest {
    let marked = TextPart::new(
        "You help travelers.",
        extra(CHAT, "cache_control", r#"{"type":"ephemeral"}"#),
    );
    let base64 = |media_type: &str, data: &str| Media::Base64 {
        media_type: media_type.into(),
        data: data.into(),
    };
    let mut turn = calls(&[
        (
            "functions.get_weather:0",
            "get_weather",
            r#"{"city": "Paris", "days": 1.50}"#,
        ),
        ("toolu_02", "get_time", ""),
    ]);
    turn.content.insert(0, ContentPart::text("The Eiffel Tower."));
    turn.content
        .insert(1, ContentPart::Reasoning(ReasoningPart::new("not signed", None)));
    turn.content.insert(
        2,
        ContentPart::Reasoning(ReasoningPart::new(
            "The Eiffel Tower.",
            Some("EqQBCgIYAhIM".into()),
        )),
    );
    turn.content
        .insert(3, ContentPart::Reasoning(ReasoningPart::redacted("EmwKAhgBEgy3")));
    turn.content
        .push(ContentPart::Other(extra(CHAT, "annotations", "[]")));
    let mut failed = ToolResult::new(
        "toolu_02",
        vec![
            ContentPart::text("no clock"),
            ContentPart::image_url("https://example.com/clock.png"),
        ],
    );
    failed.is_error = true;
    let result = ToolResult::from_text("functions.get_weather:0", "18 °C, cloudy");
    let weather = r#"{"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "number"}}, "required": ["city"]}"#;
    let mut request = ChatRequest::new("claude-sonnet-4-5")
        .message(Message::new(Role::System, vec![ContentPart::Text(marked)]))
        .message(Message::new(
            Role::User,
            vec![
                ContentPart::text("What is this, and what is the weather there?"),
                ContentPart::Image(ImagePart::new(
                    base64("image/png", "iVBORw0KGgo="),
                    None,
                    Extra::default(),
                )),
                ContentPart::Image(ImagePart::new(
                    Media::from_url("https://example.com/tower.jpg"),
                    Some("low".into()),
                    Extra::default(),
                )),
                ContentPart::File(FilePart::new(
                    base64("application/pdf", "JVBERi0xLjc="),
                    Some("map.pdf".into()),
                    Extra::default(),
                )),
                ContentPart::File(FilePart::new(
                    base64("text/plain", "UGFyaXMsIEZyYW5jZQ=="),
                    None,
                    Extra::default(),
                )),
                ContentPart::text(""),
            ],
        ))
        .message(turn)
        .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(result)]))
        .user("And tomorrow?")
        .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(failed)]))
        .message(Message::from_text(Role::Developer, "Answer briefly."))
        .user("In Celsius.")
        .tool(FunctionTool::new(
            "get_weather",
            "The weather in a city",
            RawJson::parse(weather).unwrap(),
        ))
        .tool(FunctionTool::named("get_time"))
        .temperature(1.4);
    let input = request.input.edit();
    input.top_k = Some(40);
    input.top_p = Some(0.9);
    input.seed = Some(7);
    input.stop = vec!["END".into()];
    input.parallel_tool_calls = Some(false);
    input.extra = extra(CHAT, "user", r#""u-7""#);
    request
}

#[test]
fn a_conversation_is_written_as_anthropic_wants_it() {
    let body = encode_messages_request(&conversation(), true, DEFAULT_MAX_TOKENS).unwrap();
    let expect: Value =
        serde_json::from_str(include_str!("fixtures/anthropic/conversation.request.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expect);
    assert!(
        String::from_utf8_lossy(&body).contains(r#""input":{"city": "Paris", "days": 1.50}"#),
        "arguments keep their digits"
    );
}

#[test]
fn a_request_of_the_dialect_goes_out_as_it_came() {
    let text = r#"{ "model": "x", "max_tokens": 1, "messages": [], "mcp_servers": [{"n": 1.10}] }"#;
    let input = Verbatim::new(conversation().input.into_inner()).with_native(MESSAGES, text.into());
    let request = ChatRequest::from_input("claude-opus-4-6", input.clone());
    let body = encode_messages_request(&request, true, 5).unwrap();
    assert_eq!(
        body,
        r#"{"model":"claude-opus-4-6","max_tokens":1,"messages":[],"mcp_servers":[{"n": 1.10}],"stream":true}"#
    );
    assert_eq!(
        encode_messages_request(&ChatRequest::from_input("x", input), false, 5).unwrap(),
        text
    );
}

#[test]
fn an_answer_goes_back_unchanged() {
    for response in [TOOLS_RESPONSE, SEARCH_RESPONSE] {
        let request = ChatRequest::new("claude-opus-4-6")
            .user("hi")
            .message(decode(response).to_message());
        let sent = encode(&request);
        let received: Value = serde_json::from_str(response).unwrap();
        assert_eq!(sent["messages"][1]["content"], received["content"]);
    }
}

#[test]
fn tool_choices() {
    let choose = |choice| {
        encode(
            &ChatRequest::new("claude-sonnet-5")
                .user("hi")
                .tool(FunctionTool::named("f"))
                .tool_choice(choice),
        )["tool_choice"]
            .clone()
    };
    assert_eq!(choose(ToolChoice::Auto), json!({"type": "auto"}));
    assert_eq!(choose(ToolChoice::None), json!({"type": "none"}));
    assert_eq!(choose(ToolChoice::Required), json!({"type": "any"}));
    assert_eq!(
        choose(ToolChoice::Function("f".into())),
        json!({"type": "tool", "name": "f"})
    );
    let without_tools = ChatRequest::new("claude-sonnet-5").user("hi");
    assert!(
        encode(&without_tools.clone().tool_choice(ToolChoice::Auto))
            .get("tool_choice")
            .is_none()
    );
    assert_eq!(
        refused(&without_tools.tool_choice(ToolChoice::Required)),
        (ErrorKind::InvalidRequest, "tool_choice".into())
    );
    let never = ChatRequest::new("claude-opus-5-5")
        .user("hi")
        .tool(FunctionTool::named("f"))
        .tool_choice(ToolChoice::Required);
    assert_eq!(refused(&never), (ErrorKind::Unsupported, "tool_choice".into()));
}

#[test]
fn schemas_are_enforced_or_asked_for() {
    let schema = |strict| ResponseFormat::JsonSchema {
        name: "city".into(),
        description: None,
        schema: RawJson::parse(r#"{"type":"object","properties":{"name":{"type":"string"}}}"#).unwrap(),
        strict,
    };
    let ask = |model: &str, format| ChatRequest::new(model).user("hi").response_format(format);
    let enforced =
        encode(&ask("claude-opus-5", schema(Some(true))).reasoning(ReasoningConfig::effort("low")));
    assert_eq!(
        enforced["output_config"],
        json!({"effort": "low", "format": {"type": "json_schema", "schema":
            {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": false}}})
    );
    assert_eq!(
        enforced["thinking"],
        json!({"type": "adaptive", "display": "summarized"})
    );
    let asked = encode(&ask("claude-sonnet-4-20250514", schema(None)));
    assert!(asked.get("output_config").is_none());
    assert!(
        asked["system"][0]["text"]
            .as_str()
            .unwrap()
            .contains(r#""name":{"type":"string"}"#)
    );
    assert_eq!(
        refused(&ask("claude-sonnet-4-20250514", schema(Some(true)))),
        (ErrorKind::Unsupported, "response_format".into())
    );
    assert!(
        encode(&ask("claude-opus-5", ResponseFormat::JsonObject))["system"][0]["text"]
            .as_str()
            .unwrap()
            .contains("JSON object")
    );
}

#[test]
fn sampling_is_left_out_where_it_would_be_refused() {
    let asked = |model: &str| ChatRequest::new(model).user("hi").temperature(0.2);
    assert_eq!(encode(&asked("claude-sonnet-4-5"))["temperature"], json!(0.2));
    assert!(encode(&asked("claude-opus-5")).get("temperature").is_none());
    let thinking = encode(&asked("claude-sonnet-4-5").reasoning(ReasoningConfig::max_tokens(3_000)));
    assert!(thinking.get("temperature").is_none());
    assert_eq!(
        thinking["thinking"],
        json!({"type": "enabled", "budget_tokens": 3_000})
    );
    assert_eq!(thinking["max_tokens"], 7_096);
}

#[test]
fn white_space_is_no_content_and_no_stop() {
    let mut request = ChatRequest::new("claude-sonnet-5")
        .system(" \n")
        .user("Weather?")
        .message(Message::new(
            Role::Assistant,
            vec![
                ContentPart::text("\n\n"),
                ContentPart::ToolCall(ToolCall::new("a", "f", "")),
            ],
        ));
    request.input.edit().stop = vec![String::new(), "END".into()];
    let body = encode(&request);
    assert!(body.get("system").is_none());
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "tool_use", "id": "a", "name": "f", "input": {}}])
    );
    assert_eq!(body["stop_sequences"], json!(["END"]));
    request.input.edit().stop = vec!["END".into(), "\n".into()];
    assert_eq!(refused(&request), (ErrorKind::Unsupported, "stop[1]".to_owned()));
}

#[test]
fn what_cannot_be_said_is_refused_with_its_place() {
    let request = || ChatRequest::new("claude-sonnet-5");
    let audio = edge_ai_core::AudioPart::new("UklG".into(), "wav".into(), Extra::default());
    let file = |media_type: &str| {
        let media = Media::Base64 {
            media_type: media_type.into(),
            data: "!".into(),
        };
        request().message(Message::new(
            Role::User,
            vec![ContentPart::File(FilePart::new(media, None, Extra::default()))],
        ))
    };
    let user = |part| request().message(Message::new(Role::User, vec![part]));
    let mut twice = request().user("hi");
    twice.input.edit().choices = Some(2);
    let mut vendor = request().user("hi");
    vendor
        .input
        .edit()
        .tools
        .push(Tool::Vendor(extra(CHAT, "type", r#""web_search""#)));
    for (request, kind, param) in [
        (request(), ErrorKind::InvalidRequest, "messages"),
        (
            request().system("only this"),
            ErrorKind::InvalidRequest,
            "messages",
        ),
        (
            user(ContentPart::Audio(audio)),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            file("application/zip"),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            file("text/plain"),
            ErrorKind::InvalidRequest,
            "messages[0].content[0]",
        ),
        (
            user(ContentPart::image_url("file:///etc/passwd")),
            ErrorKind::InvalidRequest,
            "messages[0].content[0]",
        ),
        (
            user(ContentPart::Other(extra(CHAT, "type", r#""x""#))),
            ErrorKind::Unsupported,
            "messages[0].content[0]",
        ),
        (
            request()
                .user("hi")
                .message(calls(&[("a", "f", "{}"), ("b", "f", "{\"x\":")])),
            ErrorKind::InvalidRequest,
            "messages[1].content[1]",
        ),
        (
            request().user("hi").message(calls(&[("a", "f", "[1]")])),
            ErrorKind::InvalidRequest,
            "messages[1].content[0]",
        ),
        (
            request().user("hi").message(calls(&[("", "f", "{}")])),
            ErrorKind::InvalidRequest,
            "messages[1].content[0]",
        ),
        (twice, ErrorKind::Unsupported, "n"),
        (vendor, ErrorKind::Unsupported, "tools[0].type"),
    ] {
        assert_eq!(refused(&request), (kind, param.to_owned()));
    }
}

#[test]
fn tools_of_the_vendor_and_strict_ones() {
    let mut request = ChatRequest::new("claude-opus-5").user("hi");
    let mut strict = FunctionTool::new("f", "", RawJson::parse("{}").unwrap());
    strict.strict = Some(true);
    let search = Extra::new(
        MESSAGES,
        vec![
            ("type".into(), RawJson::parse(r#""web_search_20250305""#).unwrap()),
            ("name".into(), RawJson::parse(r#""web_search""#).unwrap()),
        ],
    );
    request.input.edit().tools = vec![Tool::Vendor(search), Tool::Function(strict)];
    assert_eq!(
        encode(&request)["tools"],
        json!([
            {"type": "web_search_20250305", "name": "web_search"},
            {"name": "f", "description": "", "strict": true,
             "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}}
        ])
    );
}

#[test]
fn an_answer_is_read_whole() {
    let output = decode(TOOLS_RESPONSE);
    assert_eq!(output.id, "msg_01XFDUDYJgAACzvnptvVoYEL");
    assert_eq!(output.model, "claude-sonnet-4-5-20250929");
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let mut usage = Usage::new(1_000, 50);
    (
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ) = (700, 200, 12);
    assert_eq!(output.usage, Some(usage));
    assert_eq!(
        output.content,
        [
            ContentPart::Reasoning(ReasoningPart::new(
                "Two lookups are needed.",
                Some("EqQBCgIYAhIM1gbcDa9GJwZA2b3h".into())
            )),
            ContentPart::Reasoning(ReasoningPart::redacted(
                "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"
            )),
            ContentPart::text("Let me look."),
            ContentPart::ToolCall(ToolCall::new(
                "toolu_01A09q90qw90lq917835lq9",
                "get_weather",
                r#"{"city": "Zürich", "days": 2}"#
            )),
            ContentPart::ToolCall(ToolCall::new("toolu_02B19r80rw81mr028946mr8", "get_time", "{}")),
        ]
    );
    assert!(output.extra.is_empty());
}

#[test]
fn every_stop_reason_has_its_meaning() {
    for (reason, expect) in [
        ("end_turn", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("stop_sequence", FinishReason::StopSequence),
        ("tool_use", FinishReason::ToolCalls),
        ("pause_turn", FinishReason::Pause),
        ("refusal", FinishReason::Refusal),
        ("model_context_window_exceeded", FinishReason::ContextWindow),
        ("compaction", FinishReason::Other("compaction".into())),
    ] {
        assert_eq!(
            decode(&format!(r#"{{"content":[],"stop_reason":"{reason}"}}"#)).finish_reason,
            expect
        );
    }
}

#[test]
fn a_stream_accumulates_to_the_answer() {
    assert_eq!(accumulate(TOOLS_STREAM), decode(TOOLS_RESPONSE));
    let (streamed, whole) = (accumulate(SEARCH_STREAM), decode(SEARCH_RESPONSE));
    assert_eq!(streamed.content[..2], whole.content[..2]);
    assert_eq!(
        (streamed.text(), streamed.usage, streamed.finish_reason),
        (whole.text(), whole.usage, FinishReason::Pause)
    );
    let citations = |parts: &[ContentPart]| {
        parts.iter().rev().find_map(|part| match part {
            ContentPart::Text(part) => part
                .extra
                .get(&MESSAGES, "citations")
                .map(|list| list.to::<Value>().unwrap()),
            _ => None,
        })
    };
    assert!(citations(&whole.content).is_some());
    assert_eq!(citations(&streamed.content), citations(&whole.content));
}

#[test]
fn a_block_that_is_cut_at_the_limit_costs_no_answer() {
    let events = [
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"query\": \"Be"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 5}}),
        json!({"type": "message_stop"}),
    ];
    let answer = accumulate(&events.map(|event| format!("data: {event}\n\n")).concat());
    assert_eq!(answer.finish_reason, FinishReason::Length);
    let [ContentPart::Other(block)] = &answer.content[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(block.get(&MESSAGES, "input").unwrap().get(), "{}");
}

#[test]
fn odd_counts_cost_no_answer() {
    let usage = |usage: &str| {
        decode(&format!(
            r#"{{"content":[],"stop_reason":"end_turn","usage":{usage}}}"#
        ))
        .usage
    };
    assert_eq!(
        usage(r#"{"input_tokens":12.0,"output_tokens":-1,"cache_read_input_tokens":null}"#),
        Some(Usage::new(12, 0))
    );
    let huge = r#"{"input_tokens":99999999999999999999,"cache_read_input_tokens":1}"#;
    assert_eq!(usage(huge).unwrap().input_tokens, u64::MAX);
}

#[test]
fn frames_keep_their_bytes() {
    let native: Vec<u8> = frames(&[TOOLS_STREAM.as_bytes()])
        .unwrap()
        .into_iter()
        .flat_map(|frame| frame.native.unwrap())
        .collect();
    assert_eq!(String::from_utf8(native).unwrap(), TOOLS_STREAM);
}

#[test]
fn a_stream_that_breaks_off_is_no_answer() {
    let ends: Vec<_> = TOOLS_STREAM.match_indices("\n\n").map(|(at, _)| at + 2).collect();
    for end in &ends[..ends.len() - 1] {
        let error = frames(&[&TOOLS_STREAM.as_bytes()[..*end]]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
}

#[test]
fn an_error_event_is_an_error_after_what_came_before() {
    let mut decoder = MessagesStreamDecoder::new();
    let frames = decoder.push(OVERLOADED_STREAM.into()).unwrap();
    assert_eq!(frames.last().unwrap().events, [ChatEvent::Text("Once".into())]);
    let error = decoder.finish().unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, Some("overloaded_error"))
    );
    assert!(error.is_retryable() && error.native().is_some());
}

#[test]
fn an_answer_that_is_none_is_the_upstreams_fault() {
    for text in [
        "",
        "null",
        "[]",
        "<html>",
        "{}",
        r#"{"content":[{"type":"text"}]}"#,
        r#"{"content":"x"}"#,
    ] {
        let error = decode_messages_response(Bytes::copy_from_slice(text.as_bytes())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{text}");
    }
    let error = decode_messages_response(Bytes::from_static(
        br#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#,
    ));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
}

fn part() -> impl Strategy<Value = ContentPart> {
    prop_oneof![
        "[a-z ]{0,8}".prop_map(ContentPart::text),
        "[a-z]{1,8}".prop_map(|url| ContentPart::image_url(format!("https://example.com/{url}"))),
        ("[a-z]{0,8}", proptest::option::of("[a-z]{1,8}"))
            .prop_map(|(text, signature)| ContentPart::Reasoning(ReasoningPart::new(text, signature))),
        ("[a-z.:]{0,6}", "[a-z]{1,8}", r#"(\{\}|\{"a": ?1\}|\{|x|)"#)
            .prop_map(|(id, name, arguments)| ContentPart::ToolCall(ToolCall::new(id, name, arguments))),
        ("[a-z.:]{0,6}", "[a-z]{0,8}")
            .prop_map(|(id, text)| ContentPart::ToolResult(ToolResult::from_text(id, text))),
        "[a-z]{0,8}".prop_map(ContentPart::Refusal),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop::sample::select(vec![
        Role::System,
        Role::Developer,
        Role::User,
        Role::Assistant,
        Role::Tool,
    ]);
    (role, prop::collection::vec(part(), 0..4)).prop_map(|(role, content)| Message::new(role, content))
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for stream in [TOOLS_STREAM, SEARCH_STREAM] {
            let bytes = stream.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(frames(&chunks).unwrap(), frames(&[bytes]).unwrap());
        }
    }

    #[test]
    fn whatever_is_written_is_legal(messages in prop::collection::vec(message(), 0..8)) {
        let mut request = ChatRequest::new("claude-sonnet-4-5");
        request.input.edit().messages = messages;
        let Ok(body) = encode_messages_request(&request, false, DEFAULT_MAX_TOKENS) else { return Ok(()) };
        let body: Value = serde_json::from_slice(&body).unwrap();
        let turns = body["messages"].as_array().unwrap();
        prop_assert!(!turns.is_empty());
        prop_assert!(turns.windows(2).all(|pair| pair[0]["role"] != pair[1]["role"]), "{body}");
        for turn in turns {
            let blocks: Vec<_> = turn["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
            prop_assert!(!blocks.is_empty());
            let first_other = blocks.iter().position(|kind| *kind != "tool_result").unwrap_or(blocks.len());
            prop_assert!(blocks[first_other..].iter().all(|kind| *kind != "tool_result"), "{body}");
            prop_assert!(!blocks.contains(&"thinking") || blocks[0] == "thinking", "{body}");
            for block in turn["content"].as_array().unwrap() {
                prop_assert!(block["type"] != "text" || !block["text"].as_str().unwrap().trim().is_empty());
                prop_assert!(block["type"] != "thinking" || block["signature"].is_string());
            }
        }
    }

    #[test]
    fn no_stream_panics(events in prop::collection::vec((0_usize..200, any::<prop::sample::Index>()), 0..12), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        // Known lines, shuffled and cut in the middle, and then anything.
        let lines: Vec<_> = TOOLS_STREAM.lines().chain(SEARCH_STREAM.lines()).collect();
        let mut stream: Vec<u8> = Vec::new();
        for (line, cut) in events {
            let line = lines[line % lines.len()];
            let cut = if cut.index(3) == 0 { cut.index(line.len() + 1) } else { line.len() };
            stream.extend(&line.as_bytes()[..cut]);
            stream.extend(b"\n\n");
        }
        stream.extend(bytes);
        let _ = frames(&[&stream]);
        let _ = decode_messages_response(stream.into());
    }

    #[test]
    fn no_answer_panics(cut in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:a-z0-9]{0,6}") {
        for text in [TOOLS_RESPONSE, SEARCH_RESPONSE] {
            let mut at = cut.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let broken = format!("{}{with}{}", &text[..at], &text[at..]);
            let _ = decode_messages_response(broken.into());
        }
    }
}
