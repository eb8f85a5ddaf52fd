use std::sync::Arc;

use edge_ai_core::{Context, Error, ErrorKind, Result, Timestamp};

use crate::route::target::Target;

/// A target with what it answered so far.
pub(super) struct Candidate {
    pub(super) target: Target,
    /// Under which name it rests.
    pub(super) rests_as: Arc<str>,
    pub(super) tried: bool,
    /// Out for this request.
    pub(super) out: bool,
    /// Not before.
    pub(super) not_before: Option<Timestamp>,
}

impl Candidate {
    pub(super) fn new(target: Target, context: &Context) -> Self {
        // What a caller's own key meets is no news for those with other keys.
        let rests_as = match context.credentials.get(target.provider.name()) {
            Some(own) => format!("{} {}", target.name(), own.id).into(),
            None => Arc::clone(target.name()),
        };
        Self {
            target,
            rests_as,
            tried: false,
            out: false,
            not_before: None,
        }
    }

    /// It is over a limit: not before that lets it in.
    ///
    /// # Errors
    /// The error, when it is none of a limit.
    pub(super) fn pass_over(&mut self, error: &Error, now: Timestamp) -> Result<()> {
        match error.kind() {
            ErrorKind::RateLimited | ErrorKind::QuotaExceeded | ErrorKind::Unavailable => {}
            _ => return Err(error.clone()),
        }
        self.not_before = error.retry_after().map(|wait| now + wait);
        self.out = !error.is_retryable();
        Ok(())
    }

    pub(super) fn is_ready(&self, due: Timestamp) -> bool {
        !self.out && self.not_before.is_none_or(|time| time <= due)
    }
}
