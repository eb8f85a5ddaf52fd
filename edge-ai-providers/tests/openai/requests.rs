use bytes::Bytes;
use edge_ai_core::{
    AudioPart, ChatRequest, ContentPart, Dialect, ErrorKind, Extra, FilePart, FunctionTool, ImagePart, Media,
    Message, RawJson, ReasoningConfig, ReasoningPart, ResponseFormat, Role, TextPart, Tool, ToolCall,
    ToolChoice, ToolResult,
};
use edge_ai_providers::openai::{
    CHAT, Compatibility, decode_chat_request, encode_chat_request, encode_chat_request_with,
};
use serde_json::json;

use crate::fixture::{fixture, json, text};

fn decode(body: &Bytes) -> ChatRequest {
    decode_chat_request(body).unwrap().request
}

/// The same request without the client's own text.
fn edited(body: &Bytes) -> ChatRequest {
    let mut request = decode(body);
    request.input.edit();
    request
}

#[test]
fn everything_is_understood() {
    let call = decode_chat_request(&fixture!("requests/everything.json")).unwrap();
    assert!(!call.stream && !call.include_usage);
    let request = call.request;
    assert_eq!(request.model, "gpt-4.1");
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    let (user, assistant, tool) = (Role::User, Role::Assistant, Role::Tool);
    assert_eq!(
        roles,
        [
            Role::Developer,
            user,
            assistant,
            tool,
            tool,
            assistant,
            assistant,
            user
        ]
    );

    let user = &request.messages[1];
    assert_eq!(user.name.as_deref(), Some("ada"));
    let kinds: Vec<_> = user
        .content
        .iter()
        .map(|part| match part {
            ContentPart::Text(TextPart { text, .. }) => format!("text {text}"),
            ContentPart::Image(ImagePart {
                source: Media::Url(url),
                detail,
                ..
            }) => format!("image {url} {detail:?}"),
            ContentPart::Image(ImagePart {
                source: Media::Base64 { media_type, data },
                ..
            }) => {
                format!("image {media_type} {data}")
            }
            ContentPart::Audio(AudioPart { data, format, .. }) => format!("audio {format} {data}"),
            ContentPart::File(FilePart {
                source: Media::FileId(id),
                ..
            }) => format!("file {id}"),
            ContentPart::File(FilePart {
                source: Media::Base64 { media_type, data },
                filename,
                ..
            }) => {
                format!("file {media_type} {data} {filename:?}")
            }
            ContentPart::Other(extra) => format!("other {}", extra.get(&CHAT, "type").unwrap().get()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "text What is on them?",
            "image https://example.com/cat.png Some(\"low\")",
            "image image/png aGk=",
            "audio wav UklGRg==",
            "file file-6F2ksmvXxt4VdoqmHRw6kL",
            "file application/pdf JVBERi0= Some(\"terms.pdf\")",
            "other \"video_url\"",
        ]
    );
    let called: Vec<_> = request.messages[2]
        .tool_calls()
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect();
    assert_eq!(called, [("call_abc", "look_up", r#"{"breed":"manx"}"#)]);
    let ContentPart::ToolResult(result) = &request.messages[3].content[0] else {
        panic!()
    };
    assert_eq!(
        (&*result.call_id, &*result.text()),
        ("call_abc", "A cat without a tail.")
    );

    let Tool::Function(tool) = &request.tools[0] else {
        panic!()
    };
    assert_eq!((&*tool.name, tool.strict), ("look_up", Some(true)));
    // Models answer in the order of the properties.
    let schema = tool.parameters.as_ref().unwrap().get();
    assert!(schema.find("zone") < schema.find("breed"), "{schema}");
    assert!(matches!(&request.tools[2], Tool::Vendor(_)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Function("look_up".into())));
    assert!(
        matches!(&request.response_format, Some(ResponseFormat::JsonSchema { name, strict: Some(true), .. }) if name == "answer")
    );
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning, Some(ReasoningConfig::effort("low")));
    assert_eq!(
        (request.max_output_tokens, request.temperature, request.top_p),
        (Some(256), Some(0.2), Some(1.0))
    );
    assert_eq!(
        (request.presence_penalty, request.frequency_penalty),
        (Some(-0.5), Some(2.0))
    );
    assert_eq!(
        (request.seed, request.choices),
        (Some(-9_007_199_254_740_993), Some(1))
    );
    assert_eq!(request.stop, ["\n\n", "END"]);
    let unknown: Vec<_> = request.extra.names().collect();
    let kept = [
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "metadata",
        "prediction",
        "service_tier",
        "x_big",
        "user",
    ];
    assert_eq!(unknown, kept);
}

#[test]
fn the_same_dialect_keeps_the_bytes() {
    let body = fixture!("requests/everything.json");
    assert_eq!(encode_chat_request(&decode(&body), false).unwrap(), body);

    let mut routed = decode(&body);
    routed.model = "gpt-4.1-mini".into();
    let sent = encode_chat_request(&routed, true).unwrap();
    assert!(
        text(&sent).contains(r#""temperature":0.20"#),
        "the digits stay as they were"
    );
    assert!(text(&sent).contains(r#""x_big":12345678901234567890123"#));
    let mut expected = json(&body);
    expected["model"] = json!("gpt-4.1-mini");
    expected["stream"] = json!(true);
    expected["stream_options"] = json!({"include_usage": true});
    assert_eq!(json(&sent), expected);
}

#[test]
fn a_request_of_our_own_making_says_the_same() {
    let body = fixture!("requests/everything.json");
    let sent = encode_chat_request(&edited(&body), false).unwrap();
    let mut expected = json(&body);
    // What has two spellings comes out in one of them, and what says nothing is left out.
    expected["messages"][2].as_object_mut().unwrap().remove("refusal");
    expected["messages"][4]["content"] = json!("1");
    expected["messages"][5]["content"] = json!("A cat.");
    expected["messages"][5]["refusal"] = json!("I won't say whose.");
    expected["messages"][6]["content"] = json!(null);
    expected["top_p"] = json!(1.0);
    expected["frequency_penalty"] = json!(2.0);
    assert_eq!(json(&sent), expected);
    assert!(text(&sent).contains("12345678901234567890123"));
}

#[test]
fn streams_ask_for_their_usage_and_keep_other_options() {
    let body = fixture!("requests/thoughts.json");
    let call = decode_chat_request(&body).unwrap();
    assert!(call.stream && !call.include_usage);
    let sent = json(&encode_chat_request(&call.request, true).unwrap());
    assert_eq!(
        sent["stream_options"],
        json!({"include_usage": true, "include_obfuscation": false})
    );
    let whole = json(&encode_chat_request(&call.request, false).unwrap());
    assert_eq!(
        (&whole["stream"], whole.get("stream_options")),
        (&json!(false), None)
    );
}

#[test]
fn thoughts_are_read_in_every_spelling() {
    let request = edited(&fixture!("requests/thoughts.json"));
    let ContentPart::Reasoning(thought) = &request.messages[1].content[0] else {
        panic!()
    };
    assert_eq!(thought.text, "Compare the tenths.");
    let signed = ReasoningPart::new("Drop the fraction.", Some("EqQBCgIYAhIM".into()));
    let redacted = ReasoningPart::redacted("EmwKAhgBEgy3va3pzix");
    let expected = [
        ContentPart::Reasoning(signed),
        ContentPart::Reasoning(redacted),
        ContentPart::text("IX"),
    ];
    assert_eq!(request.messages[3].content, expected);

    // OpenAI gets back what the client wrote for it, a server that wants thoughts gets them all.
    let sent = json(&encode_chat_request(&request, false).unwrap());
    assert_eq!(
        sent["messages"][1],
        json!({"role": "assistant", "content": "9.8", "reasoning_content": "Compare the tenths."})
    );
    assert_eq!(sent["messages"][3], json!({"role": "assistant", "content": "IX"}));
    let server = Compatibility::COMPATIBLE.with_reasoning();
    let sent = json(&encode_chat_request_with(&request, false, &server).unwrap());
    assert_eq!(sent["messages"][3]["reasoning_content"], "Drop the fraction.");
    assert_eq!(
        sent["messages"][3]["thinking_blocks"][1],
        json!({"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"})
    );
}

#[test]
fn functions_of_the_deprecated_kind_are_tools() {
    let body = fixture!("requests/functions.json");
    assert_eq!(encode_chat_request(&decode(&body), false).unwrap(), body);
    let request = edited(&body);
    let sent = json(&encode_chat_request(&request, false).unwrap());
    let id = "function_call_0";
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], id);
    assert_eq!(
        sent["messages"][2],
        json!({"role": "tool", "tool_call_id": id, "content": "rain"})
    );
    assert_eq!(
        (&sent["functions"], &sent["function_call"]),
        (&json(&body)["functions"], &json!("auto"))
    );
    assert_eq!(sent.get("tools"), None);
}

#[test]
fn models_that_cannot_think_and_call_tools_here_do_not_think() {
    let effort = |model: &str, request: fn(ChatRequest) -> ChatRequest| {
        let request = request(ChatRequest::new(model).user("Weather?"));
        json(&encode_chat_request(&request, false).unwrap())["reasoning_effort"].clone()
    };
    let tool = |request: ChatRequest| request.tool(FunctionTool::named("get_weather"));
    assert_eq!(effort("gpt-6-luna", tool), "none");
    assert_eq!(effort("gpt-5.6-sol-2026-07-09", tool), "none");
    assert_eq!(effort("gpt-6-luna", |request| request), json!(null));
    assert_eq!(effort("gpt-5.4", tool), json!(null));
    let told = |request: ChatRequest| {
        request
            .tool(FunctionTool::named("get_weather"))
            .reasoning(ReasoningConfig::effort("high"))
    };
    assert_eq!(effort("gpt-6-luna", told), "high");

    // Also in a client's own body, which OpenAI would refuse for certain.
    let native = |effort: &str| {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],"tools":[{{"type":"function","function":{{"name":"f"}}}}]{effort}}}"#
        );
        let mut request = decode(&body.into());
        request.model = "gpt-6-luna".into();
        json(&encode_chat_request(&request, false).unwrap())["reasoning_effort"].clone()
    };
    assert_eq!(native(""), "none");
    assert_eq!(native(r#","reasoning_effort":"low""#), "low");
}

#[test]
fn compatible_servers_get_what_they_understand() {
    let server = Compatibility::COMPATIBLE;
    let request = |body: &Bytes| json(&encode_chat_request_with(&edited(body), false, &server).unwrap());
    let sent = request(&fixture!("requests/everything.json"));
    assert_eq!(
        (&sent["max_tokens"], sent.get("max_completion_tokens")),
        (&json!(256), None)
    );
    assert_eq!(sent["messages"][0]["role"], "system");
    assert_eq!(request(&fixture!("requests/thoughts.json"))["top_k"], 40);

    // Also in a client's own body.
    let native = decode(&fixture!("requests/everything.json"));
    let sent = json(&encode_chat_request_with(&native, false, &server).unwrap());
    assert_eq!(
        (&sent["max_tokens"], sent.get("max_completion_tokens")),
        (&json!(256), None)
    );
}

#[test]
fn another_vendors_conversation_is_written_in_openais_order() {
    let call = |id: &str| ContentPart::ToolCall(ToolCall::new(id, "shoot", ""));
    let picture = ContentPart::Image(ImagePart::new(
        Media::Base64 {
            media_type: "image/png".into(),
            data: "aGk=".into(),
        },
        None,
        Extra::default(),
    ));
    let mut failed = ToolResult::from_text("b", "no film");
    failed.is_error = true;
    let thought = ContentPart::Reasoning(ReasoningPart::new("hm", Some("sig".into())));
    let request = ChatRequest::new("gpt-4.1")
        .system("Be brief.")
        .user("Two pictures, please.")
        .message(Message::new(Role::Assistant, vec![thought, call("a"), call("b")]))
        .message(Message::new(
            Role::User,
            vec![
                ContentPart::ToolResult(ToolResult::new("a", vec![picture])),
                ContentPart::ToolResult(failed),
                ContentPart::text("Well?"),
            ],
        ))
        .tool(FunctionTool::named("shoot"))
        .reasoning(ReasoningConfig::max_tokens(4_000));
    let sent = json(&encode_chat_request(&request, true).unwrap());
    let call =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "shoot", "arguments": "{}"}});
    assert_eq!(
        sent,
        json!({
            "model": "gpt-4.1",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Two pictures, please."},
                {"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]},
                {"role": "tool", "tool_call_id": "a", "content": "The result is in the next message of the user."},
                {"role": "tool", "tool_call_id": "b", "content": "Error: no film"},
                {"role": "user", "content": [
                    {"type": "text", "text": "Result of the tool call a:"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                ]},
                {"role": "user", "content": "Well?"},
            ],
            "tools": [{"type": "function", "function": {"name": "shoot"}}],
            "reasoning_effort": "medium",
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}

#[test]
fn what_the_dialect_cannot_say_is_an_error_with_its_field() {
    let foreign = || {
        Extra::new(
            Dialect::new("other"),
            vec![("type".into(), RawJson::parse("\"x\"").unwrap())],
        )
    };
    let part = |role, part| {
        ChatRequest::new("m")
            .user("a")
            .message(Message::new(role, vec![ContentPart::text("b"), part]))
    };
    let file = |source| ContentPart::File(FilePart::new(source, None, Extra::default()));
    let image = |source| ContentPart::Image(ImagePart::new(source, None, Extra::default()));
    let mut tool = ChatRequest::new("m").user("a");
    tool.input.edit().tools.push(Tool::Vendor(foreign()));
    for (request, param) in [
        (
            part(Role::User, ContentPart::Other(foreign())),
            "messages[1].content[1]",
        ),
        (
            part(Role::Assistant, ContentPart::Other(foreign())),
            "messages[1].content[1]",
        ),
        (
            part(Role::User, file(Media::Url("https://example.com/a.pdf".into()))),
            "messages[1].content[1]",
        ),
        (
            part(Role::User, image(Media::FileId("file-1".into()))),
            "messages[1].content[1]",
        ),
        (
            part(
                Role::System,
                image(Media::Url("https://example.com/a.png".into())),
            ),
            "messages[1].content[1]",
        ),
        (
            part(Role::User, ContentPart::ToolCall(ToolCall::new("1", "f", ""))),
            "messages[1].content[1]",
        ),
        (tool, "tools[0].type"),
    ] {
        let error = encode_chat_request(&request, false).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some(param)),
            "{error}"
        );
    }
    let error = encode_chat_request(&ChatRequest::new("m"), false).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::InvalidRequest, Some("messages"))
    );
}

#[test]
fn what_is_wrong_is_named() {
    let with =
        |field: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],{field}}}"#);
    let said =
        |message: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"a"}},{message}]}}"#);
    let part = |part: &str| said(&format!(r#"{{"role":"user","content":[{part}]}}"#));
    let calls = |calls: &str| said(&format!(r#"{{"role":"assistant","tool_calls":{calls}}}"#));
    for (body, param) in [
        ("".into(), None),
        ("{".into(), None),
        ("[1]".into(), None),
        ("\u{0}".into(), None),
        (
            r#"{"messages":[{"role":"user","content":"a"}]}"#.into(),
            Some("model"),
        ),
        (r#"{"model":"","messages":[]}"#.into(), Some("model")),
        (r#"{"model":5,"messages":[]}"#.into(), Some("model")),
        (r#"{"model":"m"}"#.into(), Some("messages")),
        (r#"{"model":"m","messages":[]}"#.into(), Some("messages")),
        (r#"{"model":"m","messages":"hi"}"#.into(), Some("messages")),
        (r#"{"model":"m","messages":["hi"]}"#.into(), Some("messages[0]")),
        (said(r#"{"content":"a"}"#), Some("messages[1].role")),
        (
            said(r#"{"role":"robot","content":"a"}"#),
            Some("messages[1].role"),
        ),
        (said(r#"{"role":"user"}"#), Some("messages[1].content")),
        (
            said(r#"{"role":"user","content":null}"#),
            Some("messages[1].content"),
        ),
        (
            said(r#"{"role":"user","content":7}"#),
            Some("messages[1].content"),
        ),
        (
            said(r#"{"role":"user","content":[]}"#),
            Some("messages[1].content"),
        ),
        (said(r#"{"role":"assistant"}"#), Some("messages[1].content")),
        (
            said(r#"{"role":"tool","content":"a"}"#),
            Some("messages[1].tool_call_id"),
        ),
        (
            said(r#"{"role":"tool","content":"a","tool_call_id":""}"#),
            Some("messages[1].tool_call_id"),
        ),
        (
            said(r#"{"role":"function","name":"f","content":"a"}"#),
            Some("messages[1].name"),
        ),
        (part("1"), Some("messages[1].content[0]")),
        (part(r#"{"text":"a"}"#), Some("messages[1].content[0].type")),
        (part(r#"{"type":"text"}"#), Some("messages[1].content[0].text")),
        (
            part(r#"{"type":"text","text":"a"},{"type":"text","text":[]}"#),
            Some("messages[1].content[1].text"),
        ),
        (
            part(r#"{"type":"image_url"}"#),
            Some("messages[1].content[0].image_url"),
        ),
        (
            part(r#"{"type":"image_url","image_url":{}}"#),
            Some("messages[1].content[0].image_url.url"),
        ),
        (
            part(r#"{"type":"input_audio","input_audio":{"data":""}}"#),
            Some("messages[1].content[0].input_audio.format"),
        ),
        (
            part(r#"{"type":"file","file":{}}"#),
            Some("messages[1].content[0].file"),
        ),
        (calls("{}"), Some("messages[1].tool_calls")),
        (
            calls(r#"[{"type":"function"}]"#),
            Some("messages[1].tool_calls[0].id"),
        ),
        (
            calls(r#"[{"id":"a","function":{"name":"f","arguments":{}}}]"#),
            Some("messages[1].tool_calls[0].function.arguments"),
        ),
        (with(r#""stream":"yes""#), Some("stream")),
        (
            with(r#""stream_options":{"include_usage":1}"#),
            Some("stream_options.include_usage"),
        ),
        (with(r#""temperature":2.1"#), Some("temperature")),
        (with(r#""temperature":"hot""#), Some("temperature")),
        (with(r#""temperature":1e999"#), Some("temperature")),
        (with(r#""top_p":-0.1"#), Some("top_p")),
        (with(r#""presence_penalty":3"#), Some("presence_penalty")),
        (with(r#""frequency_penalty":-3"#), Some("frequency_penalty")),
        (with(r#""max_tokens":0"#), Some("max_tokens")),
        (
            with(r#""max_completion_tokens":-1"#),
            Some("max_completion_tokens"),
        ),
        (with(r#""max_tokens":1.5"#), Some("max_tokens")),
        (with(r#""n":0"#), Some("n")),
        (with(r#""n":129"#), Some("n")),
        (with(r#""seed":"x""#), Some("seed")),
        (with(r#""stop":5"#), Some("stop")),
        (with(r#""stop":["a",5]"#), Some("stop[1]")),
        (with(r#""stop":["a","b","c","d","e"]"#), Some("stop")),
        (with(r#""reasoning_effort":3"#), Some("reasoning_effort")),
        (with(r#""parallel_tool_calls":"no""#), Some("parallel_tool_calls")),
        (with(r#""tools":{}"#), Some("tools")),
        (
            with(r#""tools":[{"function":{"name":"f"}}]"#),
            Some("tools[0].type"),
        ),
        (
            with(r#""tools":[{"type":"function"}]"#),
            Some("tools[0].function"),
        ),
        (
            with(r#""tools":[{"type":"function","function":{}}]"#),
            Some("tools[0].function.name"),
        ),
        (
            with(r#""tools":[{"type":"function","function":{"name":""}}]"#),
            Some("tools[0].function.name"),
        ),
        (
            with(r#""tools":[{"type":"function","function":{"name":"f","parameters":[]}}]"#),
            Some("tools[0].function.parameters"),
        ),
        (with(r#""functions":[{}]"#), Some("functions[0].name")),
        (with(r#""tool_choice":"maybe""#), Some("tool_choice")),
        (with(r#""tool_choice":{"type":"any"}"#), Some("tool_choice.type")),
        (
            with(r#""tool_choice":{"type":"function"}"#),
            Some("tool_choice.function"),
        ),
        (with(r#""response_format":"json""#), Some("response_format")),
        (
            with(r#""response_format":{"type":"xml"}"#),
            Some("response_format.type"),
        ),
        (
            with(r#""response_format":{"type":"json_schema"}"#),
            Some("response_format.json_schema"),
        ),
        (
            with(r#""response_format":{"type":"json_schema","json_schema":{}}"#),
            Some("response_format.json_schema.name"),
        ),
    ] {
        let error = decode_chat_request(&Bytes::from(body.clone()))
            .err()
            .unwrap_or_else(|| panic!("{body} was taken"));
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, param),
            "{body}: {error}"
        );
        assert!(!error.message().is_empty());
    }
    let error = decode_chat_request(&Bytes::from_static(b"{\"model\":\"\xff\"}")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn what_is_right_is_taken() {
    for field in [
        r#""temperature":0"#,
        r#""stop":"a""#,
        r#""stop":null"#,
        r#""tools":[]"#,
        r#""tool_choice":null,"n":null,"stream":null,"response_format":null"#,
        r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#,
        r#""top_k":-1"#,
    ] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"system","content":""}}],{field}}}"#);
        let request = edited(&Bytes::from(body.clone()));
        let sent = json(&encode_chat_request(&request, false).unwrap());
        let mut written = json(&Bytes::from(body));
        // A field that says nothing may be left out, and one text is a list of one.
        if let Some(stop @ serde_json::Value::String(_)) = written.get("stop").cloned() {
            written["stop"] = json!([stop]);
        }
        if let Some(temperature) = written.get_mut("temperature") {
            *temperature = json!(0.0);
        }
        for (name, value) in written.as_object().unwrap() {
            let empty = value.is_null() || *value == json!([]);
            assert!(empty || sent.get(name) == Some(value), "{field}: {sent}");
        }
    }
}
