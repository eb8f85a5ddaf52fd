use bytes::Bytes;
use edge_ai_core::Body;
use edge_ai_core::{
    ChatOutput, ContentPart, Error, ErrorKind, FinishReason, Media, ReasoningPart, Result, Usage,
};
use edge_ai_providers::gemini::{GENERATE, decode_generate_response, generate_stream};
use futures_executor::block_on;

use crate::fixture;

pub(crate) fn whole(body: Bytes) -> Result<ChatOutput> {
    decode_generate_response(body).map(|response| (*response).clone())
}

pub(crate) fn streamed(body: Bytes) -> Result<ChatOutput> {
    block_on(generate_stream(Body::from(body)).collect())
}

fn failed(outcome: Result<ChatOutput>) -> Error {
    outcome.unwrap_err()
}

#[test]
fn a_text_with_its_usage() {
    let output = whole(fixture!("text.response.json")).unwrap();
    assert_eq!(output.text(), "Paris is the capital of France.");
    assert_eq!(
        (output.id.as_str(), output.model.as_str()),
        ("aXkkaP3mFMqRkdUP", "gemini-3.8-flash")
    );
    assert_eq!(output.finish_reason, FinishReason::Stop);
    let mut usage = Usage::new(1_208, 8);
    usage.cache_read_tokens = 1_024;
    assert_eq!(output.usage, Some(usage));
    assert!(output.extra.get(&GENERATE, "safetyRatings").is_some());
    let native = decode_generate_response(fixture!("text.response.json")).unwrap();
    assert_eq!(native.native_in(&GENERATE), Some(&fixture!("text.response.json")));
}

#[test]
fn parallel_calls_whole_and_streamed_are_the_same() {
    let output = whole(fixture!("tools.response.json")).unwrap();
    assert_eq!(output, streamed(fixture!("tools.stream.sse")).unwrap());
    assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    let calls: Vec<_> = output
        .tool_calls()
        .map(|call| (call.id.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(
        calls,
        [
            ("k3p9q1zx", r#"{"city":"Paris"}"#),
            ("k3p9q1zy", r#"{"city":"Berlin","unit":1.50}"#)
        ]
    );
    let thought = ReasoningPart::new(
        "**Weather**\nTwo cities are asked for.",
        Some("gemini:EroEC8pSaGl0cw==".into()),
    );
    assert_eq!(output.content[0], ContentPart::Reasoning(thought));
    let usage = output.usage.unwrap();
    assert_eq!(
        (usage.output_tokens, usage.reasoning_tokens, usage.total_tokens()),
        (36 + 177, 177, 301)
    );
}

#[test]
fn the_signature_of_a_text_comes_after_it() {
    let output = streamed(fixture!("text.stream.sse")).unwrap();
    assert_eq!(output.text(), "Paris is é.");
    let signature = ContentPart::Reasoning(ReasoningPart::new("", Some("gemini:EjQKMgG+dGV4dA==".into())));
    assert_eq!(output.content[1], signature);
    assert!(output.extra.get(&GENERATE, "groundingMetadata").is_some());
}

#[test]
fn calls_without_ids_get_some() {
    let body = br#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}],"responseId":"r"}"#;
    let output = whole(Bytes::from_static(body)).unwrap();
    let calls: Vec<_> = output
        .tool_calls()
        .map(|call| (call.id.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(calls, [("call_r_0", "{}"), ("call_r_1", "{}")]);
}

#[test]
fn pictures_and_googles_own_parts_are_kept() {
    let output = whole(fixture!("image.response.json")).unwrap();
    let [
        ContentPart::Text(_),
        ContentPart::Image(image),
        ContentPart::Other(code),
    ] = output.content.as_slice()
    else {
        panic!("{:?}", output.content);
    };
    assert!(matches!(&image.source, Media::Base64 { media_type, .. } if media_type == "image/png"));
    assert!(image.extra.get(&GENERATE, "thoughtSignature").is_some());
    assert!(code.get(&GENERATE, "executableCode").is_some());
}

#[test]
fn what_the_filter_stops_is_told_apart() {
    let blocked = failed(whole(fixture!("blocked.response.json")));
    assert_eq!(
        (blocked.kind(), blocked.code()),
        (ErrorKind::ContentFiltered, Some("PROHIBITED_CONTENT"))
    );
    assert!(!blocked.is_retryable());
    let stopped = whole(fixture!("safety.response.json")).unwrap();
    assert_eq!(
        (stopped.finish_reason.clone(), stopped.text()),
        (FinishReason::ContentFilter, "First, ".to_owned())
    );
}

#[test]
fn a_call_that_cannot_be_made_may_be_asked_for_again() {
    let error = failed(whole(fixture!("malformed_call.response.json")));
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::BadUpstream, Some("MALFORMED_FUNCTION_CALL"))
    );
    assert!(
        error.is_retryable() && error.message().contains("get_weather"),
        "{error}"
    );
}

#[test]
fn an_error_within_a_stream_is_the_vendors() {
    let error = failed(streamed(fixture!("overloaded.stream.sse")));
    assert_eq!(
        (error.kind(), error.code(), error.status()),
        (ErrorKind::Unavailable, Some("UNAVAILABLE"), 503)
    );
}

#[test]
fn a_stream_without_a_reason_to_stop_was_interrupted() {
    let stream = fixture!("text.stream.sse");
    let last = stream.windows(6).rposition(|window| window == b"data: ").unwrap();
    for end in [0, last, stream.len() - 2] {
        assert_eq!(
            failed(streamed(stream.slice(..end))).kind(),
            ErrorKind::Interrupted,
            "{end}"
        );
    }
}

#[test]
fn what_is_no_answer_says_so() {
    for body in [
        "",
        "[]",
        "{}",
        "<html>",
        r#"{"candidates":[]}"#,
        r#"{"candidates":[{"content":5}]}"#,
    ] {
        assert_eq!(
            failed(whole(body.into())).kind(),
            ErrorKind::BadUpstream,
            "{body}"
        );
    }
}
