//! Bedrock's dialect: what is written for it, what is read of it, and a stream that may be cut anywhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{
    ChatAccumulator, ChatEvent, ChatModel, ChatOutput, ChatRequest, ContentPart, ErrorKind, FinishReason,
    ManualClock, Provider, Secret, Timestamp, Usage,
};
use edge_ai_providers::bedrock::eventstream::Message;
use edge_ai_providers::bedrock::{
    CONVERSE, ConverseStreamDecoder, Credentials, decode_converse_response, encode_converse_request,
};
use edge_ai_providers::{Bedrock, anthropic, openai};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "amazon.nova-pro-v1:0";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn written(request: &ChatRequest) -> Value {
    serde_json::from_slice(&encode_converse_request(request).unwrap()).unwrap()
}

/// A request of OpenAI's dialect, for `model`.
fn of_openai(model: &str, body: &Value) -> ChatRequest {
    let mut body = body.clone();
    body["model"] = json!(model);
    body.as_object_mut()
        .unwrap()
        .entry("messages")
        .or_insert(json!([{"role": "user", "content": "hi"}]));
    openai::decode_chat_request(&body.to_string().into())
        .unwrap()
        .request
}

/// A request of Anthropic's dialect, for Claude.
fn of_anthropic(body: &Value) -> ChatRequest {
    let mut body = body.clone();
    body["model"] = json!(CLAUDE);
    body["max_tokens"] = json!(2000);
    anthropic::decode_messages_request(&body.to_string().into())
        .unwrap()
        .request
}

#[test]
fn a_conversation_of_anthropics_is_converses() {
    let request = of_anthropic(&json!({
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "document", "title": "Bears: a study.pdf", "citations": {"enabled": true},
                 "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "ZW5j"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "bear"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "no bear"}]}],
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}},
                   "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["END"],
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    }));
    let expect = json!({
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "Look."},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
                {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                {"document": {"format": "pdf", "name": "Bears a study", "source": {"bytes": "aGk="}, "citations": {"enabled": true}}}]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
                {"reasoningContent": {"redactedContent": "ZW5j"}},
                {"toolUse": {"toolUseId": "toolu_1", "name": "look", "input": {"at": "bear"}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "toolu_1", "content": [{"text": "no bear"}], "status": "error"}}]}],
        "inferenceConfig": {"maxTokens": 2000, "stopSequences": ["END"]},
        "additionalModelRequestFields": {
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}},
        "toolConfig": {"tools": [
            {"toolSpec": {"name": "look", "description": "Looks.", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
            {"cachePoint": {"type": "default"}}]},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    });
    assert_eq!(written(&request), expect);
}

#[test]
fn schemas_are_enforced_where_the_model_does() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let format = |strict: bool| json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": strict}}});
    let body = written(&of_openai(CLAUDE, &format(true)));
    let text_format = &body["outputConfig"]["textFormat"];
    assert_eq!(text_format["type"], "json_schema");
    let definition = &text_format["structure"]["jsonSchema"];
    assert_eq!(definition["name"], "s");
    // A text, in which objects are closed.
    let text: Value = serde_json::from_str(definition["schema"].as_str().unwrap()).unwrap();
    assert_eq!(text["additionalProperties"], false);
    let error = encode_converse_request(&of_openai(LLAMA, &format(true))).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::Unsupported, Some("response_format"))
    );
    let body = written(&of_openai(LLAMA, &format(false)));
    assert!(
        body["system"][0]["text"]
            .as_str()
            .unwrap()
            .contains("JSON schema")
    );
    assert!(body.get("outputConfig").is_none());
}

#[test]
fn each_family_thinks_in_its_own_words() {
    let effort = |model: &str, effort: &str| written(&of_openai(model, &json!({"reasoning_effort": effort})));
    let additional = |body: &Value| body["additionalModelRequestFields"].clone();
    assert_eq!(
        additional(&effort(CLAUDE, "low")),
        json!({"thinking": {"type": "enabled", "budget_tokens": 2048}})
    );
    let adaptive = effort("global.anthropic.claude-sonnet-5", "high");
    assert_eq!(additional(&adaptive)["thinking"]["type"], "adaptive");
    assert_eq!(adaptive["outputConfig"], json!({"effort": "high"}));
    assert_eq!(
        additional(&effort("openai.gpt-oss-120b-1:0", "medium")),
        json!({"reasoning_effort": "medium"})
    );
    assert_eq!(
        additional(&effort("global.amazon.nova-2-lite-v1:0", "xhigh")),
        json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}})
    );
    let request = of_openai(LLAMA, &json!({"reasoning_effort": "low"}));
    assert_eq!(
        encode_converse_request(&request).unwrap_err().param(),
        Some("reasoning_effort")
    );
    assert!(additional(&effort(LLAMA, "none")).is_null());
}

#[test]
fn hints_go_where_they_are_taken() {
    let hints = json!({"temperature": 1.7, "top_p": 0.5, "top_k": 7, "seed": 1, "presence_penalty": 1.0});
    let claude = written(&of_openai(CLAUDE, &hints));
    assert_eq!(claude["inferenceConfig"], json!({"temperature": 1.0}));
    assert_eq!(claude["additionalModelRequestFields"], json!({"top_k": 7}));
    let nova = written(&of_openai(NOVA, &hints));
    assert_eq!(nova["inferenceConfig"], json!({"temperature": 1.0, "topP": 0.5}));
    assert_eq!(
        nova["additionalModelRequestFields"],
        json!({"inferenceConfig": {"topK": 7}})
    );
    assert!(
        written(&of_openai(LLAMA, &hints))
            .get("additionalModelRequestFields")
            .is_none()
    );
    let newest = written(&of_openai("global.anthropic.claude-sonnet-5", &hints));
    assert!(newest.get("inferenceConfig").is_none(), "{newest}");
    let own = json!({"top_k": 7, "additionalModelRequestFields": {"top_k": 9, "anthropic_beta": ["x"]}});
    assert_eq!(
        written(&of_openai(CLAUDE, &own))["additionalModelRequestFields"],
        json!({"top_k": 9, "anthropic_beta": ["x"]})
    );
}

#[test]
fn cache_marks_are_points_where_the_model_takes_them() {
    let body = json!({"messages": [
        {"role": "system", "content": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "content": "hi"}]});
    let point = json!([{"text": "Long."}, {"cachePoint": {"type": "default"}}]);
    assert_eq!(written(&of_openai(CLAUDE, &body))["system"], point);
    assert_eq!(written(&of_openai(NOVA, &body))["system"], point);
    assert_eq!(
        written(&of_openai(LLAMA, &body))["system"],
        json!([{"text": "Long."}])
    );
}

#[test]
fn tool_choices() {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let body = |more: Value| {
        let mut body = json!({"tools": tools});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let choice =
        |model: &str, choice: Value| written(&of_openai(model, &body(json!({"tool_choice": choice}))));
    for (wanted, expect) in [
        (json!("auto"), json!({"auto": {}})),
        (json!("required"), json!({"any": {}})),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            json!({"tool": {"name": "f"}}),
        ),
    ] {
        assert_eq!(choice(NOVA, wanted)["toolConfig"]["toolChoice"], expect);
    }
    assert!(choice(NOVA, json!("none")).get("toolConfig").is_none());
    let messages = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "ok"}]);
    let called = body(json!({"messages": messages, "tool_choice": "none"}));
    let claude = written(&of_openai(CLAUDE, &called));
    assert_eq!(
        claude["additionalModelRequestFields"]["tool_choice"],
        json!({"type": "none"})
    );
    assert_eq!(
        claude["messages"][1]["content"][0]["toolUse"]["toolUseId"],
        "functions_f_0"
    );
    assert_eq!(
        claude["messages"][2]["content"][0]["toolResult"]["toolUseId"],
        "functions_f_0"
    );
    for (request, param) in [
        (of_openai(NOVA, &called), "tool_choice"),
        (of_openai(NOVA, &json!({"messages": messages})), "tools"),
        (
            of_openai(
                "anthropic.claude-opus-5-5",
                &body(json!({"tool_choice": "required"})),
            ),
            "tool_choice",
        ),
    ] {
        let error = encode_converse_request(&request).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some(param))
        );
    }
}

#[test]
fn what_bedrock_cannot_take_names_its_field_and_the_remedy() {
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    for (body, param, word) in [
        (
            part(json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})),
            "messages[0].content[0]",
            "s3://",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,aGk="}})),
            "messages[0].content[0]",
            "webp",
        ),
        (
            part(
                json!({"type": "file", "file": {"filename": "a.zip", "file_data": "data:application/zip;base64,aGk="}}),
            ),
            "messages[0].content[0]",
            "docx",
        ),
        (
            part(json!({"type": "file", "file": {"file_id": "file-1"}})),
            "messages[0].content[0]",
            "documents",
        ),
        (json!({"n": 2}), "n", "one answer"),
        (json!({"stop": ["\n"]}), "stop[0]", "white space"),
    ] {
        let error = encode_converse_request(&of_openai(CLAUDE, &body)).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some(param)),
            "{body}"
        );
        assert!(error.message().contains(word), "{error}");
    }
}

/// An answer in the shape of the API's reference, with everything in it.
fn answer() -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "ZW5j"}},
            {"text": "Two calls."},
            {"citationsContent": {"content": [{"text": "Bears "}, {"text": "sleep."}], "citations": [{"title": "Bears"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": "bear"}}},
            {"toolUse": {"toolUseId": "t2", "name": "rest", "input": {}}},
            {"video": {"format": "mp4"}}]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 35, "cacheReadInputTokens": 12, "cacheWriteInputTokens": 8},
        "metrics": {"latencyMs": 551},
        "trace": {"guardrail": {"actionReason": "none"}}
    })
}

#[test]
fn an_answer_is_read_whole() {
    let output = decode_converse_response(CLAUDE, answer().to_string().as_bytes()).unwrap();
    assert_eq!(output.model, CLAUDE);
    assert_eq!(output.text(), "Two calls.Bears sleep.");
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let mut usage = Usage::new(30, 5);
    (usage.cache_read_tokens, usage.cache_write_tokens) = (12, 8);
    assert_eq!(output.usage, Some(usage));
    let calls: Vec<_> = output
        .tool_calls()
        .map(|call| (call.id.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(calls, [("t1", r#"{"at":"bear"}"#), ("t2", "{}")]);
    assert!(
        matches!(&output.content[0], ContentPart::Reasoning(part) if part.signature.as_deref() == Some("c2ln"))
    );
    assert!(
        matches!(&output.content[1], ContentPart::Reasoning(part) if part.redacted.as_deref() == Some("ZW5j"))
    );
    assert!(
        matches!(&output.content[3], ContentPart::Text(part) if part.extra.get(&CONVERSE, "citations").is_some())
    );
    assert!(matches!(&output.content[6], ContentPart::Other(_)));
    assert!(
        output.extra.get(&CONVERSE, "trace").is_some() && output.extra.get(&CONVERSE, "metrics").is_some()
    );
    for (reason, expect) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::StopSequence),
        ("max_tokens", FinishReason::Length),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("content_filtered", FinishReason::ContentFilter),
        ("model_context_window_exceeded", FinishReason::ContextWindow),
        (
            "malformed_tool_use",
            FinishReason::Other("malformed_tool_use".into()),
        ),
    ] {
        let mut answer = answer();
        answer["stopReason"] = json!(reason);
        let output = decode_converse_response(CLAUDE, answer.to_string().as_bytes()).unwrap();
        assert_eq!(output.finish_reason, expect);
    }
    for junk in [
        "",
        "[]",
        "{}",
        r#"{"output":{"message":5},"stopReason":"end_turn"}"#,
    ] {
        let error = decode_converse_response(CLAUDE, junk.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{junk}");
    }
}

/// The same answer as a stream.
fn stream() -> Vec<Message> {
    let event = |kind: &str, data: Value| Message::event(kind, data.to_string());
    let delta = |index: u32, delta: Value| {
        event(
            "contentBlockDelta",
            json!({"contentBlockIndex": index, "delta": delta, "p": "abc"}),
        )
    };
    let stop = |index: u32| event("contentBlockStop", json!({"contentBlockIndex": index}));
    let call = |index: u32, id: &str, name: &str| {
        let start = json!({"toolUse": {"toolUseId": id, "name": name}});
        event(
            "contentBlockStart",
            json!({"contentBlockIndex": index, "start": start}),
        )
    };
    let answer = answer();
    vec![
        event("messageStart", json!({"role": "assistant"})),
        delta(0, json!({"reasoningContent": {"text": "H"}})),
        delta(0, json!({"reasoningContent": {"text": "m."}})),
        delta(0, json!({"reasoningContent": {"signature": "c2ln"}})),
        stop(0),
        delta(1, json!({"reasoningContent": {"redactedContent": "ZW5j"}})),
        stop(1),
        delta(2, json!({"text": "Two "})),
        delta(2, json!({"text": "calls."})),
        stop(2),
        call(3, "t1", "look"),
        delta(3, json!({"toolUse": {"input": "{\"at\":"}})),
        delta(3, json!({"toolUse": {"input": "\"bear\"}"}})),
        stop(3),
        call(4, "t2", "rest"),
        delta(4, json!({"toolUse": {"input": ""}})),
        stop(4),
        event("newEvent", json!({"a": 1})),
        event("messageStop", json!({"stopReason": "tool_use"})),
        event(
            "metadata",
            json!({"usage": answer["usage"], "metrics": answer["metrics"], "trace": answer["trace"], "p": "abc"}),
        ),
    ]
}

fn bytes(messages: &[Message]) -> Vec<u8> {
    messages
        .iter()
        .flat_map(|message| message.encode().to_vec())
        .collect()
}

fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> edge_ai_core::Result<(ChatOutput, bool)> {
    let mut decoder = ConverseStreamDecoder::new(CLAUDE);
    let mut accumulator = ChatAccumulator::default();
    let mut done = false;
    let mut take = |frames: Vec<edge_ai_core::ChatFrame>| {
        for event in frames.into_iter().flat_map(|frame| frame.events) {
            done |= event == ChatEvent::Done;
            accumulator.push(event);
        }
    };
    for chunk in chunks {
        take(decoder.push(Bytes::copy_from_slice(chunk))?);
    }
    take(decoder.finish()?);
    Ok((accumulator.finish(), done))
}

#[test]
fn a_stream_is_its_answer() {
    let (streamed, done) = decode(bytes(&stream()).chunks(64)).unwrap();
    assert!(done);
    let mut whole = answer();
    let content = whole["output"]["message"]["content"].as_array_mut().unwrap();
    // Those two have tests of their own.
    content.retain(|block| block.get("citationsContent").is_none() && block.get("video").is_none());
    let whole = decode_converse_response(CLAUDE, whole.to_string().as_bytes()).unwrap();
    assert_eq!(streamed, *whole);
}

#[test]
fn citations_come_with_the_end_of_their_text() {
    let event = |kind: &str, data: Value| Message::event(kind, data.to_string());
    let messages = [
        event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"text": "Bears sleep."}}),
        ),
        event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"citation": {"title": "Bears"}}}),
        ),
        event("contentBlockStop", json!({"contentBlockIndex": 0})),
    ];
    let mut decoder = ConverseStreamDecoder::new(CLAUDE);
    let frames = decoder.push(bytes(&messages).into()).unwrap();
    let [ChatEvent::Part(ContentPart::Text(part))] = &frames[2].events[..] else {
        panic!("no citations: {frames:?}");
    };
    assert_eq!(
        part.extra.get(&CONVERSE, "citations").unwrap().get(),
        r#"[{"title":"Bears"}]"#
    );
}

#[test]
fn a_stream_that_ends_early_is_interrupted() {
    let messages = stream();
    for end in 0..messages.len() {
        let error = decode(bytes(&messages[..end]).chunks(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "after {end} messages");
    }
    let all = bytes(&messages);
    let error = decode(all[..all.len() - 1].chunks(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn an_exception_or_an_error_ends_a_stream() {
    let mut messages = stream()[..4].to_vec();
    messages.push(Message::exception(
        "throttlingException",
        r#"{"message":"slow down"}"#,
    ));
    let error = decode(bytes(&messages).chunks(9)).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::RateLimited, "slow down")
    );
    let text = |value: &str| edge_ai_providers::bedrock::eventstream::HeaderValue::String(value.into());
    let unmodeled = Message::new(
        vec![
            (":message-type".into(), text("error")),
            (":error-code".into(), text("InternalFailure")),
            (":error-message".into(), text("oh")),
        ],
        "",
    );
    let error = decode(bytes(&[unmodeled]).chunks(9)).unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("InternalFailure"), "oh"));
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_answer(size in 1_usize..400) {
        let all = bytes(&stream());
        prop_assert_eq!(decode(all.chunks(size)).unwrap(), decode(std::iter::once(&all[..])).unwrap());
    }

    #[test]
    fn no_event_panics(kind in "messageStart|contentBlockStart|contentBlockDelta|contentBlockStop|messageStop|metadata", json in "[\\[\\]{}\":,a-z0-9]{0,60}") {
        let _ = decode(std::iter::once(&bytes(&[Message::event(&kind, json)])[..]));
    }

    #[test]
    fn no_answer_panics(json in "[\\[\\]{}\":,a-zA-Z0-9]{0,80}") {
        let _ = decode_converse_response(CLAUDE, json.as_bytes());
    }
}

fn bedrock(http: &ScriptedHttpClient, credentials: Credentials) -> Bedrock {
    let clock = ManualClock::new(Timestamp::from_millis(1_440_938_160_000));
    Bedrock::builder(Arc::new(http.clone()), Arc::new(clock), credentials, "eu-west-1")
        .build()
        .unwrap()
}

#[test]
fn a_request_is_signed_for_its_region_and_time() {
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::json(200, &answer()))
        .respond(ScriptedResponse::json(200, &answer()));
    let credentials = Credentials::Keys {
        access_key_id: "AKID".into(),
        secret_access_key: Secret::new("top-secret"),
        session_token: Some(Secret::new("session")),
    };
    let keyed = bedrock(&http, credentials);
    assert!(!format!("{keyed:?}").contains("top-secret"));
    let request = ChatRequest::new("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.a.b-v1:0").user("hi");
    block_on(ChatModel::chat(&keyed, request)).unwrap();
    let sent = http.requests().remove(0);
    assert_eq!(
        sent.uri().to_string(),
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.a.b-v1%3A0/converse"
    );
    assert_eq!(sent.headers()["x-amz-date"], "20150830T123600Z");
    assert_eq!(sent.headers()["x-amz-security-token"], "session");
    let authorization = sent.headers()["authorization"].to_str().unwrap();
    let start = "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/bedrock/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert_eq!(
        authorization.strip_prefix(start).map(str::len),
        Some(64),
        "{authorization}"
    );

    let bearer = bedrock(&http, Credentials::ApiKey(Secret::new("key")));
    block_on(ChatModel::chat(&bearer, ChatRequest::new(NOVA).user("hi"))).unwrap();
    let sent = http.requests().remove(1);
    assert_eq!(sent.headers()["authorization"], "Bearer key");
    assert!(!sent.headers().contains_key("x-amz-date"));
}

#[test]
fn settings_make_a_provider_or_say_what_is_missing() {
    let http = ScriptedHttpClient::new();
    let from = |known: &[(&str, &str)]| {
        let clock = Arc::new(ManualClock::default());
        Bedrock::from_settings(Arc::new(http.clone()), clock, &|name| {
            let found = known.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    };
    let token = ("AWS_BEARER_TOKEN_BEDROCK", "key");
    assert!(from(&[("AWS_REGION", "us-east-1")]).unwrap().is_none());
    let there = from(&[token, ("AWS_REGION", "us-east-1")]).unwrap().unwrap();
    assert_eq!(there.name(), "bedrock");
    assert!(there.chat_model().is_some() && there.embedding_model().is_some() && there.reranker().is_some());
    assert!(there.owns("arn:aws:bedrock:us-east-1:1:inference-profile/x") && !there.owns("gpt-5"));
    for (known, name) in [
        (&[token][..], "AWS_REGION"),
        (&[token, ("AWS_REGION", "us/east")], "AWS_REGION"),
        (
            &[token, ("AWS_REGION", "us-east-1"), ("BEDROCK_BASE_URL", "x")],
            "BEDROCK_BASE_URL",
        ),
    ] {
        let error = from(known).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains(name), "{error}");
    }
}
