//! What a client is told.

use edge_ai_core::{Error, ErrorKind};

use crate::guard::Phase;

/// The code of a request or an answer that a guard refused.
pub(super) const BLOCKED: &str = "guardrail_blocked";

/// What was found, without the text.
#[derive(Clone, Debug)]
pub(super) struct Refused<'a> {
    pub(super) phase: Phase,
    pub(super) guard: &'a str,
    pub(super) category: &'a str,
    pub(super) place: &'a str,
    pub(super) detail: Option<&'a str>,
}

impl Refused<'_> {
    /// The request or the answer is refused.
    pub(super) fn error(&self) -> Error {
        let Self {
            phase,
            guard,
            category,
            place,
            detail,
        } = self;
        let mut message = format!(
            "the {} was blocked by the guard `{guard}`: {category}",
            phase.as_str()
        );
        if let Some(detail) = detail {
            message.push_str(&format!(" ({detail})"));
        }
        if *phase == Phase::Answer && !place.is_empty() {
            message.push_str(&format!(" in {place}"));
        }
        let error = Error::new(ErrorKind::ContentFiltered, message).with_code(BLOCKED);
        match phase {
            Phase::Request if !place.is_empty() => error.with_param(*place),
            _ => error,
        }
    }

    /// What the model is told, when it is asked again.
    pub(super) fn reason(&self) -> String {
        match self.detail {
            Some(detail) => format!("{}: {detail}", self.category),
            None => self.category.to_owned(),
        }
    }
}

/// A guard failed, and nothing goes through without it.
pub(super) fn failed(guard: &str, error: &Error) -> Error {
    let message = format!("the guard `{guard}` could not tell, and nothing goes through without it");
    // What lies between the guard and the model that it asks is the operator's.
    let kind = match error.kind() {
        ErrorKind::Configuration
        | ErrorKind::Timeout
        | ErrorKind::RateLimited
        | ErrorKind::InvalidRequest => error.kind(),
        _ => ErrorKind::Unavailable,
    };
    let mut told = Error::new(kind, message)
        .with_code("guardrail_failed")
        .with_source(error.clone());
    if let Some(wait) = error.retry_after() {
        told = told.with_retry_after(wait);
    }
    told
}
