use std::fmt::Display;

use bytes::Bytes;
use edge_ai_core::{Body, Context, Error, ErrorKind};
use edge_ai_providers::openai;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

/// An answer of JSON.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that arrives as events.
pub(super) fn event_stream(body: Body) -> Response<Body> {
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

/// A failure in OpenAI's words.
pub(crate) fn error_response(error: &Error) -> Response<Body> {
    let error = for_client(error);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, openai::encode_error(&error));
    let headers = response.headers_mut();
    if let Some(wait) = error.retry_after() {
        set(
            headers,
            "retry-after",
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        );
        set(headers, "retry-after-ms", wait.as_nanos().div_ceil(1_000_000));
    }
    response
}

/// What a client may know of a failure. That a vendor refuses the gateway's own key is not the client's 401, and the vendor's words about it
/// may show a part of the key.
pub(super) fn for_client(error: &Error) -> Error {
    match (error.kind(), error.provider()) {
        (ErrorKind::Authentication, Some(provider)) => {
            let message = format!(
                "{provider} refused the gateway's credentials; its operator has to check the API key"
            );
            Error::new(ErrorKind::BadUpstream, message)
                .with_provider(provider)
                .with_code("provider_authentication_failed")
        }
        _ => error.clone(),
    }
}

/// Tells what was done for the request.
pub(super) fn tell(context: &Context, headers: &mut HeaderMap) {
    if let Some(status) = context.trail.cache() {
        set(headers, "x-edge-ai-cache", status);
    }
    let attempts = context.trail.attempts();
    if let Some(last) = attempts.last() {
        set(headers, "x-edge-ai-provider", &last.provider);
        set(headers, "x-edge-ai-model", &last.model);
        set(headers, "x-edge-ai-attempts", attempts.len());
    }
}

/// Keeps the client's own retries from multiplying with those that were made here.
pub(super) fn tell_retried(context: &Context, error: &Error, headers: &mut HeaderMap) {
    if error.is_retryable() && context.trail.attempts().len() > 1 {
        set(headers, "x-should-retry", false);
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: impl Display) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
