use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Native;

/// The result of everything in edge-ai.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is: what callers branch on, and what decides status and retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong and stays wrong: fix it. HTTP 400.
    InvalidRequest,
    /// No or unknown credentials. HTTP 401.
    Authentication,
    /// Known, but not allowed. HTTP 403.
    PermissionDenied,
    /// No such model, route or resource. HTTP 404.
    NotFound,
    /// The request or a part of it is over a size limit. HTTP 413.
    TooLarge,
    /// The prompt does not fit the model's context window; another model may take it. HTTP 400.
    ContextLength,
    /// The vendor refused the content. HTTP 400.
    ContentFiltered,
    /// The request needs something that the model or store does not have. HTTP 400.
    Unsupported,
    /// Too many requests or tokens for now. HTTP 429.
    RateLimited,
    /// A budget or a paid quota is used up; waiting does not help soon. HTTP 429.
    QuotaExceeded,
    /// No answer in time. HTTP 504.
    Timeout,
    /// The other side is overloaded, down or unreachable. HTTP 503.
    Unavailable,
    /// The other side answered something that is not an answer. HTTP 502.
    BadUpstream,
    /// A stream broke off before its end mark. HTTP 502 where headers are still unsent.
    Interrupted,
    /// The caller went away. HTTP 499 in logs.
    Cancelled,
    /// A binding, key or setting is missing or wrong: the operator's to fix. HTTP 500.
    Configuration,
    /// A defect of ours. HTTP 500.
    Internal,
}

impl ErrorKind {
    /// Whether the same request may succeed elsewhere or later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Timeout | Self::Unavailable | Self::BadUpstream | Self::Interrupted
        )
    }

    /// The HTTP status under which a client sees it.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextLength | Self::ContentFiltered | Self::Unsupported => 400,
            Self::Authentication => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::RateLimited | Self::QuotaExceeded => 429,
            Self::Cancelled => 499,
            Self::Configuration | Self::Internal => 500,
            Self::BadUpstream | Self::Interrupted => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The name in logs and usage records, such as `rate_limited`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Authentication => "authentication",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::ContextLength => "context_length",
            Self::ContentFiltered => "content_filtered",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::BadUpstream => "bad_upstream",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Configuration => "configuration",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The one error of edge-ai: a [kind](ErrorKind) to branch on, a message for a person, and the facts that a gateway
/// passes on: the field at fault, the vendor's own code, when to come back.
///
/// Messages start lower case, end without a period, and name the remedy where there is one.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::RateLimited, "too many requests").with_retry_after(Duration::from_secs(2));
/// assert!(error.is_retryable());
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    param: Option<String>,
    code: Option<String>,
    status: Option<u16>,
    provider: Option<String>,
    retryable: Option<bool>,
    retry_after: Option<Duration>,
    native: Option<Native>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            param: None,
            code: None,
            status: None,
            provider: None,
            retryable: None,
            retry_after: None,
            native: None,
            source: None,
        }))
    }

    /// A request that is wrong in the field `param`, such as `messages[2].content`.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_param(param)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// Adds a machine-readable code, the vendor's own where there is one.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds the HTTP status that the other side answered.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Names the provider that failed.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.0.provider = Some(provider.into());
        self
    }

    /// Overrides what the kind says about retrying.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = Some(retryable);
        self
    }

    /// Adds the time before which a retry is pointless.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Keeps the error body that the other side sent, for clients that speak its dialect.
    #[must_use]
    pub fn with_native(mut self, native: Native) -> Self {
        self.0.native = Some(native);
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Puts words before the message, keeping everything else.
    #[must_use]
    pub fn with_context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The field at fault.
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// The machine-readable code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The HTTP status for a client: the other side's own where it answered with an error, else the kind's.
    pub fn status(&self) -> u16 {
        self.0
            .status
            .filter(|status| (400..600).contains(status))
            .unwrap_or_else(|| self.0.kind.status())
    }

    /// The provider that failed.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// Whether the same request may succeed elsewhere or later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable.unwrap_or_else(|| self.0.kind.is_retryable())
    }

    /// The time before which a retry is pointless, where the other side said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The other side's own error body.
    pub fn native(&self) -> Option<&Native> {
        self.0.native.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(provider) = self.provider() {
            write!(f, "{provider}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(param) = self.param() {
            write!(f, " (field `{param}`)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("message", &self.0.message);
        for (name, value) in [
            ("param", &self.0.param),
            ("code", &self.0.code),
            ("provider", &self.0.provider),
        ] {
            if let Some(value) = value {
                debug.field(name, value);
            }
        }
        if let Some(status) = self.0.status {
            debug.field("status", &status);
        }
        if let Some(retry_after) = self.0.retry_after {
            debug.field("retry_after", &retry_after);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_provider_message_and_field() {
        let error = Error::invalid("model", "no such model").with_provider("openai");
        assert_eq!(error.to_string(), "openai: no such model (field `model`)");
    }

    #[test]
    fn the_other_sides_status_counts_only_when_it_is_an_error() {
        assert_eq!(
            Error::new(ErrorKind::BadUpstream, "x").with_status(200).status(),
            502
        );
        assert_eq!(
            Error::new(ErrorKind::Unavailable, "x").with_status(529).status(),
            529
        );
    }

    #[test]
    fn retryable_follows_the_kind_unless_told() {
        assert!(!Error::new(ErrorKind::InvalidRequest, "x").is_retryable());
        assert!(
            !Error::new(ErrorKind::Unavailable, "x")
                .with_retryable(false)
                .is_retryable()
        );
    }
}
