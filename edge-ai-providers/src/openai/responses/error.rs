use edge_ai_core::{Error, ErrorKind};
use serde_json::value::RawValue;

use crate::openai::error::error_in_body;

/// The error of a response that failed, or of an `error` event: an object with a message and a code.
pub(super) fn decode(error: Option<&RawValue>) -> Error {
    let text = error.map(RawValue::get).filter(|text| text.starts_with('{'));
    let body = format!(r#"{{"error":{}}}"#, text.unwrap_or("{}"));
    let error = error_in_body(&body).unwrap_or_else(|| {
        Error::new(
            ErrorKind::Unavailable,
            "the server reported an error without a message",
        )
    });
    match error.code() {
        Some(code) if is_request(code) && error.kind() != ErrorKind::InvalidRequest => {
            let mut told = Error::new(ErrorKind::InvalidRequest, error.message()).with_code(code.to_owned());
            if let Some(native) = error.native() {
                told = told.with_native(native.clone());
            }
            told
        }
        _ => error,
    }
}

/// Whether a code is about the request, which stays wrong: a prompt that is refused, a picture that does not read.
fn is_request(code: &str) -> bool {
    code.starts_with("invalid_") && code != "invalid_api_key"
        || code.starts_with("image_")
        || matches!(
            code,
            "unsupported_image_media_type" | "empty_image_file" | "failed_to_download_image"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_whose_fault_it_is() {
        let kind = |json: &str| decode(Some(&RawValue::from_string(json.into()).unwrap())).kind();
        for (json, expect) in [
            (r#"{"code":"server_error","message":"m"}"#, ErrorKind::Unavailable),
            (
                r#"{"code":"rate_limit_exceeded","message":"m"}"#,
                ErrorKind::RateLimited,
            ),
            (
                r#"{"code":"invalid_prompt","message":"m"}"#,
                ErrorKind::InvalidRequest,
            ),
            (
                r#"{"code":"image_too_small","message":"m"}"#,
                ErrorKind::InvalidRequest,
            ),
            (
                r#"{"code":"context_length_exceeded","message":"m"}"#,
                ErrorKind::ContextLength,
            ),
            ("7", ErrorKind::Unavailable),
        ] {
            assert_eq!(kind(json), expect, "{json}");
        }
    }
}
