use bytes::Bytes;
use edge_ai_core::{
    ChatRequest, ContentPart, ErrorKind, Media, ReasoningConfig, ResponseFormat, Role, Tool, ToolChoice,
};
use edge_ai_providers::anthropic::{
    DEFAULT_MAX_TOKENS, MESSAGES, decode_messages_request, encode_messages_request,
};
use edge_ai_providers::openai::encode_chat_request;
use serde_json::{Value, json};

const EVERYTHING: &str = include_str!("../fixtures/anthropic/inbound/everything.json");

fn decode(body: &Value) -> ChatRequest {
    decode_messages_request(&body.to_string().into()).unwrap().request
}

/// Written anew, as after a change.
fn rewritten(mut request: ChatRequest) -> Bytes {
    request.input.edit();
    encode_messages_request(&request, true, DEFAULT_MAX_TOKENS).unwrap()
}

#[test]
fn everything_is_read() {
    let call = decode_messages_request(&EVERYTHING.into()).unwrap();
    assert!(call.stream);
    let request = &call.request;
    assert_eq!(request.model, "smart");
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::User,
            Role::Assistant,
            Role::User,
            Role::Assistant,
            Role::Tool,
            Role::User
        ]
    );
    assert_eq!(request.messages[0].text(), "You help travelers.Answer briefly.");
    let kinds: Vec<_> = request.messages[3]
        .content
        .iter()
        .map(|part| match part {
            ContentPart::Text(_) => "text",
            ContentPart::Image(_) => "image",
            ContentPart::File(_) => "file",
            ContentPart::Other(_) => "other",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "text", "image", "image", "image", "file", "file", "file", "file", "other", "other"
        ]
    );
    let ContentPart::File(plain) = &request.messages[3].content[5] else {
        panic!()
    };
    assert!(matches!(&plain.source, Media::Base64 { media_type, .. } if media_type == "text/plain"));
    assert!(plain.extra.get(&MESSAGES, "context").is_some());
    let calls: Vec<_> = request.messages[4].tool_calls().collect();
    assert_eq!(
        calls[0].arguments,
        r#"{"city": "Paris", "days": 1.50, "id": 12345678901234567890}"#
    );
    let [ContentPart::ToolResult(weather), ContentPart::ToolResult(time)] = &request.messages[5].content[..]
    else {
        panic!()
    };
    assert_eq!(
        (weather.text(), weather.is_error),
        ("18 °C, cloudy".into(), false)
    );
    assert_eq!((time.content.len(), time.is_error), (2, true));
    assert!(matches!(
        &request.tools[..],
        [Tool::Function(_), Tool::Function(_), Tool::Vendor(_)]
    ));
    assert_eq!(
        (&request.tool_choice, request.parallel_tool_calls),
        (&Some(ToolChoice::Auto), Some(false))
    );
    let mut reasoning = ReasoningConfig::max_tokens(1_500);
    reasoning.effort = Some("high".into());
    assert_eq!(request.reasoning, Some(reasoning));
    assert!(matches!(
        request.response_format,
        Some(ResponseFormat::JsonSchema { .. })
    ));
    assert_eq!(
        (request.max_output_tokens, request.temperature, request.top_k),
        (Some(2_048), Some(1.0), Some(40))
    );
    assert_eq!(request.stop, ["END", "\n\nHuman:"]);
    assert_eq!(
        request.extra.names().collect::<Vec<_>>(),
        [
            "thinking",
            "output_config",
            "metadata",
            "service_tier",
            "mcp_servers"
        ]
    );
}

#[test]
fn the_body_goes_on_as_it_came() {
    let mut request = decode_messages_request(&EVERYTHING.into()).unwrap().request;
    let body = encode_messages_request(&request, true, 1).unwrap();
    assert_eq!(body, EVERYTHING);
    request.model = "claude-sonnet-4-5".into();
    let body = encode_messages_request(&request, true, 1).unwrap();
    assert!(body.windows(12).any(|text| text == b"\"days\": 1.50"));
}

#[test]
fn a_changed_request_says_the_same() {
    for model in ["claude-sonnet-4-5", "claude-opus-4-6"] {
        let mut body: Value = serde_json::from_str(EVERYTHING).unwrap();
        body["model"] = json!(model);
        let request = decode(&body);
        let again = decode_messages_request(&rewritten(request.clone())).unwrap();
        assert!(again.stream);
        assert_eq!(*again.request.input, *request.input);
        let written: Value = serde_json::from_slice(&rewritten(request)).unwrap();
        body.as_object_mut().unwrap().remove("container");
        // Words that mean the same.
        body["messages"][0]["content"] = json!([{"type": "text", "text": "Good morning!"}]);
        assert_eq!(written, body);
    }
}

#[test]
fn thinking_is_said_in_the_clients_words() {
    let base = json!({"model": "claude-opus-4-6", "max_tokens": 100, "temperature": 0.5, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]});
    for (fields, reasoning) in [
        (json!({}), None),
        (json!({"thinking": {"type": "adaptive"}}), None),
        (
            json!({"thinking": {"type": "disabled"}}),
            Some(ReasoningConfig::effort("none")),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}, "max_tokens": 4_000}),
            Some(ReasoningConfig::max_tokens(2_000)),
        ),
        (
            json!({"output_config": {"effort": "low"}}),
            Some(ReasoningConfig::effort("low")),
        ),
        (
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}),
            Some(ReasoningConfig::effort("none")),
        ),
    ] {
        let mut body = base.clone();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let request = decode(&body);
        assert_eq!(request.reasoning, reasoning);
        body["stream"] = json!(true);
        assert_eq!(
            serde_json::from_slice::<Value>(&rewritten(request)).unwrap(),
            body
        );
    }
}

#[test]
fn instructions_and_turns_keep_their_order() {
    let request = decode(
        &json!({"model": "m", "max_tokens": 1, "system": "first", "messages": [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "second"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "tool_result", "tool_use_id": "t"}], "x": 1}]}),
    );
    let messages: Vec<_> = request
        .messages
        .iter()
        .map(|message| (message.role, message.text()))
        .collect();
    assert_eq!(
        messages,
        [
            (Role::System, "first".into()),
            (Role::User, "a".into()),
            (Role::System, "second".into()),
            (Role::Tool, String::new()),
            (Role::User, "b".into())
        ]
    );
    assert!(request.messages[4].extra.get(&MESSAGES, "x").is_some());
}

#[test]
fn another_vendor_understands_it() {
    let body = json!({"model": "gpt-5-mini", "max_tokens": 50, "system": "Be brief.", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "2"}, {"type": "text", "text": "go on"}]}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}, "stop_sequences": ["END"]});
    let written: Value =
        serde_json::from_slice(&encode_chat_request(&decode(&body), false).unwrap()).unwrap();
    assert_eq!(
        written["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "2"},
            {"role": "user", "content": "go on"}
        ])
    );
    assert_eq!(written["tool_choice"], "required");
    assert_eq!(
        (&written["stop"], &written["max_completion_tokens"]),
        (&json!(["END"]), &json!(50))
    );
}

#[test]
fn what_is_wrong_is_named() {
    let message = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let said = |content: Value| json!({"messages": [{"role": "assistant", "content": content}]});
    for (change, param) in [
        (json!({"model": null}), "model"),
        (json!({"model": " "}), "model"),
        (json!({"model": 5}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"max_tokens": 1.5}), "max_tokens"),
        (json!({"max_tokens": "1"}), "max_tokens"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": {}}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": ["hi"]}), "messages[0]"),
        (json!({"messages": [{"content": "hi"}]}), "messages[0].role"),
        (
            json!({"messages": [{"role": "tool", "content": "hi"}]}),
            "messages[0].role",
        ),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (message(json!(5)), "messages[0].content"),
        (message(json!([])), "messages[0].content"),
        (message(json!([{}])), "messages[0].content[0].type"),
        (message(json!([{"type": "text"}])), "messages[0].content[0].text"),
        (
            message(json!([{"type": "image"}])),
            "messages[0].content[0].source",
        ),
        (
            message(json!([{"type": "image", "source": {"type": "base64", "data": ""}}])),
            "messages[0].content[0].source.media_type",
        ),
        (
            message(json!([{"type": "tool_use", "id": "a", "name": "f", "input": {}}])),
            "messages[0].content[0].type",
        ),
        (
            message(json!([{"type": "tool_result", "tool_use_id": ""}])),
            "messages[0].content[0].tool_use_id",
        ),
        (
            message(
                json!([{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "thinking", "thinking": ""}]}]),
            ),
            "messages[0].content[0].content[0].type",
        ),
        (
            said(json!([{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}])),
            "messages[0].content[0].input",
        ),
        (
            said(json!([{"type": "tool_result", "tool_use_id": "a"}])),
            "messages[0].content[0].type",
        ),
        (json!({"system": [{"type": "image"}]}), "system[0].type"),
        (json!({"system": 5}), "system"),
        (json!({"temperature": 1.1}), "temperature"),
        (json!({"top_p": -1}), "top_p"),
        (json!({"top_k": -1}), "top_k"),
        (json!({"stop_sequences": "END"}), "stop_sequences"),
        (json!({"stop_sequences": [" "]}), "stop_sequences[0]"),
        (json!({"stream": 1}), "stream"),
        (json!({"metadata": 1}), "metadata"),
        (json!({"metadata": {"user_id": 1}}), "metadata.user_id"),
        (json!({"tools": {}}), "tools"),
        (json!({"tools": [{"name": "f"}]}), "tools[0].input_schema"),
        (
            json!({"tools": [{"name": "f g", "input_schema": {}}]}),
            "tools[0].name",
        ),
        (
            json!({"tools": [{"name": "f", "input_schema": {}}, {"name": "f", "input_schema": {}}]}),
            "tools[1].name",
        ),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"tool_choice": {"type": "required"}}), "tool_choice.type"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name"),
        (json!({"thinking": {"type": "on"}}), "thinking.type"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"output_config": {"effort": 1}}), "output_config.effort"),
        (
            json!({"output_config": {"format": {"type": "json_schema"}}}),
            "output_config.format.schema",
        ),
    ] {
        let mut body =
            json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let error = decode_messages_request(&body.to_string().into()).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some(param)),
            "{change}"
        );
    }
    for body in ["", "{", "[]", "5", "\u{feff}{}"] {
        let error = decode_messages_request(&body.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{body}");
    }
    assert!(decode_messages_request(&Bytes::from_static(b"\xff")).is_err());
}
