use edge_ai_core::{ChatRequest, ErrorKind, TokenCount, Verbatim};
use edge_ai_providers::anthropic::{
    decode_count_tokens, decode_count_tokens_request, encode_count_tokens, encode_count_tokens_request,
};
use edge_ai_providers::openai::responses::{
    decode_input_tokens, decode_responses_request, encode_input_tokens, encode_input_tokens_request,
};
use serde_json::json;

use crate::json as read;

#[test]
fn a_count_goes_through_as_it_came() {
    let body = bytes::Bytes::from_static(br#"{ "object":"response.input_tokens",  "input_tokens":11 }"#);
    let count = decode_input_tokens(body.clone()).unwrap();
    assert_eq!(count.input_tokens, 11);
    assert_eq!(encode_input_tokens(&count), body);
    assert_eq!(encode_count_tokens(&count), r#"{"input_tokens":11}"#);
    let body = bytes::Bytes::from_static(br#"{ "input_tokens": 12 , "context_management": {} }"#);
    let count = decode_count_tokens(body.clone()).unwrap();
    assert_eq!(encode_count_tokens(&count), body);
    let written = read(&encode_input_tokens(&Verbatim::new(TokenCount::new(12))));
    assert_eq!(
        written,
        json!({"object": "response.input_tokens", "input_tokens": 12})
    );
    assert_eq!(
        decode_count_tokens("[]".into()).unwrap_err().kind(),
        ErrorKind::BadUpstream
    );
}

#[test]
fn a_request_for_a_count_has_what_counts() {
    let asked = bytes::Bytes::from_static(
        br#"{"model":"claude", "messages":[{"role":"user","content":"Hi"}],  "x":1}"#,
    );
    let own = decode_count_tokens_request(&asked).unwrap().request;
    assert_eq!(encode_count_tokens_request(&own).unwrap(), asked);
    let sent = read(&encode_input_tokens_request(&own).unwrap());
    assert_eq!(
        sent,
        json!({"model": "claude", "input": [{"type": "message", "role": "user", "content": "Hi"}]})
    );
    let asked = bytes::Bytes::from_static(br#"{"model":"gpt", "input":"Hi",  "truncation":"auto"}"#);
    let own = decode_responses_request(&asked).unwrap().request;
    assert_eq!(encode_input_tokens_request(&own).unwrap(), asked);
    let request = ChatRequest::new("claude-haiku-4-5")
        .user("Hi")
        .temperature(0.5)
        .max_output_tokens(7);
    let sent = read(&encode_count_tokens_request(&request).unwrap());
    assert_eq!(
        sent,
        json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]})
    );
}
