use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind};

use super::MESSAGES;
use crate::wire::write_object;

/// Writes an error for a client of Anthropic's dialect: `{"type":"error","error":{"type","message"},"request_id":null}`. One that
/// came in this dialect goes out as it is.
///
/// The dialect has no place for the field at fault: its name stands before the message, as Anthropic writes it.
pub fn encode_error(error: &Error) -> Bytes {
    if let Some(native) = error.native().filter(|native| native.dialect == MESSAGES) {
        return native.body.clone();
    }
    let body = write_object(|object| {
        object.field("type", "error");
        object.object("error", |detail| {
            detail.field("type", kind_type(error.kind()));
            detail.field("message", message(error));
            Ok(())
        })?;
        object.raw("request_id", "null");
        Ok(())
    });
    // Nothing that is written here fails.
    body.unwrap_or_default().into()
}

fn message(error: &Error) -> String {
    match error.param() {
        Some(param) if !param.is_empty() => format!("{param}: {}", error.message()),
        _ => error.message().to_owned(),
    }
}

/// Anthropic's `type`, by which its SDKs and [`decode_error`](super::decode_error) tell errors apart.
const fn kind_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered
        | ErrorKind::Unsupported => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::PermissionDenied => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::QuotaExceeded => "billing_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Unavailable => "overloaded_error",
        _ => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anthropic::decode_error;
    use edge_ai_core::Native;
    use http::HeaderMap;
    use serde_json::{Value, json};

    #[test]
    fn the_field_is_in_the_message() {
        let error = Error::invalid("messages[0].role", "must be user or assistant");
        assert_eq!(
            serde_json::from_slice::<Value>(&encode_error(&error)).unwrap(),
            json!({"type": "error", "request_id": null, "error":
                {"type": "invalid_request_error", "message": "messages[0].role: must be user or assistant"}})
        );
        let body = Error::invalid("", "not JSON");
        assert!(
            encode_error(&body)
                .windows(10)
                .any(|text| text == b"\"not JSON\"")
        );
    }

    #[test]
    fn kinds_survive_the_dialect() {
        for kind in [
            ErrorKind::InvalidRequest,
            ErrorKind::Authentication,
            ErrorKind::PermissionDenied,
            ErrorKind::NotFound,
            ErrorKind::TooLarge,
            ErrorKind::RateLimited,
            ErrorKind::QuotaExceeded,
            ErrorKind::Timeout,
            ErrorKind::Unavailable,
        ] {
            let error = Error::new(kind, "x");
            let read = decode_error(error.status(), &HeaderMap::new(), encode_error(&error));
            assert_eq!((read.kind(), read.status()), (kind, error.status()));
        }
        for kind in [
            ErrorKind::BadUpstream,
            ErrorKind::Interrupted,
            ErrorKind::Cancelled,
            ErrorKind::Configuration,
            ErrorKind::Internal,
        ] {
            let body: Value = serde_json::from_slice(&encode_error(&Error::new(kind, "x"))).unwrap();
            assert_eq!(body["error"]["type"], "api_error");
        }
    }

    #[test]
    fn the_vendors_own_words_stay() {
        let text = Bytes::from_static(
            br#"{ "type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        );
        let error = Error::new(ErrorKind::Unavailable, "Overloaded");
        let native = error.clone().with_native(Native::new(MESSAGES, text.clone()));
        assert_eq!(encode_error(&native), text);
        let foreign = error.with_native(Native::new(crate::openai::CHAT, text.clone()));
        assert_ne!(encode_error(&foreign), text);
    }
}
