//! Anthropic's errors: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use serde_json::{Value, json};

use crate::json::set;
use crate::reply::{Frame, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    message: String,
}

impl Error {
    pub(crate) fn of(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::of(400, message)
    }

    pub(super) fn required(field: impl std::fmt::Display) -> Self {
        Self::invalid(&format!("{field}: Field required"))
    }

    pub(super) fn reply(&self, request_id: Option<&str>) -> Reply {
        let mut body = body(kind(self.status), &self.message);
        if let Some(id) = request_id {
            set(&mut body, "request_id", id);
        }
        Reply::json(&body).with_status(self.status)
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        error.reply(None)
    }
}

fn body(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The error that Anthropic gives with a status; its codes are its error types.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let message = match status {
        401 => "invalid x-api-key",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => "The requested resource could not be found.",
        413 => "Request exceeds the maximum size",
        429 => "This request would exceed your organization's rate limit. Please try again later.",
        504 => "The request timed out while processing.",
        529 => "Overloaded",
        500.. => "Internal server error",
        _ => "The request is invalid.",
    };
    Reply::json(&body(code.unwrap_or(kind(status)), message)).with_status(status)
}

/// An error inside a stream that has begun.
pub(crate) fn frame() -> Frame {
    Frame::event("error", body("overloaded_error", "Overloaded"))
}
