use edge_ai_core::{Error, ErrorKind};
use wasm_bindgen::JsValue;

use crate::bridge;

/// An error from whatever JavaScript threw, as owned data: its message, its `code` where it has one, and whether the
/// runtime says that it may be retried.
pub fn js_error(kind: ErrorKind, thrown: &JsValue) -> Error {
    Thrown::of(thrown).into_error(kind)
}

/// An error from the `worker` crate's, as owned data.
pub fn worker_error(kind: ErrorKind, error: worker::Error) -> Error {
    match error {
        worker::Error::UnknownJsError { original, .. } => js_error(kind, &original),
        worker::Error::Internal(thrown) => js_error(kind, &thrown),
        #[cfg(feature = "d1")]
        worker::Error::D1(error) => Error::new(kind, error.cause()),
        other => Error::new(kind, other.to_string()),
    }
}

/// What was thrown, read in one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Thrown {
    pub(crate) name: String,
    pub(crate) code: Option<String>,
    pub(crate) retryable: Option<bool>,
    pub(crate) message: String,
}

impl Thrown {
    pub(crate) fn of(value: &JsValue) -> Self {
        Self::read(&bridge::explain(value))
    }

    /// Three lines, then the message.
    fn read(text: &str) -> Self {
        let mut lines = text.splitn(4, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (name, code, retryable, message) = (line(), line(), line(), line());
        Self {
            name: name.to_owned(),
            code: Some(code).filter(|code| !code.is_empty()).map(str::to_owned),
            // Only the runtime's explicit yes or no counts.
            retryable: retryable.parse().ok(),
            message: message.to_owned(),
        }
    }

    pub(crate) fn into_error(self, kind: ErrorKind) -> Error {
        let mut error = Error::new(kind, self.message);
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        if let Some(retryable) = self.retryable {
            error = error.with_retryable(retryable);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_name_code_flags_and_a_message_of_several_lines() {
        let thrown = Thrown::read("TypeError\nE_X\ntrue\nfirst\nsecond");
        assert_eq!(thrown.name, "TypeError");
        let error = thrown.into_error(ErrorKind::Configuration);
        assert_eq!(error.code(), Some("E_X"));
        assert_eq!(error.message(), "first\nsecond");
        assert!(error.is_retryable());
    }

    #[test]
    fn a_thrown_string_is_its_own_message() {
        let error = Thrown::read("\n\n\nout of luck").into_error(ErrorKind::Unavailable);
        assert_eq!((error.message(), error.code()), ("out of luck", None));
    }

    #[test]
    fn owned_worker_errors_keep_their_text() {
        let error = worker_error(ErrorKind::Unavailable, worker::Error::JsError("gone".into()));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.message(), "gone");
    }
}
