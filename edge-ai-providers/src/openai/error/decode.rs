use std::borrow::Cow;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Native};
use http::HeaderMap;
use serde_json::value::RawValue;

use crate::openai::CHAT;
use crate::retry_after::retry_after;
use crate::wire::{Fields, Path, elements};

/// The most of a body without structure that goes into a message, in characters.
const SNIPPET: usize = 300;

/// Reads the error of OpenAI or a compatible server: message, field, code, kind, and when to come back. A body of OpenAI's shape
/// is kept for clients of the dialect.
///
/// `x-should-retry`, where the server sends it, decides about retrying.
pub fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    let report = std::str::from_utf8(&body).ok().and_then(Report::read);
    let structured = report.as_ref().is_some_and(|report| report.structured);
    let report = report.unwrap_or_else(|| Report::of_text(status, &body));
    let mut error = report.into_error(Some(status)).with_status(status);
    if structured {
        error = error.with_native(Native::new(CHAT, body));
    }
    if let Some(delay) = retry_after(headers) {
        error = error.with_retry_after(delay);
    }
    match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"true") => error.with_retryable(true),
        Some(b"false") => error.with_retryable(false),
        _ => error,
    }
}

/// The error that stands in the place of an answer or of a stream's chunk; `None` when there is none in the text.
pub(crate) fn error_in_body(text: &str) -> Option<Error> {
    let report = Report::read(text)?;
    let native = report
        .structured
        .then(|| Native::new(CHAT, Bytes::copy_from_slice(text.as_bytes())));
    let error = report.into_error(None);
    Some(match native {
        Some(native) => error.with_native(native),
        None => error,
    })
}

/// The error of a choice that ended with one, as OpenRouter's do when a vendor fails in the middle of an answer.
pub(crate) fn error_in_choice(reason: Option<&str>, error: Option<&RawValue>) -> Option<Error> {
    let error = error.filter(|error| error.get() != "null");
    if reason != Some("error") && error.is_none() {
        return None;
    }
    let body = format!(r#"{{"error":{}}}"#, error.map_or("{}", RawValue::get));
    error_in_body(&body)
}

/// What an error's body says.
#[derive(Debug, Default)]
struct Report {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
    /// The shape is OpenAI's.
    structured: bool,
}

impl Report {
    fn read(text: &str) -> Option<Self> {
        // Google's are in an array.
        if text.trim_start().starts_with('[') {
            let first = elements(text, &Path::ROOT).ok()?.into_iter().next()?;
            let report = Self::read(first)?;
            return Some(Self {
                structured: false,
                ..report
            });
        }
        let mut body = Fields::parse(text, Path::ROOT).ok()?;
        match body.take_raw("error") {
            Some(error) if error.starts_with('{') => {
                let mut report = Self::of_fields(Fields::parse(error, Path::ROOT).ok()?);
                report.structured = report.message.is_some();
                Some(report)
            }
            Some(error) => {
                let message = word(error);
                Some(Self {
                    message,
                    ..Self::of_fields(body)
                })
            }
            None => {
                // vLLM's older shape, FastAPI's, and that of proxies in front.
                let is_error = word(body.take_raw("object").unwrap_or_default()).as_deref() == Some("error");
                let report = Self::of_fields(body);
                (is_error || report.message.is_some()).then_some(report)
            }
        }
    }

    fn of_fields(mut fields: Fields<'_>) -> Self {
        let mut take = |name: &str| fields.take_raw(name).and_then(word);
        let message = take("message").or_else(|| take("detail"));
        Self {
            message,
            kind: take("type"),
            code: take("code"),
            param: take("param"),
            structured: false,
        }
    }

    fn of_text(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        // The page of a proxy helps nobody.
        let message = (!text.is_empty() && !text.starts_with('<')).then(|| {
            format!(
                "HTTP {status}: {}",
                text.chars().take(SNIPPET).collect::<String>()
            )
        });
        Self {
            message,
            ..Self::default()
        }
    }

    fn into_error(self, status: Option<u16>) -> Error {
        // Some servers give the HTTP status as the code, also in streams.
        let status = status.or_else(|| self.code.as_deref()?.parse().ok());
        let kind = self.kind_by_words().or_else(|| status.map(kind_by_status));
        let kind = kind
            .or_else(|| self.kind_by_type())
            .unwrap_or(ErrorKind::Unavailable);
        let message = self.message.unwrap_or_else(|| match status {
            Some(status) => format!("the server answered with HTTP {status}"),
            None => String::from("the server reported an error without a message"),
        });
        let mut error = Error::new(kind, message);
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        if let Some(param) = self.param {
            error = error.with_param(param);
        }
        if matches!(status, Some(501 | 505)) {
            error = error.with_retryable(false);
        }
        error
    }

    /// The kinds that the status alone does not tell.
    fn kind_by_words(&self) -> Option<ErrorKind> {
        let is = |words: &[&str]| {
            let has = |text: &Option<String>| text.as_deref().is_some_and(|text| words.contains(&text));
            has(&self.code) || has(&self.kind)
        };
        if is(&["context_length_exceeded", "exceed_context_size_error"])
            || self.says("maximum context length")
        {
            Some(ErrorKind::ContextLength)
        } else if is(&["content_filter", "content_policy_violation", "moderation_blocked"]) {
            Some(ErrorKind::ContentFiltered)
        } else if is(&[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
        ]) {
            Some(ErrorKind::QuotaExceeded)
        } else if is(&["rate_limit_exceeded"]) {
            Some(ErrorKind::RateLimited)
        } else if self.param.as_deref() == Some("reasoning_effort") && self.says("/v1/responses") {
            // GPT-5.6 and newer think and call tools together in the Responses API alone: another model can answer.
            Some(ErrorKind::Unsupported)
        } else if is(&["model_not_found"]) {
            Some(ErrorKind::NotFound)
        } else if is(&["invalid_api_key"]) {
            Some(ErrorKind::Authentication)
        } else {
            None
        }
    }

    /// The kind where there is no status, as in a stream.
    fn kind_by_type(&self) -> Option<ErrorKind> {
        Some(match self.kind.as_deref()? {
            "invalid_request_error" | "BadRequestError" => ErrorKind::InvalidRequest,
            "authentication_error" => ErrorKind::Authentication,
            "permission_error" => ErrorKind::PermissionDenied,
            "not_found_error" | "NotFoundError" => ErrorKind::NotFound,
            "rate_limit_error" | "requests" | "tokens" => ErrorKind::RateLimited,
            "timeout" | "timeout_error" => ErrorKind::Timeout,
            _ => return None,
        })
    }

    fn says(&self, words: &str) -> bool {
        self.message
            .as_deref()
            .is_some_and(|message| message.contains(words))
    }
}

/// The kind by HTTP status.
const fn kind_by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Authentication,
        402 => ErrorKind::QuotaExceeded,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        // 524 is Cloudflare's.
        408 | 504 | 524 => ErrorKind::Timeout,
        // A lock that was not free, and a request that came too early.
        409 | 425 => ErrorKind::Unavailable,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::BadUpstream,
    }
}

/// A string, or a number or other value as its text. Nothing for `null` and for an empty string.
fn word(text: &str) -> Option<String> {
    let text = if text.starts_with('"') {
        serde_json::from_str::<Cow<'_, str>>(text).ok()?
    } else {
        Cow::Borrowed(serde_json::from_str::<&RawValue>(text).ok()?.get())
    };
    (!text.is_empty() && text != "null").then(|| text.into_owned())
}
