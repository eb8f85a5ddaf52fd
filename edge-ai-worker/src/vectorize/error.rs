use edge_ai_core::{Error, ErrorKind};

use crate::error::Thrown;

/// The error that the binding threw: `<OPERATION>_ERROR (code = <code>): <text>`, or with the answer's status only.
pub(super) fn thrown(thrown: Thrown) -> Error {
    // `JSON.parse` of what the caller passed.
    if thrown.name == "SyntaxError" {
        return thrown
            .into_error(ErrorKind::InvalidRequest)
            .with_context("vectors");
    }
    if thrown.message.starts_with("Failed to parse body as JSON") {
        return thrown.into_error(ErrorKind::BadUpstream);
    }
    let Some((_operation, rest)) = thrown.message.split_once("_ERROR") else {
        // The binding's own checks and JavaScript's are type errors; the rest happened on the way.
        let kind = if thrown.name == "TypeError" {
            ErrorKind::InvalidRequest
        } else {
            ErrorKind::Unavailable
        };
        return thrown.into_error(kind);
    };
    if let Some((code, text)) = coded(rest) {
        return Error::new(kind(code), text).with_code(code.to_string());
    }
    if let Some(status) = rest
        .strip_prefix(": Status + ")
        .and_then(|status| status.trim().parse().ok())
    {
        return Error::new(
            by_status(status),
            format!("Vectorize answered with status {status}"),
        )
        .with_status(status);
    }
    Error::new(ErrorKind::InvalidRequest, rest.trim_start_matches(':').trim())
}

fn coded(rest: &str) -> Option<(u32, &str)> {
    let (code, text) = rest.strip_prefix(" (code = ")?.split_once("): ")?;
    Some((code.parse().ok()?, text))
}

fn kind(code: u32) -> ErrorKind {
    match code {
        40041 => ErrorKind::RateLimited,
        // 40006, 40010, 40012: another dimension. 40007: too many ids. 40008: an id over 64 bytes. 40023, 40026: not
        // the JSON that is asked for. 40025: too many matches with values or metadata.
        40_000..=40_999 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Unavailable,
    }
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        413 => ErrorKind::TooLarge,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(name: &str, message: &str) -> Error {
        thrown(Thrown {
            name: name.into(),
            code: None,
            retryable: None,
            message: message.into(),
        })
    }

    #[test]
    fn codes_become_kinds_and_stay() {
        for code in [40006, 40007, 40008, 40010, 40012, 40023, 40025, 40026] {
            let error = error(
                "Error",
                &format!("VECTOR_UPSERT_ERROR (code = {code}): what is wrong"),
            );
            assert_eq!(
                (error.kind(), error.is_retryable()),
                (ErrorKind::InvalidRequest, false)
            );
            assert_eq!(error.code(), Some(code.to_string().as_str()));
            assert_eq!(error.message(), "what is wrong");
        }
        let busy = error("Error", "VECTOR_QUERY_ERROR (code = 40041): Too Many Requests");
        assert_eq!(
            (busy.kind(), busy.is_retryable(), busy.status()),
            (ErrorKind::RateLimited, true, 429)
        );
    }

    #[test]
    fn a_bare_status_counts() {
        let slow = error("Error", "VECTOR_QUERY_ERROR: Status + 504");
        assert_eq!(
            (slow.kind(), slow.status(), slow.is_retryable()),
            (ErrorKind::Timeout, 504, true)
        );
        assert_eq!(
            error("Error", "VECTOR_QUERY_ERROR: Status + 500").kind(),
            ErrorKind::Unavailable
        );
        assert_eq!(error("Error", "VECTOR_GET_ERROR: odd").message(), "odd");
    }

    #[test]
    fn what_is_not_the_services_error_is_told_apart() {
        assert_eq!(
            error("SyntaxError", "Unexpected token").kind(),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            error("TypeError", "vectors.map is not a function").kind(),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            error("Error", "Network connection lost.").kind(),
            ErrorKind::Unavailable
        );
        assert_eq!(
            error("Error", "Failed to parse body as JSON, got: <html>").kind(),
            ErrorKind::BadUpstream
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_error_without_a_panic(text in "\\PC{0,60}", operation in "[A-Z_]{0,12}") {
            error("Error", &text);
            error("Error", &format!("{operation}_ERROR (code = {text}): {text}"));
        }
    }
}
