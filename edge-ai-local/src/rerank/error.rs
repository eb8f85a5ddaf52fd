//! Errors of the rerankers' vendors: Cohere's `{"message"}`, the others' `{"detail"}`.

use serde_json::json;

use crate::reply::Reply;

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

    pub(super) fn told_by(&self, vendor: &str) -> Reply {
        let body = match vendor {
            "cohere" => json!({ "message": self.message }),
            _ => json!({ "detail": self.message }),
        };
        Reply::json(&body).with_status(self.status)
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        error.told_by("cohere")
    }
}

/// The error that goes with a status.
pub(crate) fn of_status(status: u16) -> Reply {
    let message = match status {
        401 => "invalid api token",
        403 => "this key may not do that",
        404 => "model not found",
        429 => "too many requests; please wait and try again",
        500.. => "internal server error",
        _ => "invalid request",
    };
    Error::of(status, message).into()
}
