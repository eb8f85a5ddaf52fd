use std::time::Duration;

use edge_ai_core::{Error, ErrorKind};
use http::HeaderMap;
use serde_json::Value;

use crate::error::Thrown;

/// The longest wait that is believed.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// The name of what the binding throws when the service has answered with an error.
const UPSTREAM: &str = "InferenceUpstreamError";

/// The error of an answer with an error status: `{"internalCode":…,"description":…}` or `{"errors":[{"code":…}]}`, with the time
/// that the service asks to wait.
pub(super) fn answered(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let error = read(status, body);
    match retry_after(headers) {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

/// `retry-after-ms`, or `retry-after` in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| -> Option<f64> {
        let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    };
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number("retry-after"))?;
    let seconds = seconds.min(MAX_WAIT.as_secs_f64());
    Duration::try_from_secs_f64(seconds).ok()
}

fn read(status: u16, body: &[u8]) -> Error {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = parsed.pointer("/errors/0");
    let code = parsed
        .get("internalCode")
        .or_else(|| listed?.get("code"))
        .and_then(number);
    let message = ["description", "message"]
        .iter()
        .find_map(|name| parsed.get(name)?.as_str())
        .or_else(|| listed?.get("message")?.as_str())
        .map(str::to_owned)
        .unwrap_or_else(|| excerpt(body));
    error(code, Some(status), message)
}

/// The error that the binding threw: `<code>: <description>` where the service gave a code.
pub(super) fn thrown(thrown: Thrown) -> Error {
    match thrown.name.as_str() {
        // `JSON.parse` of the inputs or options.
        "SyntaxError" => {
            return thrown
                .into_error(ErrorKind::InvalidRequest)
                .with_context("inputs or options");
        }
        "AiInternalError" => return thrown.into_error(ErrorKind::InvalidRequest),
        _ => {}
    }
    match thrown
        .message
        .split_once(": ")
        .and_then(|(code, text)| Some((code.parse().ok()?, text)))
    {
        Some((code, text)) => error(Some(code), None, text.to_owned()),
        // The service answered, and did not say what it was about: it may be the request.
        None if thrown.name == UPSTREAM => thrown.into_error(ErrorKind::BadUpstream),
        None => thrown.into_error(ErrorKind::Unavailable),
    }
}

/// The [codes](https://developers.cloudflare.com/workers-ai/platform/errors/) of Workers AI with their documented status;
/// without a code, the status that was answered.
fn error(code: Option<u32>, status: Option<u16>, message: String) -> Error {
    let (kind, status) = match code {
        Some(5004 | 5006 | 3003 | 3039) => (ErrorKind::InvalidRequest, 400),
        Some(5019 | 5005) => (ErrorKind::Unsupported, 405),
        Some(5018 | 5016 | 3023 | 3041) => (ErrorKind::PermissionDenied, 403),
        Some(5007 | 3042) => (ErrorKind::NotFound, 404),
        // The model was retired.
        Some(5028) => (ErrorKind::NotFound, 410),
        // More tokens than the model's context window holds.
        Some(5021) => (ErrorKind::ContextLength, 400),
        Some(3006) => (ErrorKind::TooLarge, 413),
        Some(3007 | 3008) => (ErrorKind::Timeout, 408),
        // The account's free allocation of the day.
        Some(3036) => (ErrorKind::QuotaExceeded, 429),
        // Out of capacity: another model or another moment may have some.
        Some(3040) => (ErrorKind::RateLimited, 429),
        _ => by_status(status),
    };
    let message = if message.is_empty() {
        "Workers AI failed and did not say why".to_owned()
    } else {
        message
    };
    let error = Error::new(kind, message).with_status(status);
    match code {
        Some(code) => error.with_code(code.to_string()),
        None => error,
    }
}

fn by_status(status: Option<u16>) -> (ErrorKind, u16) {
    let kind = match status {
        Some(401) => ErrorKind::Authentication,
        Some(403) => ErrorKind::PermissionDenied,
        Some(404 | 410) => ErrorKind::NotFound,
        Some(408 | 504) => ErrorKind::Timeout,
        Some(413) => ErrorKind::TooLarge,
        Some(429) => ErrorKind::RateLimited,
        Some(400..=499) => ErrorKind::InvalidRequest,
        Some(500..=599) => ErrorKind::Unavailable,
        // A code that nobody knows may be about the request.
        Some(_) | None => ErrorKind::BadUpstream,
    };
    (kind, status.unwrap_or_else(|| kind.status()))
}

/// A number, or the text of one.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_u64().and_then(|number| number.try_into().ok()),
    }
}

/// The start of an answer that is not the service's JSON.
fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn thrown_message(message: &str) -> Error {
        thrown(Thrown {
            name: "InferenceUpstreamError".into(),
            code: None,
            retryable: None,
            message: message.into(),
        })
    }

    #[test]
    fn every_documented_code_has_its_kind() {
        for (code, kind, retryable) in [
            (5007, ErrorKind::NotFound, false),
            (3042, ErrorKind::NotFound, false),
            (5028, ErrorKind::NotFound, false),
            (5021, ErrorKind::ContextLength, false),
            (3039, ErrorKind::InvalidRequest, false),
            (5004, ErrorKind::InvalidRequest, false),
            (5006, ErrorKind::InvalidRequest, false),
            (3003, ErrorKind::InvalidRequest, false),
            (5018, ErrorKind::PermissionDenied, false),
            (5016, ErrorKind::PermissionDenied, false),
            (3023, ErrorKind::PermissionDenied, false),
            (3041, ErrorKind::PermissionDenied, false),
            (5019, ErrorKind::Unsupported, false),
            (5005, ErrorKind::Unsupported, false),
            (3006, ErrorKind::TooLarge, false),
            (3007, ErrorKind::Timeout, true),
            (3008, ErrorKind::Timeout, true),
            (3036, ErrorKind::QuotaExceeded, false),
            (3040, ErrorKind::RateLimited, true),
        ] {
            let error = thrown_message(&format!("{code}: what happened"));
            assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{code}");
            assert_eq!(error.code(), Some(code.to_string().as_str()));
            assert_eq!(error.message(), "what happened");
            let body = format!(
                r#"{{"internalCode":{code},"name":"E","message":"m","description":"what happened"}}"#
            );
            let raw = answered(400, &HeaderMap::new(), body.as_bytes());
            assert_eq!(
                (raw.kind(), raw.code(), raw.message()),
                (kind, error.code(), "what happened")
            );
            assert_eq!(raw.status(), error.status());
        }
        assert_eq!(thrown_message("3040: no capacity").status(), 429);
    }

    #[test]
    fn the_list_form_and_plain_text_are_read_too() {
        let listed = answered(
            400,
            &HeaderMap::new(),
            br#"{"errors":[{"code":"5007","message":"No such model"}]}"#,
        );
        assert_eq!(
            (listed.kind(), listed.code()),
            (ErrorKind::NotFound, Some("5007"))
        );
        assert_eq!(listed.message(), "No such model");
        let text = answered(502, &HeaderMap::new(), b"<html>bad gateway</html>");
        assert_eq!(
            (text.kind(), text.code(), text.status()),
            (ErrorKind::Unavailable, None, 502)
        );
        assert_eq!(
            answered(429, &HeaderMap::new(), b"").kind(),
            ErrorKind::RateLimited
        );
    }

    #[test]
    fn what_is_not_the_services_error_keeps_its_words() {
        let lost = thrown(Thrown {
            name: "Error".into(),
            code: None,
            retryable: None,
            message: "Network connection lost.".into(),
        });
        assert_eq!(
            (lost.kind(), lost.message()),
            (ErrorKind::Unavailable, "Network connection lost.")
        );
        let unclear = thrown_message("note: this is not a code");
        assert_eq!((unclear.kind(), unclear.code()), (ErrorKind::BadUpstream, None));
        let unknown = thrown_message("5999: what");
        assert_eq!(
            (unknown.kind(), unknown.code()),
            (ErrorKind::BadUpstream, Some("5999"))
        );
    }

    #[test]
    fn when_to_come_back_is_told() {
        let told = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            let delay = answered(429, &headers, br#"{"internalCode":3040}"#).retry_after();
            delay.map(|delay| delay.as_millis())
        };
        assert_eq!(told(&[("retry-after", "2")]), Some(2_000));
        assert_eq!(
            told(&[("retry-after", "2"), ("retry-after-ms", "700")]),
            Some(700)
        );
        assert_eq!(told(&[("retry-after", "1e300")]), Some(86_400_000));
        for none in ["-1", "NaN", "soon", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(told(&[("retry-after", none)]), None, "{none}");
        }
        assert_eq!(told(&[]), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_an_error_without_a_panic(status in 300_u16..700, body in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(!answered(status, &HeaderMap::new(), &body).message().is_empty());
        }
    }
}
