use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind};

use crate::openai::CHAT;
use crate::wire::write_object;

/// Writes an error for a client of OpenAI's dialect: `{"error":{"message","type","param","code"}}`. One that came in this
/// dialect goes out as it is.
pub fn encode_error(error: &Error) -> Bytes {
    if let Some(native) = error.native().filter(|native| native.dialect == CHAT) {
        return native.body.clone();
    }
    let body = write_object(|object| {
        object.object("error", |object| {
            object.field("message", error.message());
            object.field("type", kind_type(error.kind()));
            object.field("param", error.param());
            object.field("code", error.code().or_else(|| kind_code(error)));
            Ok(())
        })
    });
    // Nothing that is written here fails.
    body.unwrap_or_default().into()
}

/// OpenAI's `type`. A wrong key and an unknown model are invalid requests to it; the code tells them apart.
const fn kind_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Authentication
        | ErrorKind::NotFound
        | ErrorKind::TooLarge
        | ErrorKind::ContextLength
        | ErrorKind::ContentFiltered
        | ErrorKind::Unsupported => "invalid_request_error",
        ErrorKind::PermissionDenied => "permission_error",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::QuotaExceeded => "insufficient_quota",
        _ => "server_error",
    }
}

/// OpenAI's `code` where it has one for the kind.
fn kind_code(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::InvalidRequest => None,
        ErrorKind::Authentication => Some("invalid_api_key"),
        ErrorKind::NotFound if error.param() == Some("model") => Some("model_not_found"),
        ErrorKind::TooLarge => Some("request_too_large"),
        ErrorKind::ContextLength => Some("context_length_exceeded"),
        ErrorKind::ContentFiltered => Some("content_filter"),
        ErrorKind::Unsupported => Some("unsupported_parameter"),
        ErrorKind::RateLimited => Some("rate_limit_exceeded"),
        ErrorKind::QuotaExceeded => Some("insufficient_quota"),
        kind => Some(kind.as_str()),
    }
}
