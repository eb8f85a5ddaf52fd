use std::fmt::Display;

use bytes::Bytes;
use edge_ai_core::{Body, CacheStatus, Context, Error, ErrorKind};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::client::Client;
use crate::limit::whole_seconds;

/// An answer of JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that arrives as events.
pub(crate) fn event_stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The gateway is up. It says nothing of providers: those are told by their answers.
pub(crate) fn health() -> Response<Body> {
    json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}"))
}

/// A failure in the client's words.
pub(crate) fn error_response(client: Client, error: &Error) -> Response<Body> {
    let error = for_client(error);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, client.encode_error(&error));
    let headers = response.headers_mut();
    if let Some(wait) = error.retry_after() {
        set(headers, "retry-after", whole_seconds(wait));
        set(headers, "retry-after-ms", wait.as_nanos().div_ceil(1_000_000));
    }
    if !error.is_retryable() {
        tell_not_to_retry(headers);
    }
    response
}

/// What a client may know of a failure.
///
/// What is wrong with the request is told in full, in the vendor's own words where it speaks the client's dialect. What lies between the
/// gateway and a vendor is the operator's: the vendor's words about it can show a part of a key, an organization, or an address, and its
/// 401 is not the client's. The operator finds them in the usage record.
pub(crate) fn for_client(error: &Error) -> Error {
    let Some(provider) = error.provider() else {
        return error.clone();
    };
    let (kind, message) = match error.kind() {
        ErrorKind::Authentication | ErrorKind::PermissionDenied => (
            ErrorKind::BadUpstream,
            "refused the gateway's credentials; its operator has to check the API key",
        ),
        ErrorKind::QuotaExceeded => (ErrorKind::QuotaExceeded, "has no quota left for this gateway"),
        ErrorKind::RateLimited => (
            ErrorKind::RateLimited,
            "takes no more requests from this gateway for now",
        ),
        ErrorKind::Unavailable => (ErrorKind::Unavailable, "is overloaded, down or out of reach"),
        _ => return error.clone(),
    };
    let mut told = Error::new(kind, format!("{provider} {message}")).with_retryable(error.is_retryable());
    if kind == error.kind() {
        told = told.with_status(error.status());
    }
    if let Some(code) = error.code() {
        told = told.with_code(code);
    }
    if let Some(wait) = error.retry_after() {
        told = told.with_retry_after(wait);
    }
    told
}

/// Tells what was done for the request.
pub(crate) fn tell(context: &Context, headers: &mut HeaderMap) {
    if let Some(status) = context.trail.cache() {
        set(headers, "x-edge-ai-cache", status);
        // Cloudflare AI Gateway has two words, and none for a cache that was not asked.
        if status != CacheStatus::Bypass {
            let word = if status.is_free() { "HIT" } else { "MISS" };
            set(headers, "cf-aig-cache-status", word);
        }
    }
    if let Some(age) = context.trail.cache_age() {
        set(headers, "age", age.as_secs());
    }
    let guards = guards(context);
    if !guards.is_empty() {
        set(headers, "x-edge-ai-guardrails", guards);
    }
    if let Some(variant) = context.trail.variant() {
        set(
            headers,
            "x-edge-ai-variant",
            utf8_percent_encode(&variant, UNSAFE),
        );
    }
    let attempts = context.trail.attempts();
    if let Some(last) = attempts.last() {
        set(
            headers,
            "x-edge-ai-provider",
            utf8_percent_encode(&last.provider, UNSAFE),
        );
        set(
            headers,
            "x-edge-ai-model",
            utf8_percent_encode(&last.model, UNSAFE),
        );
        set(headers, "x-edge-ai-attempts", attempts.len());
    }
}

/// What guards have done, each once: `redact pii, flag injection`. A stream's head knows only what was done about the request.
fn guards(context: &Context) -> String {
    let notes = context.trail.guards();
    let mut told: Vec<(&str, &str)> = Vec::new();
    for note in &notes {
        let done = (note.action.as_str(), note.guard.as_str());
        if !told.contains(&done) {
            told.push(done);
        }
    }
    let told: Vec<String> = told
        .into_iter()
        .map(|(action, guard)| format!("{action} {}", utf8_percent_encode(guard, UNSAFE)))
        .collect();
    told.join(", ")
}

/// Keeps a client's own retries from adding to those that were made here, or to a failure that stays.
pub(super) fn tell_not_to_retry(headers: &mut HeaderMap) {
    headers.insert("x-should-retry", HeaderValue::from_static("false"));
}

/// What a header's value cannot carry as it is.
const UNSAFE: &AsciiSet = CONTROLS;

fn set(headers: &mut HeaderMap, name: &'static str, value: impl Display) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{GuardAction, GuardNote};
    use std::time::Duration;

    #[test]
    fn what_lies_between_gateway_and_vendor_stays_there() {
        let error = Error::new(ErrorKind::RateLimited, "limit reached in organization org-1")
            .with_provider("openai")
            .with_status(429)
            .with_code("rate_limit_exceeded")
            .with_retry_after(Duration::MAX);
        let told = for_client(&error);
        assert!(!told.to_string().contains("org-1"));
        assert_eq!((told.status(), told.code()), (429, Some("rate_limit_exceeded")));
        assert!(told.is_retryable());
        assert_eq!(
            error_response(Client::OpenAi, &error).headers()["retry-after"],
            u64::MAX.to_string()
        );
    }

    #[test]
    fn what_guards_did_is_told_once() {
        let context = Context::default();
        for place in ["messages[0]", "messages[1]"] {
            let note = GuardNote::new("pii", "email", GuardAction::Redact, place);
            context.trail.add_guard(note);
        }
        context.trail.add_guard(GuardNote::new(
            "injection",
            "override",
            GuardAction::Flag,
            "messages[1]",
        ));
        let mut headers = HeaderMap::new();
        tell(&context, &mut headers);
        assert_eq!(headers["x-edge-ai-guardrails"], "redact pii, flag injection");
    }

    #[test]
    fn a_vendors_refusal_of_our_key_is_not_the_clients() {
        for kind in [ErrorKind::Authentication, ErrorKind::PermissionDenied] {
            let error = Error::new(kind, "bad key sk-1")
                .with_provider("openai")
                .with_status(401);
            let response = error_response(Client::OpenAi, &error);
            assert_eq!(response.status(), 502);
            assert_eq!(response.headers()["x-should-retry"], "false");
        }
    }

    #[test]
    fn what_is_wrong_with_the_request_is_told_in_full() {
        let error = Error::invalid("temperature", "too hot")
            .with_provider("openai")
            .with_status(400);
        assert_eq!(for_client(&error).message(), "too hot");
    }
}
