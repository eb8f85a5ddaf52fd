use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Native};
use http::HeaderMap;
use serde::Deserialize;

use super::MESSAGES;
use crate::quote::quote_or_status;
use crate::retry_after::retry_after;

#[derive(Deserialize)]
struct Envelope {
    error: Detail,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// Reads an error of Anthropic's: kind and code by its `type`, or by the status where a proxy answered in its place,
/// `retry-after`, and the body itself for clients of the same dialect.
///
/// Sources: <https://platform.claude.com/docs/en/api/errors>.
pub fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    let header_id = || {
        headers
            .get("request-id")
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned)
    };
    let error = match serde_json::from_slice::<Envelope>(&body) {
        Ok(Envelope { error, request_id }) => {
            let mut decoded = from_detail(&error, request_id.or_else(header_id).as_deref());
            if !KINDS.iter().any(|(name, _)| *name == error.kind) {
                decoded = restate(&decoded, kind_of_status(status));
            }
            decoded.with_native(Native::new(MESSAGES, body))
        }
        Err(_) => {
            let message = quote_or_status(status, &body);
            Error::new(kind_of_status(status), with_id(message, header_id().as_deref()))
        }
    };
    let error = error.with_status(status);
    match retry_after(headers) {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

/// Reads an `error` event of a stream, or an error where an answer should be.
pub(super) fn from_event(data: &str) -> Error {
    match serde_json::from_str::<Envelope>(data) {
        Ok(Envelope { error, request_id }) => from_detail(&error, request_id.as_deref())
            .with_native(Native::new(MESSAGES, Bytes::copy_from_slice(data.as_bytes()))),
        Err(error) => {
            Error::new(ErrorKind::BadUpstream, "an error that does not read as one").with_source(error)
        }
    }
}

const KINDS: [(&str, ErrorKind); 10] = [
    ("invalid_request_error", ErrorKind::InvalidRequest),
    ("authentication_error", ErrorKind::Authentication),
    ("billing_error", ErrorKind::QuotaExceeded),
    ("permission_error", ErrorKind::PermissionDenied),
    ("not_found_error", ErrorKind::NotFound),
    ("request_too_large", ErrorKind::TooLarge),
    ("rate_limit_error", ErrorKind::RateLimited),
    ("timeout_error", ErrorKind::Timeout),
    ("api_error", ErrorKind::Unavailable),
    ("overloaded_error", ErrorKind::Unavailable),
];

fn from_detail(detail: &Detail, request_id: Option<&str>) -> Error {
    let kind = KINDS
        .iter()
        .find(|(name, _)| *name == detail.kind)
        .map_or(ErrorKind::BadUpstream, |(_, kind)| *kind);
    let kind = if kind == ErrorKind::InvalidRequest {
        invalid_kind(&detail.message)
    } else {
        kind
    };
    let message = if detail.message.is_empty() {
        &detail.kind
    } else {
        &detail.message
    };
    Error::new(kind, with_id(message.clone(), request_id)).with_code(&detail.kind)
}

/// What Anthropic tells apart only in words.
fn invalid_kind(message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&["prompt is too long", "exceed context limit", "context window"]) {
        ErrorKind::ContextLength
    } else if says(&["content filtering policy"]) {
        ErrorKind::ContentFiltered
    } else if says(&["credit balance is too low", "usage limits"]) {
        ErrorKind::QuotaExceeded
    } else {
        ErrorKind::InvalidRequest
    }
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::BadUpstream,
    }
}

fn restate(error: &Error, kind: ErrorKind) -> Error {
    let restated = Error::new(kind, error.message());
    match error.code() {
        Some(code) => restated.with_code(code),
        None => restated,
    }
}

/// The identifier by which the vendor's support finds the request.
fn with_id(message: String, request_id: Option<&str>) -> String {
    match request_id {
        Some(id) => format!("{message} (request {id})"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::time::Duration;

    fn decode(status: u16, kind: &str, message: &str) -> Error {
        let body = serde_json::json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"});
        decode_error(status, &HeaderMap::new(), body.to_string().into())
    }

    #[test]
    fn kinds_by_type() {
        for (status, kind, message, expect) in [
            (
                400,
                "invalid_request_error",
                "messages: at least one is required",
                ErrorKind::InvalidRequest,
            ),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 208310 tokens > 200000 maximum",
                ErrorKind::ContextLength,
            ),
            (
                400,
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
                ErrorKind::ContextLength,
            ),
            (
                400,
                "invalid_request_error",
                "Your credit balance is too low to access the API",
                ErrorKind::QuotaExceeded,
            ),
            (
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy",
                ErrorKind::ContentFiltered,
            ),
            (
                401,
                "authentication_error",
                "invalid x-api-key",
                ErrorKind::Authentication,
            ),
            (403, "permission_error", "no", ErrorKind::PermissionDenied),
            (404, "not_found_error", "model: claude-9", ErrorKind::NotFound),
            (413, "request_too_large", "too large", ErrorKind::TooLarge),
            (429, "rate_limit_error", "slow down", ErrorKind::RateLimited),
            (500, "api_error", "Internal server error", ErrorKind::Unavailable),
            (529, "overloaded_error", "Overloaded", ErrorKind::Unavailable),
            (503, "brand_new_error", "?", ErrorKind::Unavailable),
        ] {
            let error = decode(status, kind, message);
            assert_eq!(error.kind(), expect, "{kind}: {message}");
            assert_eq!(error.code(), Some(kind));
            assert_eq!(error.status(), status);
            assert_eq!(error.message(), format!("{message} (request req_1)"));
            assert!(error.native().is_some());
        }
        assert!(decode(529, "overloaded_error", "Overloaded").is_retryable());
    }

    #[test]
    fn retry_after_and_the_id_come_from_the_head() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("12"));
        headers.insert("request-id", HeaderValue::from_static("req_2"));
        let body =
            Bytes::from_static(br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#);
        let error = decode_error(429, &headers, body);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(12)));
        assert_eq!(error.message(), "slow (request req_2)");
    }

    #[test]
    fn a_proxy_in_between_is_no_vendor() {
        let error = decode_error(
            502,
            &HeaderMap::new(),
            Bytes::from_static(b"<html>Bad gateway</html>"),
        );
        assert_eq!(
            (error.kind(), error.native().is_some()),
            (ErrorKind::Unavailable, false)
        );
        assert_eq!(
            decode_error(403, &HeaderMap::new(), Bytes::new()).message(),
            "status 403 without a body"
        );
    }
}
