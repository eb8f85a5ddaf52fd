//! What Gemini said on its way through clients of other dialects and back.

use bytes::Bytes;
use edge_ai_core::{ChatFrame, ChatOutput, ChatRequest};
use edge_ai_providers::anthropic::{
    DEFAULT_MAX_TOKENS, MESSAGES, decode_messages_request, encode_messages_request, encode_messages_response,
};
use edge_ai_providers::gemini::{GENERATE, GenerateStreamDecoder, decode_generate_response};
use edge_ai_providers::openai::{
    ChatStreamDecoder, ChatStreamEncoder, decode_chat_request, encode_chat_response,
};
use serde_json::{Value, json};

use crate::fixture;
use crate::requests::encode;

const TOOLS: [&str; 2] = ["EroEC8pSaGl0cw==", "get_weather"];

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The parts that Gemini gets back from a client of OpenAI's dialect that sends `message`.
fn through_openai(message: &Value) -> Value {
    let body = json!({"model": "gemini-3.8-flash", "messages": [
        {"role": "user", "content": "?"}, message, {"role": "user", "content": "!"}]});
    let request = decode_chat_request(&Bytes::from(body.to_string()))
        .unwrap()
        .request;
    encode(&request).pointer("/contents/1/parts").cloned().unwrap()
}

fn through_anthropic(content: &Value) -> (ChatRequest, Value) {
    let body = json!({"model": "gemini-3.8-flash", "max_tokens": 9, "messages": [
        {"role": "user", "content": "?"}, {"role": "assistant", "content": content}, {"role": "user", "content": "!"}]});
    let request = decode_messages_request(&Bytes::from(body.to_string()))
        .unwrap()
        .request;
    let parts = encode(&request).pointer("/contents/1/parts").cloned().unwrap();
    (request, parts)
}

fn check_calls(parts: &Value) {
    let [signature, name] = TOOLS;
    assert_eq!(
        *parts,
        json!([
            {"functionCall": {"id": "k3p9q1zx", "name": name, "args": {"city": "Paris"}}, "thoughtSignature": signature},
            {"functionCall": {"id": "k3p9q1zy", "name": name, "args": {"city": "Berlin", "unit": 1.50}}}])
    );
}

#[test]
fn openais_clients_bring_signatures_back() {
    let answer = decode_generate_response(fixture!("tools.response.json")).unwrap();
    let message =
        json_of(&encode_chat_response(&answer, &Default::default()))["choices"][0]["message"].clone();
    check_calls(&through_openai(&message));
    // With one of both places alone.
    for field in ["thinking_blocks", "reasoning_content"] {
        let mut less = message.clone();
        less.as_object_mut().unwrap().remove(field);
        check_calls(&through_openai(&less));
    }
    let mut less = message;
    less["tool_calls"][0]
        .as_object_mut()
        .unwrap()
        .remove("extra_content");
    check_calls(&through_openai(&less));
}

fn frames(stream: Bytes) -> Vec<ChatFrame> {
    let mut decoder = GenerateStreamDecoder::new();
    let mut frames = decoder.push(stream).unwrap();
    frames.extend(decoder.finish().unwrap());
    frames
}

#[test]
fn openais_streams_carry_signatures() {
    let mut encoder = ChatStreamEncoder::new(Default::default(), true);
    let mut decoder = ChatStreamDecoder::new();
    let mut output = edge_ai_core::ChatAccumulator::default();
    for frame in frames(fixture!("tools.stream.sse")) {
        let bytes = encoder.encode(&frame, Some(&GENERATE));
        for event in decoder
            .push(bytes)
            .unwrap()
            .into_iter()
            .flat_map(|frame| frame.events)
        {
            output.push(event);
        }
    }
    let output: ChatOutput = output.finish();
    assert_eq!(output.tool_calls().count(), 2);
    let message =
        json_of(&encode_chat_response(&output.into(), &Default::default()))["choices"][0]["message"].clone();
    assert_eq!(
        message["tool_calls"][0]["extra_content"]["google"]["thought_signature"],
        TOOLS[0]
    );
    check_calls(&through_openai(&message));
}

#[test]
fn anthropics_clients_bring_signatures_back() {
    let answer = decode_generate_response(fixture!("tools.response.json")).unwrap();
    let content = json_of(&encode_messages_response(&answer, &Default::default()))["content"].clone();
    assert_eq!(content[0]["signature"], format!("gemini:{}", TOOLS[0]));
    check_calls(&through_anthropic(&content).1);
}

#[test]
fn another_vendor_is_not_sent_geminis_signatures() {
    let answer = decode_generate_response(fixture!("tools.response.json")).unwrap();
    let content = json_of(&encode_messages_response(&answer, &Default::default()))["content"].clone();
    let (mut request, _) = through_anthropic(&content);
    request.model = "claude-sonnet-5-5".into();
    // As for a route that has edited it: what came in this dialect goes out as it is.
    request.input.edit();
    assert!(request.input.native_in(&MESSAGES).is_none());
    let body = encode_messages_request(&request, false, DEFAULT_MAX_TOKENS).unwrap();
    assert!(!std::str::from_utf8(&body).unwrap().contains("gemini:"));
}

#[test]
fn options_of_googles_compatible_endpoint_are_understood() {
    let body = json!({"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "?"}],
        "extra_body": {"google": {"thinking_config": {"thinking_level": "low", "include_thoughts": true}, "cached_content": "cachedContents/1",
            "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]}}});
    let request = decode_chat_request(&Bytes::from(body.to_string()))
        .unwrap()
        .request;
    let sent = encode(&request);
    assert_eq!(
        sent["generationConfig"]["thinkingConfig"],
        json!({"thinking_level": "low", "include_thoughts": true})
    );
    assert_eq!(sent["cachedContent"], "cachedContents/1");
    assert_eq!(sent["safetySettings"][0]["threshold"], "OFF");
}
