use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Native};
use http::HeaderMap;
use serde::Deserialize;

use super::GENERATE;
use crate::quote::quote_or_status;
use crate::retry_after::retry_after;

/// The longest wait that is believed.
const MAX_WAIT: f64 = 86_400.0;

/// The body of an error: in some answers, those of streams among them, it stands in an array.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    // First: an array would read as an envelope without names.
    Listed([Envelope; 1]),
    One(Envelope),
}

#[derive(Deserialize)]
struct Envelope {
    error: Status,
}

/// [`google.rpc.Status`](https://cloud.google.com/apis/design/errors), as HTTP carries it.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

/// What is read of `RetryInfo`, `ErrorInfo`, `QuotaFailure` and `BadRequest`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    retry_delay: Option<String>,
    reason: Option<String>,
    violations: Vec<Violation>,
    field_violations: Vec<FieldViolation>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Violation {
    quota_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldViolation {
    field: String,
}

/// Reads an error of Google's: kind by its `status` and details, the wait of its `RetryInfo` or of `retry-after`, and the body itself.
///
/// Sources: <https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://cloud.google.com/apis/design/errors>.
pub fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    let error = match read(&body) {
        Some(found) => found.into_error(status).with_native(Native::new(GENERATE, body)),
        None => Error::new(kind_of_code(status), quote_or_status(status, &body)),
    };
    let error = error.with_status(status);
    match (error.retry_after(), retry_after(headers)) {
        (None, Some(delay)) => error.with_retry_after(delay),
        _ => error,
    }
}

/// Reads an error within a stream, or where an answer should be.
pub(super) fn from_event(data: &str) -> Error {
    match read(data.as_bytes()) {
        Some(found) => {
            let status = found.code;
            found
                .into_error(status)
                .with_status(status)
                .with_native(Native::new(GENERATE, Bytes::copy_from_slice(data.as_bytes())))
        }
        None => Error::new(ErrorKind::BadUpstream, "an error that does not read as one"),
    }
}

fn read(body: &[u8]) -> Option<Status> {
    match serde_json::from_slice(body).ok()? {
        Body::One(envelope) | Body::Listed([envelope]) => Some(envelope.error),
    }
}

impl Status {
    fn into_error(self, status: u16) -> Error {
        let kind = self.kind(status);
        let message = if self.message.is_empty() {
            &self.status
        } else {
            &self.message
        };
        let mut error = Error::new(kind, message);
        if !self.status.is_empty() {
            error = error.with_code(&self.status);
        }
        let field = self
            .details
            .iter()
            .flat_map(|detail| &detail.field_violations)
            .map(|violation| &violation.field)
            .find(|field| !field.is_empty());
        if let Some(field) = field {
            error = error.with_param(field);
        }
        let wait = self
            .details
            .iter()
            .find_map(|detail| detail.retry_delay.as_deref());
        match wait.and_then(duration) {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    fn kind(&self, status: u16) -> ErrorKind {
        match self.status.as_str() {
            "INVALID_ARGUMENT" | "OUT_OF_RANGE" => self.invalid_kind(status),
            "UNAUTHENTICATED" => ErrorKind::Authentication,
            // The API is off for the project, the place or the plan.
            "PERMISSION_DENIED" | "FAILED_PRECONDITION" => ErrorKind::PermissionDenied,
            "NOT_FOUND" => ErrorKind::NotFound,
            "RESOURCE_EXHAUSTED" if self.is_of_the_day() => ErrorKind::QuotaExceeded,
            "RESOURCE_EXHAUSTED" => ErrorKind::RateLimited,
            "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
            "UNIMPLEMENTED" => ErrorKind::Unsupported,
            "INTERNAL" | "UNAVAILABLE" | "UNKNOWN" | "ABORTED" | "CANCELLED" => ErrorKind::Unavailable,
            _ => kind_of_code(status),
        }
    }

    /// What Google tells apart only in details and words.
    fn invalid_kind(&self, status: u16) -> ErrorKind {
        let bad_key = |detail: &Detail| {
            matches!(
                detail.reason.as_deref(),
                Some("API_KEY_INVALID" | "API_KEY_EXPIRED")
            )
        };
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if self.details.iter().any(bad_key) || says(&["api key not valid", "api key expired"]) {
            ErrorKind::Authentication
        } else if says(&["exceeds the maximum number of tokens", "maximum context length"]) {
            ErrorKind::ContextLength
        } else if status == 413 || says(&["payload size exceeds"]) {
            ErrorKind::TooLarge
        } else {
            ErrorKind::InvalidRequest
        }
    }

    /// Whether a quota by the day or a prepaid balance is used up, for which no short wait helps.
    fn is_of_the_day(&self) -> bool {
        let mut violations = self.details.iter().flat_map(|detail| &detail.violations);
        violations.any(|violation| violation.quota_id.contains("PerDay"))
            || self.message.contains("credits are depleted")
    }
}

fn kind_of_code(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
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

/// A duration as [JSON](https://protobuf.dev/reference/protobuf/google.protobuf/#duration) has it, such as `34.074824224s`.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds.min(MAX_WAIT)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::{Value, json};

    fn decode(code: u16, status: &str, message: &str, details: Value) -> Error {
        let body = json!({"error": {"code": code, "message": message, "status": status, "details": details}});
        decode_error(code, &HeaderMap::new(), body.to_string().into())
    }

    #[test]
    fn kinds_by_status_details_and_words() {
        let info = |reason: &str| json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}]);
        let quota = |id: &str| json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": id}]}]);
        let none = || json!([]);
        for (code, status, message, details, expect) in [
            (
                400,
                "INVALID_ARGUMENT",
                "Invalid value at 'contents[0]'",
                none(),
                ErrorKind::InvalidRequest,
            ),
            (
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                info("API_KEY_INVALID"),
                ErrorKind::Authentication,
            ),
            (
                400,
                "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).",
                none(),
                ErrorKind::ContextLength,
            ),
            (
                400,
                "INVALID_ARGUMENT",
                "Request payload size exceeds the limit: 20971520 bytes.",
                none(),
                ErrorKind::TooLarge,
            ),
            (
                400,
                "FAILED_PRECONDITION",
                "User location is not supported for the API use.",
                none(),
                ErrorKind::PermissionDenied,
            ),
            (
                401,
                "UNAUTHENTICATED",
                "Request had invalid authentication credentials.",
                none(),
                ErrorKind::Authentication,
            ),
            (
                403,
                "PERMISSION_DENIED",
                "Generative Language API has not been used",
                none(),
                ErrorKind::PermissionDenied,
            ),
            (
                404,
                "NOT_FOUND",
                "models/gemini-9 is not found",
                none(),
                ErrorKind::NotFound,
            ),
            (
                429,
                "RESOURCE_EXHAUSTED",
                "quota",
                quota("GenerateRequestsPerMinutePerProjectPerModel"),
                ErrorKind::RateLimited,
            ),
            (
                429,
                "RESOURCE_EXHAUSTED",
                "quota",
                quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
                ErrorKind::QuotaExceeded,
            ),
            (
                500,
                "INTERNAL",
                "An internal error has occurred.",
                none(),
                ErrorKind::Unavailable,
            ),
            (
                503,
                "UNAVAILABLE",
                "The model is overloaded.",
                none(),
                ErrorKind::Unavailable,
            ),
            (
                504,
                "DEADLINE_EXCEEDED",
                "Deadline expired",
                none(),
                ErrorKind::Timeout,
            ),
            (502, "BRAND_NEW", "?", none(), ErrorKind::Unavailable),
        ] {
            let error = decode(code, status, message, details);
            assert_eq!(error.kind(), expect, "{status}: {message}");
            assert_eq!((error.code(), error.status()), (Some(status), code));
            assert_eq!(error.message(), message);
            assert!(error.native().is_some());
        }
    }

    #[test]
    fn the_wait_is_that_of_the_details_then_of_the_head() {
        let retry = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]);
        let error = decode(429, "RESOURCE_EXHAUSTED", "slow", retry);
        assert_eq!(error.retry_after(), Some(Duration::from_millis(34_500)));
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("7"));
        let error = decode_error(429, &headers, Bytes::from_static(b"slow down"));
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::RateLimited, Some(Duration::from_secs(7)))
        );
        for (text, expect) in [
            ("0s", Some(0)),
            ("1e9s", Some(86_400)),
            ("-1s", None),
            ("x", None),
            ("NaNs", Some(86_400)),
        ] {
            assert_eq!(duration(text), expect.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn the_field_at_fault_is_named_and_arrays_are_read() {
        let body = br#"[{"error":{"code":400,"message":"Unknown name","status":"INVALID_ARGUMENT","details":[
            {"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"generation_config","description":"Unknown name"}]}]}}]"#;
        let error = decode_error(400, &HeaderMap::new(), Bytes::from_static(body));
        assert_eq!(error.param(), Some("generation_config"));
        assert_eq!(
            decode_error(403, &HeaderMap::new(), Bytes::new()).message(),
            "status 403 without a body"
        );
    }
}
