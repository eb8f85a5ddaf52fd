use edge_ai_core::{Body, Error};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

/// An error as a client sees it.
pub(super) fn response(error: &Error) -> Response<Body> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = shown(status, error.kind().as_str(), error.message(), error.param());
    if let Some(wait) = error.retry_after() {
        let seconds = wait.as_millis().div_ceil(1_000);
        let seconds = HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX));
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(http::header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// The body of an error.
pub(super) fn body(error: &Error) -> serde_json::Value {
    content(error.kind().as_str(), error.message(), error.param())
}

pub(super) fn shown(status: StatusCode, kind: &str, message: &str, param: Option<&str>) -> Response<Body> {
    super::json_bytes(status, content(kind, message, param).to_string().into_bytes())
}

fn content(kind: &str, message: &str, param: Option<&str>) -> serde_json::Value {
    let mut error = json!({"type": kind, "message": message});
    if let (Some(param), Some(error)) = (param, error.as_object_mut()) {
        error.insert("param".to_owned(), param.into());
    }
    json!({"error": error})
}
