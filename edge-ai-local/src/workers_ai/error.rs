//! Workers AI's errors: `{"name", "internalCode", "httpCode", "message", "description"}`.

use serde_json::json;

use crate::reply::{Frame, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    code: u32,
    message: String,
    description: String,
}

impl Error {
    fn new(status: u16, code: u32, kind: &str, description: impl Into<String>) -> Self {
        let description = description.into();
        Self {
            status,
            code,
            message: format!("AiError: {kind}: {description}"),
            description,
        }
    }

    pub(crate) fn of(status: u16, description: &str) -> Self {
        let code = if status == 413 { 3006 } else { 5004 };
        Self::new(status, code, "Bad input", description)
    }

    /// The inputs do not fit the model's schema.
    pub(super) fn input(problem: impl std::fmt::Display) -> Self {
        Self::new(400, 5006, "Bad input", format!("Error: {problem}"))
    }

    /// The stand-in itself failed.
    pub(super) fn internal(problem: &str) -> Self {
        Self::new(500, 5000, "Internal error", problem)
    }

    pub(super) fn no_model(model: &str) -> Self {
        Self::new(400, 5007, "Not found", format!("No such model {model} or task"))
    }

    pub(super) fn retired(model: &str) -> Self {
        Self::new(410, 5028, "Gone", format!("{model} has been shut down"))
    }

    pub(super) fn context(estimated: usize, limit: usize) -> Self {
        let text = format!(
            "The estimated number of input and maximum output tokens ({estimated}) exceeded this model context window \
             limit ({limit})."
        );
        Self {
            status: 413,
            code: 5021,
            message: format!("AiError: {text}"),
            description: text,
        }
    }

    /// The answer was cut off before it was the JSON that was asked for.
    pub(super) fn json_mode() -> Self {
        let text = "JSON Model couldn't be met";
        Self {
            status: 403,
            code: 5024,
            message: format!("AiError: {text}"),
            description: text.into(),
        }
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> u32 {
        self.code
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.description
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::json(&json!({
            "name": "AiError", "internalCode": error.code, "httpCode": error.status,
            "message": error.message, "description": error.description,
        }))
        .with_status(error.status)
    }
}

/// The error that Workers AI gives with a status.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let code = code.and_then(|code| code.parse().ok());
    let (usual, text) = match status {
        429 if code == Some(3036) => (
            3036,
            "Account limited: you have used up your daily free allocation",
        ),
        400 => (5004, "Invalid data"),
        401 | 403 => (5018, "This account is not allowed to access this model"),
        404 => (3042, "Invalid model ID"),
        405 => (5019, "Deprecated SDK version"),
        408 => (3007, "Request timeout"),
        413 => (3006, "Request is too large"),
        429 => (3040, "Capacity temporarily exceeded, please try again."),
        _ => (3043, "Internal server error"),
    };
    let code = code.unwrap_or(usual);
    Error {
        status,
        code,
        message: format!("AiError: {text}"),
        description: text.into(),
    }
    .into()
}

/// An error inside a stream that has begun.
pub(crate) fn frame() -> Frame {
    Frame::data(
        json!({ "errors": [{ "code": 3040, "message": "Capacity temporarily exceeded, please try again." }] }),
    )
}
