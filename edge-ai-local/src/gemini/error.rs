//! Google's errors: `{"error": {"code", "message", "status", "details"}}`.

use serde_json::{Value, json};

use crate::reply::{Frame, Payload, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    message: String,
    details: Vec<Value>,
}

impl Error {
    pub(crate) fn of(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            details: Vec::new(),
        }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::of(400, message)
    }

    /// A field that Google does not know, or that does not fit.
    pub(super) fn field(field: &str, message: &str) -> Self {
        let mut error = Self::invalid(message);
        error.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": field, "description": message }] }));
        error
    }

    pub(super) fn reason(mut self, reason: &str) -> Self {
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com" }));
        self
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::json(&body(
            error.status,
            name(error.status),
            &error.message,
            &error.details,
        ))
        .with_status(error.status)
    }
}

fn body(code: u16, status: &str, message: &str, details: &[Value]) -> Value {
    let mut body = json!({ "error": { "code": code, "message": message, "status": status } });
    if let (false, Some(error)) = (details.is_empty(), body.get_mut("error")) {
        crate::json::set(error, "details", details);
    }
    body
}

fn name(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// The error that Google gives with a status; its codes are its statuses.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let message = match status {
        401 => "Request had invalid authentication credentials.",
        403 => "Your API key was reported as leaked. Please use another API key.",
        404 => "Requested entity was not found.",
        413 => "Request payload size exceeds the limit: 20971520 bytes.",
        429 => "You exceeded your current quota, please check your plan and billing details.",
        503 => "The model is overloaded. Please try again later.",
        504 => "Deadline expired before operation could complete.",
        500.. => {
            "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
        }
        _ => "Request contains an invalid argument.",
    };
    Reply::json(&body(status, code.unwrap_or(name(status)), message, &[])).with_status(status)
}

/// The same error with the wait where Google tells it, in `RetryInfo`.
pub(crate) fn with_retry(mut reply: Reply, seconds: u64) -> Reply {
    if let Payload::Whole { bytes, .. } = &mut reply.payload
        && let Ok(mut body) = serde_json::from_slice::<Value>(bytes)
        && let Some(error) = body.get_mut("error")
    {
        let info = json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") });
        crate::json::set(error, "details", vec![info]);
        *bytes = body.to_string().into();
    }
    reply
}

/// An error inside a stream that has begun.
pub(crate) fn frame() -> Frame {
    let message = "The model is overloaded. Please try again later.";
    Frame::data(body(503, "UNAVAILABLE", message, &[]))
}
