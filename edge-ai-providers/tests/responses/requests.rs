use bytes::Bytes;
use edge_ai_core::{
    ChatRequest, ContentPart, ErrorKind, Media, Message, ReasoningPart, ResponseFormat, Role, Tool,
    ToolChoice, ToolResult,
};
use edge_ai_providers::anthropic::{decode_messages_request, encode_messages_request};
use edge_ai_providers::openai::responses::{RESPONSES, decode_responses_request, encode_responses_request};
use edge_ai_providers::openai::{decode_chat_request, encode_chat_request};
use serde_json::{Value, json};

use crate::{fixture, json as read};

fn decode(body: &Value) -> edge_ai_core::Result<edge_ai_providers::openai::responses::ResponsesCall> {
    decode_responses_request(&Bytes::from(body.to_string()))
}

#[test]
fn everything_is_read() {
    let call = decode_responses_request(&fixture!("everything.request.json")).unwrap();
    assert!(call.stream && call.bound.is_none());
    let input = &call.request.input;
    let roles: Vec<_> = input.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, Developer, System, Tool as Result, User};
    assert_eq!(roles, [System, Developer, User, Assistant, Result, Result]);
    let ContentPart::Image(image) = &input.messages[2].content[1] else {
        panic!()
    };
    assert!(matches!(image.source, Media::Base64 { .. }));
    let ContentPart::Reasoning(thought) = &input.messages[3].content[0] else {
        panic!()
    };
    assert_eq!(thought.text, "A cat?");
    assert_eq!(thought.signature.as_deref(), Some("openai.responses:rs_1:gAAA"));
    assert_eq!(input.messages[3].tool_calls().count(), 2);
    assert!(matches!(&input.tools[..], [Tool::Function(_), Tool::Vendor(_)]));
    assert_eq!(input.tool_choice, Some(ToolChoice::Function("look".into())));
    assert!(matches!(
        &input.response_format,
        Some(ResponseFormat::JsonSchema {
            strict: Some(true),
            ..
        })
    ));
    assert_eq!(input.reasoning.as_ref().unwrap().effort.as_deref(), Some("low"));
    for name in [
        "text.verbosity",
        "reasoning.summary",
        "store",
        "metadata",
        "include",
        "prompt_cache_key",
    ] {
        assert!(input.extra.get(&RESPONSES, name).is_some(), "{name}");
    }
}

#[test]
fn what_nobody_edited_goes_out_as_it_came() {
    let body = fixture!("everything.request.json");
    let mut request = decode_responses_request(&body).unwrap().request;
    assert_eq!(encode_responses_request(&request, true).unwrap(), body);
    "other".clone_into(&mut request.model);
    let mut expect = read(&body);
    expect["model"] = json!("other");
    expect["stream"] = json!(false);
    assert_eq!(read(&encode_responses_request(&request, false).unwrap()), expect);
}

#[test]
fn an_edited_request_says_the_same() {
    let body = fixture!("everything.request.json");
    let mut request = decode_responses_request(&body).unwrap().request;
    request.input.edit();
    let sent = read(&encode_responses_request(&request, true).unwrap());
    let mut expect = read(&body);
    // Instructions are an item, and what an answer says of its items is not said again.
    expect.as_object_mut().unwrap().remove("instructions");
    let input = expect["input"].as_array_mut().unwrap();
    input.insert(
        0,
        json!({"type": "message", "role": "system", "content": "Be brief."}),
    );
    input[1]["type"] = json!("message");
    for item in &mut input[3..] {
        let item = item.as_object_mut().unwrap();
        if item["type"] != "reasoning" {
            item.remove("id");
        }
        item.remove("status");
    }
    let text = input[4]["content"][0].as_object_mut().unwrap();
    text.remove("annotations");
    text.remove("logprobs");
    assert_eq!(sent, expect);
}

#[test]
fn a_chat_completion_becomes_items() {
    let chat = json!({"model": "gpt-6-luna", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://e.x/a.png"}}]},
        {"role": "assistant", "content": "A cat.", "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "openai.responses:rs_1:gAAA"}, {"type": "thinking", "thinking": "Claude's", "signature": "EqoB"}],
         "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "seen"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "max_tokens": 5, "reasoning_effort": "low", "verbosity": "high", "user": "u", "seed": 1});
    let request = decode_chat_request(&Bytes::from(chat.to_string()))
        .unwrap()
        .request;
    let sent = read(&encode_responses_request(&request, true).unwrap());
    assert_eq!(
        sent,
        json!({"model": "gpt-6-luna", "input": [
            {"type": "message", "role": "system", "content": "Be brief."},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": "https://e.x/a.png", "detail": "auto"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": "A cat."},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "seen"}],
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}],
            "text": {"verbosity": "high"}, "reasoning": {"effort": "low"}, "max_output_tokens": 16, "store": false,
            "include": ["reasoning.encrypted_content"], "user": "u", "stream": true})
    );
}

#[test]
fn the_same_question_is_the_same_in_each_dialect() {
    let chat = json!({"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "temperature": 0.5, "max_tokens": 100});
    let responses = json!({"model": "m", "instructions": "Be brief.", "input": "Hi", "temperature": 0.5, "max_output_tokens": 100});
    let messages = json!({"model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "max_tokens": 100});
    let body = |value: &Value| Bytes::from(value.to_string());
    let chat = decode_chat_request(&body(&chat)).unwrap().request;
    let responses = decode(&responses).unwrap().request;
    let messages = decode_messages_request(&body(&messages)).unwrap().request;
    assert_eq!(*chat.input, *responses.input);
    assert_eq!(*chat.input, *messages.input);
}

#[test]
fn a_request_of_this_dialect_goes_to_other_vendors() {
    let call = decode(&json!({"model": "m", "instructions": "Be brief.", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": "https://e.x/a.png"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "signature:EqoB"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"a\":1}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "seen"}],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}], "store": true})).unwrap();
    let sent = read(&encode_chat_request(&call.request, false).unwrap());
    let call_sent = &sent["messages"][2]["tool_calls"][0];
    assert_eq!(
        call_sent,
        &json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}})
    );
    assert_eq!(
        sent["messages"][3],
        json!({"role": "tool", "tool_call_id": "call_1", "content": "seen"})
    );
    assert_eq!(sent["tools"][0]["function"]["name"], "f");
    // To Anthropic its own thought goes back, and not OpenAI's.
    let sent = read(&encode_messages_request(&call.request, false, 4_096).unwrap());
    let turn = &sent["messages"][1]["content"];
    assert_eq!(
        turn[0],
        json!({"type": "thinking", "thinking": "Hm", "signature": "EqoB"})
    );
    assert_eq!(
        (&turn[1]["type"], turn.as_array().unwrap().len()),
        (&json!("tool_use"), 2)
    );
}

#[test]
fn what_only_the_vendor_keeps_is_named() {
    for (field, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!({"id": "conv_1"})),
        ("prompt", json!({"id": "pmpt_1"})),
        ("background", json!(true)),
    ] {
        let mut body = json!({"model": "m", "input": "Hi"});
        body[field] = value;
        let error = decode(&body).unwrap().bound.unwrap();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some(field))
        );
        assert!(error.message().contains("Responses API"), "{error}");
    }
    for item in [
        json!({"type": "item_reference", "id": "msg_1"}),
        json!({"id": "msg_1"}),
        json!({"type": "compaction", "encrypted_content": "g"}),
    ] {
        let error = decode(&json!({"model": "m", "input": [item]}))
            .unwrap()
            .bound
            .unwrap();
        assert_eq!(error.param(), Some("input[0].type"));
    }
    let choice = json!({"model": "m", "input": "Hi", "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}});
    assert_eq!(
        decode(&choice).unwrap().bound.unwrap().param(),
        Some("tool_choice.type")
    );
    assert!(
        decode(&json!({"model": "m", "input": "Hi", "background": false, "store": true}))
            .unwrap()
            .bound
            .is_none()
    );
}

#[test]
fn a_vendors_tool_is_refused_by_others_by_its_type() {
    let call = decode(&json!({"model": "m", "input": "Hi", "tools": [{"type": "web_search"}]})).unwrap();
    assert!(call.bound.is_none());
    for error in [
        encode_chat_request(&call.request, false).unwrap_err(),
        encode_messages_request(&call.request, false, 1).unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some("tools[0].type"))
        );
    }
}

#[test]
fn mistakes_name_their_field() {
    for (body, param) in [
        (json!({"input": "Hi"}), "model"),
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": []}), "input"),
        (json!({"model": "m", "input": 5}), "input"),
        (
            json!({"model": "m", "input": [{"role": "robot", "content": "x"}]}),
            "input[0].role",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}),
            "input[0].call_id",
        ),
        (
            json!({"model": "m", "input": "x", "temperature": 3}),
            "temperature",
        ),
        (
            json!({"model": "m", "input": "x", "max_output_tokens": 0}),
            "max_output_tokens",
        ),
        (
            json!({"model": "m", "input": "x", "tool_choice": "maybe"}),
            "tool_choice",
        ),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "xml"}}}),
            "text.format.type",
        ),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}),
            "text.format.schema",
        ),
        (
            json!({"model": "m", "input": "x", "tools": [{"type": "function", "function": {"name": "f"}}]}),
            "tools[0].name",
        ),
    ] {
        let error = decode(&body).unwrap_err();
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::InvalidRequest, Some(param)),
            "{body}"
        );
    }
}

#[test]
fn what_the_api_cannot_say_is_refused() {
    let mut request = ChatRequest::new("m").user("x");
    request.input.edit().stop = vec!["END".into()];
    assert_eq!(
        encode_responses_request(&request, false).unwrap_err().param(),
        Some("stop")
    );
    let mut request = ChatRequest::new("m").user("x");
    request.input.edit().choices = Some(2);
    assert_eq!(
        encode_responses_request(&request, false).unwrap_err().param(),
        Some("n")
    );
    assert_eq!(
        encode_responses_request(&ChatRequest::new("m"), false)
            .unwrap_err()
            .param(),
        Some("messages")
    );
}

#[test]
fn a_failed_tool_says_so_and_foreign_thoughts_stay_here() {
    let mut result = ToolResult::from_text("1", "no such city");
    result.is_error = true;
    let thought = ContentPart::Reasoning(ReasoningPart::new("hm", Some("EqoB".into())));
    let request = ChatRequest::new("gpt-4.1")
        .user("x")
        .message(Message::new(Role::Assistant, vec![thought]))
        .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(result)]));
    let sent = read(&encode_responses_request(&request, false).unwrap());
    assert_eq!(sent["input"].as_array().unwrap().len(), 2);
    assert_eq!(sent["input"][1]["output"], "Error: no such city");
    assert!(sent.get("include").is_none());
}
