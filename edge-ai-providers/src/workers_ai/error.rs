use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result};
use http::HeaderMap;
use serde_json::Value;

use crate::quote::quote_or_status;
use crate::retry_after::retry_after;

/// Reads an error of Workers AI, of the REST API (`{"success":false,"errors":[{"code":5007,"message":"…"}]}`) or of the service behind the
/// binding (`{"internalCode":5007,"description":"…"}`): kind by its code, or by the status without one, and `retry-after`.
pub fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = reported(&parsed, Some(status)).unwrap_or_else(|| {
        let message = quote_or_status(status, &body);
        Error::new(kind(None, Some(status), &message), message)
    });
    let error = error.with_status(status);
    match retry_after(headers) {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

/// The error that an answer of Workers AI reports instead of a result, in any of its forms: a list of `errors`, an
/// `error`, or an `internalCode` with a `description`.
pub(super) fn reported(answer: &Value, status: Option<u16>) -> Option<Error> {
    let detail = match (answer.pointer("/errors/0"), answer.get("error")) {
        (Some(first), _) => first,
        (None, Some(error)) if !error.is_null() => error,
        _ if answer.get("internalCode").is_some() => answer,
        _ => return None,
    };
    let code = detail
        .get("code")
        .or_else(|| detail.get("internalCode"))
        .and_then(number);
    let message = ["description", "message"]
        .iter()
        .find_map(|name| detail.get(name)?.as_str());
    let message = message
        .or_else(|| detail.as_str())
        .unwrap_or("Workers AI failed and did not say why");
    // "AiError: 5007: No such model": the words may carry the code, too.
    let code = code.or_else(|| message.split(": ").find_map(|part| part.parse().ok()));
    let error = Error::new(kind(code, status, message), message);
    Some(match code {
        Some(code) => error.with_code(code.to_string()),
        None => error,
    })
}

/// Tells a prompt that is too long from other invalid data, whoever read the error.
pub(super) fn refine(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidRequest || !is_context(error.message()) {
        return error;
    }
    let mut refined = Error::new(ErrorKind::ContextLength, error.message()).with_status(error.status());
    if let Some(code) = error.code() {
        refined = refined.with_code(code);
    }
    refined
}

/// The answer, unless it reports an error.
pub(super) fn check(answer: &str) -> Result<()> {
    // Answers are large and seldom errors: they are parsed only when they may be one.
    if !answer.contains("\"error") && !answer.contains("\"internalCode\"") {
        return Ok(());
    }
    let parsed: Value = serde_json::from_str(answer).unwrap_or_default();
    if ["response", "choices", "data", "tool_calls"]
        .iter()
        .any(|name| parsed.get(name).is_some())
    {
        return Ok(());
    }
    reported(&parsed, None).map_or(Ok(()), Err)
}

/// The [codes](https://developers.cloudflare.com/workers-ai/platform/errors/) of Workers AI; without a known one, the status.
fn kind(code: Option<u32>, status: Option<u16>, message: &str) -> ErrorKind {
    match (code, status) {
        // Whatever the code: the API's own word for a token that it does not know.
        (_, Some(401)) => ErrorKind::Authentication,
        (Some(5004 | 5006 | 3003 | 3039), _) if is_context(message) => ErrorKind::ContextLength,
        (Some(5004 | 5006 | 3003 | 3039), _) => ErrorKind::InvalidRequest,
        (Some(5021), _) => ErrorKind::ContextLength,
        (Some(5019 | 5005), _) => ErrorKind::Unsupported,
        (Some(5018 | 5016 | 3023 | 3041), _) => ErrorKind::PermissionDenied,
        // 5028, with 410: the model was retired.
        (Some(5007 | 3042 | 5028), _) => ErrorKind::NotFound,
        (Some(3006), _) => ErrorKind::TooLarge,
        (Some(3007 | 3008), _) => ErrorKind::Timeout,
        // The account's free allocation of the day.
        (Some(3036), _) => ErrorKind::QuotaExceeded,
        // Out of capacity: another model or another moment may have some.
        (Some(3040), _) => ErrorKind::RateLimited,
        (_, Some(403)) => ErrorKind::PermissionDenied,
        (_, Some(404 | 410)) => ErrorKind::NotFound,
        (_, Some(408 | 504)) => ErrorKind::Timeout,
        (_, Some(413)) => ErrorKind::TooLarge,
        (_, Some(429)) => ErrorKind::RateLimited,
        (_, Some(400..=499)) if is_context(message) => ErrorKind::ContextLength,
        (_, Some(400..=499)) => ErrorKind::InvalidRequest,
        // Without a status: an answer whose words tell neither whose fault it was nor that nobody was there.
        (_, None) => ErrorKind::BadUpstream,
        _ => ErrorKind::Unavailable,
    }
}

fn is_context(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["context window", "context length", "maximum context"]
        .iter()
        .any(|words| message.contains(words))
}

/// A number, or the text of one.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_u64()?.try_into().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_code_has_its_kind() {
        for (code, status, kind, retryable) in [
            (5007, 400, ErrorKind::NotFound, false),
            (3042, 404, ErrorKind::NotFound, false),
            (5028, 410, ErrorKind::NotFound, false),
            (5004, 400, ErrorKind::InvalidRequest, false),
            (5006, 400, ErrorKind::InvalidRequest, false),
            (3003, 400, ErrorKind::InvalidRequest, false),
            (5018, 403, ErrorKind::PermissionDenied, false),
            (5005, 405, ErrorKind::Unsupported, false),
            (3006, 413, ErrorKind::TooLarge, false),
            (3007, 408, ErrorKind::Timeout, true),
            (3036, 429, ErrorKind::QuotaExceeded, false),
            (3040, 429, ErrorKind::RateLimited, true),
            (10000, 401, ErrorKind::Authentication, false),
            (7003, 404, ErrorKind::NotFound, false),
            (1, 500, ErrorKind::Unavailable, true),
        ] {
            let body = format!(
                r#"{{"success":false,"result":null,"errors":[{{"code":{code},"message":"AiError: what"}}]}}"#
            );
            let error = decode_error(status, &HeaderMap::new(), body.into());
            assert_eq!(
                (error.kind(), error.is_retryable(), error.status()),
                (kind, retryable, status),
                "{code}"
            );
            assert_eq!(error.code(), Some(code.to_string().as_str()));
        }
    }

    #[test]
    fn a_long_prompt_is_told_apart() {
        let words = "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).";
        let body = format!(r#"{{"errors":[{{"code":5021,"message":"{words}"}}]}}"#);
        assert_eq!(
            decode_error(400, &HeaderMap::new(), body.into()).kind(),
            ErrorKind::ContextLength
        );
        let refined = refine(
            Error::new(ErrorKind::InvalidRequest, words)
                .with_status(400)
                .with_code("5004"),
        );
        assert_eq!(
            (refined.kind(), refined.code(), refined.status()),
            (ErrorKind::ContextLength, Some("5004"), 400)
        );
    }

    #[test]
    fn other_forms() {
        let read = |text: &str| reported(&serde_json::from_str(text).unwrap(), None).unwrap();
        let thrown = read(
            r#"{"internalCode":3040,"message":"m","name":"E","description":"Capacity temporarily exceeded"}"#,
        );
        assert_eq!(
            (thrown.kind(), thrown.message()),
            (ErrorKind::RateLimited, "Capacity temporarily exceeded")
        );
        assert_eq!(
            read(r#"{"error":"5007: No such model"}"#).kind(),
            ErrorKind::NotFound
        );
        let unclear = read(r#"{"error":{"message":"boom"}}"#);
        assert_eq!(
            (unclear.kind(), unclear.message()),
            (ErrorKind::BadUpstream, "boom")
        );
        assert_eq!(
            decode_error(502, &HeaderMap::new(), Bytes::from_static(b"<html>")).kind(),
            ErrorKind::Unavailable
        );
    }
}
