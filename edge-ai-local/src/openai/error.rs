//! OpenAI's errors: `{"error": {"message", "type", "param", "code"}}`.

use serde_json::json;

use crate::reply::{Frame, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<String>,
}

impl Error {
    pub(crate) fn invalid(message: &str) -> Self {
        Self {
            status: 400,
            message: message.to_owned(),
            kind: "invalid_request_error",
            param: None,
            code: None,
        }
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::invalid(&format!("Missing required parameter: '{param}'."))
            .param(param)
            .code("missing_required_parameter")
    }

    pub(crate) fn wrong_type(param: &str, expected: &str, got: &serde_json::Value) -> Self {
        let got = match got {
            serde_json::Value::Null => "null",
            serde_json::Value::Bool(_) => "a boolean",
            serde_json::Value::Number(n) if n.is_f64() => "a decimal",
            serde_json::Value::Number(_) => "an integer",
            serde_json::Value::String(_) => "a string",
            serde_json::Value::Array(_) => "an array",
            serde_json::Value::Object(_) => "an object",
        };
        Self::invalid(&format!(
            "Invalid type for '{param}': expected {expected}, but got {got} instead."
        ))
        .param(param)
        .code("invalid_type")
    }

    /// The stand-in itself failed.
    pub(crate) fn internal(message: &str) -> Self {
        Self {
            kind: "server_error",
            ..Self::invalid(message).status(500)
        }
    }

    pub(crate) fn no_model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Self::invalid(&message).status(404).code("model_not_found")
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        let body = json!({ "error": {
            "message": error.message, "type": error.kind, "param": error.param, "code": error.code } });
        Self::json(&body).with_status(error.status)
    }
}

/// The error that OpenAI gives with a status.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let (message, kind, usual) = match status {
        429 if code == Some("insufficient_quota") => (
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            None,
        ),
        401 => (
            "Incorrect API key provided.",
            "invalid_request_error",
            Some("invalid_api_key"),
        ),
        403 => (
            "You are not allowed to use this model.",
            "invalid_request_error",
            Some("unsupported_country_region_territory"),
        ),
        404 => (
            "The model does not exist or you do not have access to it.",
            "invalid_request_error",
            Some("model_not_found"),
        ),
        429 => (
            "Rate limit reached for requests. Please try again later.",
            "requests",
            Some("rate_limit_exceeded"),
        ),
        503 => (
            "The engine is currently overloaded, please try again later.",
            "server_error",
            None,
        ),
        500.. => (
            "The server had an error while processing your request. Sorry about that!",
            "server_error",
            None,
        ),
        _ => ("The request is invalid.", "invalid_request_error", None),
    };
    let code = code.or(usual).map(str::to_owned);
    Error {
        status,
        message: message.to_owned(),
        kind,
        param: None,
        code,
    }
    .into()
}

/// An error inside a stream that has begun.
pub(crate) fn frame() -> Frame {
    Frame::data(json!({ "error": {
        "message": "The server had an error while processing your request. Sorry about that!",
        "type": "server_error", "param": null, "code": null } }))
}
