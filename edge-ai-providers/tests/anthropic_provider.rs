//! Anthropic's client, against scripted answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{ChatModel, ChatRequest, Error, ErrorKind, FinishReason};
use edge_ai_providers::Anthropic;
use edge_ai_providers::anthropic::MESSAGES;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use futures_util::StreamExt;
use serde_json::json;

const STREAM: &str = include_str!("fixtures/anthropic/tools.stream.txt");
const RESPONSE: &str = include_str!("fixtures/anthropic/tools.response.json");

fn anthropic(http: &ScriptedHttpClient) -> Anthropic {
    Anthropic::builder(Arc::new(http.clone()), "sk-ant-secret")
        .base_url("https://llm.example.com/anthropic/")
        .beta("context-1m-2025-08-07")
        .beta("files-api-2025-04-14")
        .default_max_tokens(77)
        .build()
        .unwrap()
}

fn request() -> ChatRequest {
    ChatRequest::new("claude-sonnet-4-5").user("hi")
}

#[test]
fn a_chat_is_one_request_with_all_its_headers() {
    let body = ScriptedResponse::new(200)
        .header("content-type", "application/json")
        .body(RESPONSE);
    let http = ScriptedHttpClient::new().respond(body);
    let answer = block_on(anthropic(&http).chat(request())).unwrap();
    assert_eq!(answer.finish_reason, FinishReason::ToolCalls);
    assert_eq!(answer.native_in(&MESSAGES).unwrap(), RESPONSE);

    let sent = http.requests().remove(0);
    assert_eq!(sent.uri(), "https://llm.example.com/anthropic/v1/messages");
    for (name, value) in [
        ("x-api-key", "sk-ant-secret"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "context-1m-2025-08-07,files-api-2025-04-14"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ] {
        assert_eq!(sent.headers()[name], value);
    }
    let user = json!({"role": "user", "content": [{"type": "text", "text": "hi"}]});
    assert_eq!(
        http.last_json(),
        json!({"model": "claude-sonnet-4-5", "max_tokens": 77, "messages": [user]})
    );
}

#[test]
fn a_stream_arrives_and_lets_the_server_go() {
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::sse(STREAM).cut_every(7))
        .respond(ScriptedResponse::sse(STREAM).cut_every(7).break_after(900))
        .respond(ScriptedResponse::sse(STREAM).end_after(900));
    let anthropic = anthropic(&http);
    let stream = block_on(anthropic.chat_stream(request())).unwrap();
    assert_eq!(stream.dialect(), Some(&MESSAGES));
    let output = block_on(stream.collect()).unwrap();
    assert_eq!(output.tool_calls().count(), 2);
    assert_eq!(http.last_json()["stream"], true);
    for _ in 0..2 {
        let stream = block_on(anthropic.chat_stream(request())).unwrap();
        let error = block_on(stream.collect()).unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Interrupted, Some("anthropic"))
        );
    }
    assert_eq!(http.in_flight().count(), 0);
}

#[test]
fn errors_name_the_provider_and_when_to_come_back() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let http = ScriptedHttpClient::new()
        .respond(
            ScriptedResponse::json(529, &overloaded)
                .header("retry-after", "3")
                .header("request-id", "req_9"),
        )
        .respond(ScriptedResponse::json(529, &overloaded))
        .fail(Error::new(ErrorKind::Unavailable, "no route"))
        .respond(
            ScriptedResponse::new(200)
                .header("content-type", "text/html")
                .body("<html>"),
        )
        .respond(
            ScriptedResponse::new(200)
                .header("content-type", "text/html")
                .body("<html>"),
        );
    let anthropic = anthropic(&http);
    let error = block_on(anthropic.chat(request())).unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.provider()),
        (ErrorKind::Unavailable, 529, Some("anthropic"))
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert!(error.is_retryable() && error.message().contains("req_9"));
    assert_eq!(
        block_on(anthropic.chat_stream(request())).unwrap_err().code(),
        Some("overloaded_error")
    );
    assert_eq!(
        block_on(anthropic.chat(request())).unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(
        block_on(anthropic.chat(request())).unwrap_err().kind(),
        ErrorKind::BadUpstream
    );
    assert_eq!(
        block_on(anthropic.chat_stream(request())).unwrap_err().kind(),
        ErrorKind::BadUpstream
    );
}

#[test]
fn a_refused_request_is_not_sent() {
    let http = ScriptedHttpClient::new();
    let anthropic = anthropic(&http);
    let error = block_on(anthropic.chat(ChatRequest::new("claude-sonnet-5"))).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::InvalidRequest, Some("messages"))
    );
    assert!(block_on(anthropic.chat_stream(ChatRequest::new("claude-sonnet-5"))).is_err());
    assert!(http.requests().is_empty());
}

#[test]
fn an_error_event_ends_the_stream() {
    let http = ScriptedHttpClient::new().respond(
        ScriptedResponse::sse(include_str!("fixtures/anthropic/overloaded.stream.txt")).cut_every(50),
    );
    let stream = block_on(anthropic(&http).chat_stream(request())).unwrap();
    let items: Vec<_> = block_on(StreamExt::collect(stream));
    let (last, before) = items.split_last().unwrap();
    assert!(before.iter().all(Result::is_ok) && before.len() == 3);
    let error = last.as_ref().unwrap_err();
    assert_eq!(
        (error.code(), error.provider()),
        (Some("overloaded_error"), Some("anthropic"))
    );
}

#[test]
fn the_key_stays_secret_and_settings_are_checked() {
    use edge_ai_core::Provider;

    let http = ScriptedHttpClient::new();
    let anthropic = anthropic(&http);
    assert!(!format!("{anthropic:?}").contains("sk-ant"));
    assert!(anthropic.owns("claude-opus-5") && !anthropic.owns("gpt-5"));
    assert!(anthropic.chat_model().is_some() && anthropic.embedding_model().is_none());
    assert!(
        Provider::models(&anthropic)
            .iter()
            .all(|model| model.capabilities.chat && model.capabilities.tools)
    );
    let build = |key: &str, url: &str| {
        Anthropic::builder(Arc::new(http.clone()), key)
            .base_url(url)
            .build()
    };
    for (key, url) in [
        ("", "https://a.example"),
        (" ", "https://a.example"),
        ("k\ney", "https://a.example"),
        ("key", "a.example"),
    ] {
        assert_eq!(build(key, url).unwrap_err().kind(), ErrorKind::Configuration);
    }
    for url in ["https://a.example", "https://a.example/", "https://a.example/v1/"] {
        assert!(
            format!("{:?}", build("key", url).unwrap()).contains("\"https://a.example\""),
            "{url}"
        );
    }
}
