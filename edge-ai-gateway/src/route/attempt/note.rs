use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Attempt, Error, ErrorKind, SpanId, Timestamp};

use super::Attempts;
use crate::route::health::{Admission, Finding, Witness};
use crate::route::target::Target;

/// Notes a call, also one that is given up half way: in the request's trail, and for the requests to come.
pub(super) struct Note<'a> {
    pub(super) attempts: &'a Attempts<'a>,
    pub(super) start: Timestamp,
    pub(super) admission: Admission,
    /// Whether the request has called this target before.
    pub(super) again: bool,
    /// Whether it is made beside another one.
    pub(super) hedge: bool,
    pub(super) span: Option<SpanId>,
    pub(super) target: Option<Target>,
    pub(super) rests_as: Arc<str>,
}

impl Note<'_> {
    pub(super) fn write(&mut self, error: Option<&Error>) {
        let Some(target) = self.target.take() else { return };
        let now = self.attempts.clock.now();
        let latency = now.since(self.start);
        let attempt = Attempt::new(
            target.provider.name(),
            target.model(),
            error.map(Error::kind),
            latency,
        )
        .with_start(self.start, self.span)
        .with_hedge(self.hedge);
        let attempt = match error {
            Some(error) => attempt.with_message(error.message()),
            None => attempt,
        };
        self.attempts.context.trail.add_attempt(attempt);
        self.learn(target.name(), error, latency, now);
    }

    fn learn(&self, target: &Arc<str>, error: Option<&Error>, latency: Duration, now: Timestamp) {
        let Attempts {
            health,
            paces,
            stream,
            deadline,
            ..
        } = *self.attempts;
        // The caller's haste is not the target's fault.
        let wish = self.attempts.context.retry.timeout;
        let hasty = wish.is_some_and(|wish| wish < self.attempts.limit && wish <= latency);
        let in_haste = hasty || now >= deadline;
        let finding = match error {
            None => Finding::Works,
            Some(error) if error.kind() == ErrorKind::Timeout && in_haste => Finding::Nothing,
            // One request is one witness, however often it tries.
            Some(error) if self.again => Finding::of(error).repeated(),
            Some(error) => Finding::of(error),
        };
        match error {
            None => paces.took(target, stream, latency, now),
            Some(error) if error.kind() == ErrorKind::Timeout && !in_haste => {
                paces.took(target, stream, latency, now);
            }
            Some(_) => paces.took_at_least(target, stream, latency, now),
        }
        let witness = Witness {
            tenant: self.attempts.tenant(),
            began: self.start,
            admission: self.admission,
        };
        health.note(&self.rests_as, finding, witness, now);
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.write(Some(&Error::new(
            ErrorKind::Cancelled,
            "given up while it was under way; what it costs is unknown",
        )));
    }
}
