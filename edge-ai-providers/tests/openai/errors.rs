use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind};
use edge_ai_providers::openai::{decode_error, encode_error};
use http::HeaderMap;
use serde_json::json;

use crate::fixture::{fixture, json};

fn decode(status: u16, body: impl Into<Bytes>) -> Error {
    decode_error(status, &HeaderMap::new(), body.into())
}

#[test]
fn openais_errors_keep_kind_code_field_and_body() {
    for (status, body, kind, code, param) in [
        (
            400,
            fixture!("errors/context_length.json"),
            ErrorKind::ContextLength,
            "context_length_exceeded",
            Some("messages"),
        ),
        (
            400,
            fixture!("errors/filter.json"),
            ErrorKind::ContentFiltered,
            "content_filter",
            Some("prompt"),
        ),
        (
            401,
            fixture!("errors/key.json"),
            ErrorKind::Authentication,
            "invalid_api_key",
            None,
        ),
        (
            404,
            fixture!("errors/model.json"),
            ErrorKind::NotFound,
            "model_not_found",
            None,
        ),
        (
            429,
            fixture!("errors/quota.json"),
            ErrorKind::QuotaExceeded,
            "insufficient_quota",
            None,
        ),
        (
            429,
            fixture!("errors/rate_limit.json"),
            ErrorKind::RateLimited,
            "rate_limit_exceeded",
            None,
        ),
    ] {
        let error = decode(status, body.clone());
        assert_eq!(
            (error.kind(), error.code(), error.param()),
            (kind, Some(code), param),
            "{error:?}"
        );
        assert_eq!(error.status(), status);
        assert_eq!(error.message(), json(&body)["error"]["message"].as_str().unwrap());
        assert_eq!(encode_error(&error), body);
    }
}

#[test]
fn the_status_tells_the_kind() {
    for (status, kind, retryable) in [
        (302, ErrorKind::BadUpstream, true),
        (400, ErrorKind::InvalidRequest, false),
        (401, ErrorKind::Authentication, false),
        (402, ErrorKind::QuotaExceeded, false),
        (403, ErrorKind::PermissionDenied, false),
        (404, ErrorKind::NotFound, false),
        (410, ErrorKind::NotFound, false),
        (408, ErrorKind::Timeout, true),
        (409, ErrorKind::Unavailable, true),
        (413, ErrorKind::TooLarge, false),
        (418, ErrorKind::InvalidRequest, false),
        (422, ErrorKind::InvalidRequest, false),
        (429, ErrorKind::RateLimited, true),
        (500, ErrorKind::Unavailable, true),
        (501, ErrorKind::Unavailable, false),
        (502, ErrorKind::Unavailable, true),
        (503, ErrorKind::Unavailable, true),
        (504, ErrorKind::Timeout, true),
        (505, ErrorKind::Unavailable, false),
        (529, ErrorKind::Unavailable, true),
    ] {
        let error = decode(
            status,
            r#"{"error":{"message":"m","type":null,"param":null,"code":null}}"#,
        );
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (kind, retryable),
            "{status}"
        );
    }
}

#[test]
fn tools_that_a_thinking_model_refuses_here_are_another_models_to_call() {
    let message = "Function tools with reasoning_effort are not supported for gpt-6.1-sol in /v1/chat/completions. \
        To use function tools, use /v1/responses or set reasoning_effort to 'none'.";
    let body = serde_json::json!({"error": {"message": message, "type": "invalid_request_error", "param": "reasoning_effort", "code": null}});
    let error = decode(400, body.to_string());
    assert_eq!(
        (error.kind(), error.param(), error.status()),
        (ErrorKind::Unsupported, Some("reasoning_effort"), 400)
    );
}

#[test]
fn every_shape_gives_its_message() {
    for (body, message) in [
        (r#"{"error":"no such model"}"#, "no such model"),
        (r#"{"message":"not found"}"#, "not found"),
        (r#"{"detail":"Unauthorized"}"#, "Unauthorized"),
        (
            r#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#,
            "too long",
        ),
        ("upstream connect error", "HTTP 503: upstream connect error"),
        (
            "<html><body>Bad Gateway</body></html>",
            "the server answered with HTTP 503",
        ),
        ("", "the server answered with HTTP 503"),
        ("[1]", "HTTP 503: [1]"),
    ] {
        let error = decode(503, body);
        assert_eq!(error.message(), message);
        assert!(error.native().is_none(), "{body} is not OpenAI's shape");
        assert_eq!(json(&encode_error(&error))["error"]["message"], message);
    }
    let long = decode(500, "x".repeat(10_000));
    assert!(long.message().len() < 400);
}

#[test]
fn when_to_come_back_is_told_in_every_form() {
    let wait = |headers: &[(&'static str, &'static str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        decode_error(429, &headers, fixture!("errors/rate_limit.json")).retry_after()
    };
    assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    assert_eq!(
        wait(&[("retry-after-ms", "120"), ("retry-after", "1")]),
        Some(Duration::from_millis(120))
    );
    assert_eq!(wait(&[]), None);
    let date = "Fri, 31 Dec 1999 23:59:59 GMT";
    assert_eq!(
        wait(&[("retry-after", date), ("date", "Fri, 31 Dec 1999 23:59:56 GMT")]),
        Some(Duration::from_secs(3))
    );
}

#[test]
fn the_server_may_decide_about_retrying() {
    let with = |value: &str| {
        let headers = [("x-should-retry".parse().unwrap(), value.parse().unwrap())]
            .into_iter()
            .collect();
        decode_error(500, &headers, Bytes::new()).is_retryable()
    };
    assert!(with("true") && !with("false") && with("perhaps"));
}

#[test]
fn our_own_errors_have_openais_shape() {
    for (kind, kind_type, code) in [
        (ErrorKind::InvalidRequest, "invalid_request_error", json!(null)),
        (
            ErrorKind::Authentication,
            "invalid_request_error",
            json!("invalid_api_key"),
        ),
        (
            ErrorKind::PermissionDenied,
            "permission_error",
            json!("permission_denied"),
        ),
        (
            ErrorKind::NotFound,
            "invalid_request_error",
            json!("model_not_found"),
        ),
        (
            ErrorKind::TooLarge,
            "invalid_request_error",
            json!("request_too_large"),
        ),
        (
            ErrorKind::ContextLength,
            "invalid_request_error",
            json!("context_length_exceeded"),
        ),
        (
            ErrorKind::ContentFiltered,
            "invalid_request_error",
            json!("content_filter"),
        ),
        (
            ErrorKind::Unsupported,
            "invalid_request_error",
            json!("unsupported_parameter"),
        ),
        (
            ErrorKind::RateLimited,
            "rate_limit_error",
            json!("rate_limit_exceeded"),
        ),
        (
            ErrorKind::QuotaExceeded,
            "insufficient_quota",
            json!("insufficient_quota"),
        ),
        (ErrorKind::Timeout, "server_error", json!("timeout")),
        (ErrorKind::Interrupted, "server_error", json!("interrupted")),
        (ErrorKind::Internal, "server_error", json!("internal")),
    ] {
        let body = encode_error(&Error::new(kind, "why").with_param("model"));
        let expected =
            json!({"error": {"message": "why", "type": kind_type, "param": "model", "code": code}});
        assert_eq!(json(&body), expected);
    }
    let own = encode_error(&Error::new(ErrorKind::Unavailable, "why").with_code("overloaded_error"));
    assert_eq!(
        json(&own),
        json!({"error": {"message": "why", "type": "server_error", "param": null, "code": "overloaded_error"}})
    );
}
