//! AWS's errors: the exception's name in `x-amzn-errortype`, and `{"message"}`.

use serde_json::json;

use crate::reply::{Frame, Reply};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    name: String,
    message: String,
}

impl Error {
    pub(crate) fn of(status: u16, message: &str) -> Self {
        Self {
            status,
            name: name(status).to_owned(),
            message: message.to_owned(),
        }
    }

    pub(super) fn invalid(message: impl AsRef<str>) -> Self {
        Self::of(400, message.as_ref())
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::json(&json!({ "message": error.message }))
            .with_status(error.status)
            .with_header("x-amzn-errortype", error.name)
    }
}

/// The exception that goes with a status.
fn name(status: u16) -> &'static str {
    match status {
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    }
}

/// The error that Bedrock gives with a status; its codes are its exceptions.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let message = match status {
        401 => "The security token included in the request is invalid.",
        403 => "You don't have access to the model with the specified model ID.",
        404 => "Could not resolve the foundation model from the provided model identifier.",
        408 => "The request took too long to process. Processing time exceeded the model timeout length.",
        424 => "The request failed due to an error while processing the model.",
        429 => "Too many requests, please wait before trying again.",
        503 => "The service isn't currently available. Try again later.",
        500.. => "An internal server error occurred. Retry your request.",
        _ => "The request is not valid.",
    };
    let error = Error::of(status, message);
    match code {
        Some(code) => error.named(code),
        None => error,
    }
    .into()
}

/// An exception inside a stream that has begun.
pub(crate) fn frame() -> Frame {
    let message = "The service isn't currently available. Try again later.";
    Frame::aws_exception("serviceUnavailableException", json!({ "message": message }))
}
