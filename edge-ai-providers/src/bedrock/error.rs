use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind};
use http::HeaderMap;

use crate::quote::quote;
use crate::retry_after::retry_after;
use crate::wire::{Fields, Path};

/// Reads an error of Bedrock's: kind and code by the exception that `x-amzn-errortype` or the body names, or by the status where a proxy
/// answered in its place, and `retry-after`.
///
/// Source: <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>.
pub fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (told_type, told) = std::str::from_utf8(&body).map_or((None, None), read);
    let exception = text("x-amzn-errortype").map(str::to_owned).or(told_type);
    let message = told.unwrap_or_else(|| {
        let quote = quote(&body);
        if quote.is_empty() || quote.starts_with('<') {
            format!("status {status} without a message")
        } else {
            quote
        }
    });
    // The identifier by which AWS's support finds the request.
    let message = match text("x-amzn-requestid") {
        Some(id) => format!("{message} (request {id})"),
        None => message,
    };
    let error = match exception.as_deref().map(plain) {
        Some(exception) => {
            let kind = kind_of(exception, &message).unwrap_or_else(|| kind_of_status(status));
            Error::new(kind, message).with_code(exception)
        }
        None => Error::new(kind_of_status(status), message),
    };
    let error = error.with_status(status);
    match retry_after(headers) {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

/// The error of an exception within a stream.
pub(super) fn from_exception(exception: &str, payload: &[u8]) -> Error {
    let exception = plain(exception);
    let told = std::str::from_utf8(payload).ok().and_then(|text| read(text).1);
    let message = told.unwrap_or_else(|| format!("`{exception}` without a message"));
    let kind = kind_of(exception, &message).unwrap_or(ErrorKind::BadUpstream);
    Error::new(kind, message).with_code(exception)
}

/// The exception's name and the message that a body has.
fn read(text: &str) -> (Option<String>, Option<String>) {
    let Ok(mut body) = Fields::parse(text, Path::ROOT) else {
        return (None, None);
    };
    let mut take = |names: [&str; 2]| {
        let found = names
            .into_iter()
            .find_map(|name| body.take::<String>(name).ok().flatten());
        found.filter(|text| !text.is_empty())
    };
    (take(["__type", "code"]), take(["message", "Message"]))
}

/// The name alone, of one such as `com.amazon.coral.service#ThrottlingException:http://…`.
fn plain(exception: &str) -> &str {
    let name = exception.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}

fn kind_of(exception: &str, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    // In a stream their names begin with a small letter.
    let mut name = exception.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(match name.as_str() {
        "AccessDeniedException" if says(&["api key", "bearer token"]) => ErrorKind::Authentication,
        "AccessDeniedException" => ErrorKind::PermissionDenied,
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized" => ErrorKind::Authentication,
        "ThrottlingException" if says(&["per day", "daily"]) => ErrorKind::QuotaExceeded,
        "ThrottlingException" | "TooManyRequestsException" => ErrorKind::RateLimited,
        "ServiceQuotaExceededException" => ErrorKind::QuotaExceeded,
        "ModelTimeoutException" => ErrorKind::Timeout,
        "ModelNotReadyException" | "ServiceUnavailableException" | "InternalServerException" => {
            ErrorKind::Unavailable
        }
        "ModelErrorException" | "ModelStreamErrorException" => ErrorKind::BadUpstream,
        "ResourceNotFoundException" | "UnknownOperationException" => ErrorKind::NotFound,
        "ConflictException" => ErrorKind::InvalidRequest,
        "ValidationException" => {
            if says(&["model identifier is invalid", "model id is invalid"]) {
                ErrorKind::NotFound
            } else if says(&[
                "input is too long",
                "prompt is too long",
                "too many input tokens",
                "too many tokens",
                "context limit",
                "context window",
                "maximum context length",
            ]) {
                ErrorKind::ContextLength
            } else if says(&["blocked by our content", "content filter"]) {
                ErrorKind::ContentFiltered
            } else if says(&[
                "doesn't support",
                "does not support",
                "not supported by this model",
            ]) {
                ErrorKind::Unsupported
            } else {
                ErrorKind::InvalidRequest
            }
        }
        _ => return None,
    })
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        424 => ErrorKind::BadUpstream,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::BadUpstream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn decode(status: u16, exception: &str, message: &str) -> Error {
        let mut headers = HeaderMap::new();
        if !exception.is_empty() {
            headers.insert("x-amzn-errortype", exception.parse().unwrap());
        }
        let body = serde_json::json!({"message": message}).to_string();
        decode_error(status, &headers, body.into())
    }

    #[test]
    fn kinds_by_exception() {
        for (status, exception, message, kind) in [
            (
                403,
                "AccessDeniedException",
                "You don't have access to the model",
                ErrorKind::PermissionDenied,
            ),
            (
                403,
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
                ErrorKind::Authentication,
            ),
            (
                403,
                "UnrecognizedClientException:http://internal.amazon.com/",
                "The security token is invalid",
                ErrorKind::Authentication,
            ),
            (
                403,
                "com.amazon.coral.service#InvalidSignatureException",
                "Signature expired",
                ErrorKind::Authentication,
            ),
            (
                429,
                "ThrottlingException",
                "Too many requests",
                ErrorKind::RateLimited,
            ),
            (
                429,
                "ThrottlingException",
                "Too many tokens per day, please wait",
                ErrorKind::QuotaExceeded,
            ),
            (
                400,
                "ServiceQuotaExceededException",
                "no",
                ErrorKind::QuotaExceeded,
            ),
            (408, "ModelTimeoutException", "slow", ErrorKind::Timeout),
            (
                429,
                "ModelNotReadyException",
                "warming up",
                ErrorKind::Unavailable,
            ),
            (424, "ModelErrorException", "failed", ErrorKind::BadUpstream),
            (
                404,
                "ResourceNotFoundException",
                "no such ARN",
                ErrorKind::NotFound,
            ),
            (500, "InternalServerException", "oh", ErrorKind::Unavailable),
            (
                503,
                "ServiceUnavailableException",
                "later",
                ErrorKind::Unavailable,
            ),
            (
                400,
                "ValidationException",
                "The provided model identifier is invalid.",
                ErrorKind::NotFound,
            ),
            (
                400,
                "ValidationException",
                "Input is too long for requested model.",
                ErrorKind::ContextLength,
            ),
            (
                400,
                "ValidationException",
                "This model doesn't support tool use.",
                ErrorKind::Unsupported,
            ),
            (
                400,
                "ValidationException",
                "messages.0: bad",
                ErrorKind::InvalidRequest,
            ),
            (503, "BrandNewException", "?", ErrorKind::Unavailable),
            (403, "", "Forbidden", ErrorKind::PermissionDenied),
        ] {
            let error = decode(status, exception, message);
            assert_eq!(error.kind(), kind, "{exception}: {message}");
            assert_eq!((error.status(), error.message()), (status, message));
        }
        assert_eq!(
            decode(429, "com.x#ThrottlingException:http://y", "m").code(),
            Some("ThrottlingException")
        );
    }

    #[test]
    fn the_head_tells_when_to_come_back_and_which_request_it_was() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "2".parse().unwrap());
        headers.insert("x-amzn-requestid", "abc".parse().unwrap());
        let body = Bytes::from_static(br#"{"__type":"x#ThrottlingException","Message":"slow"}"#);
        let error = decode_error(429, &headers, body);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(error.message(), "slow (request abc)");
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }

    #[test]
    fn a_proxy_in_between_is_no_vendor() {
        let error = decode_error(502, &HeaderMap::new(), Bytes::from_static(b"<html>"));
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Unavailable, "status 502 without a message")
        );
    }

    #[test]
    fn an_exception_within_a_stream_is_told_by_its_name() {
        let error = from_exception("throttlingException", br#"{"message":"slow"}"#);
        assert_eq!(
            (error.kind(), error.code(), error.message()),
            (ErrorKind::RateLimited, Some("throttlingException"), "slow")
        );
        assert_eq!(from_exception("new", b"?").kind(), ErrorKind::BadUpstream);
    }
}
