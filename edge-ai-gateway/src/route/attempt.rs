use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Attempt, Clock, Context, Entropy, Error, ErrorKind, Result, Timestamp};

use super::retry::{RetryPolicy, Verdict};
use super::table::Target;

/// The way through a route's targets for one request.
pub(super) struct Attempts<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) policy: RetryPolicy,
    pub(super) context: &'a Context,
    pub(super) deadline: Timestamp,
}

/// A target with what it answered so far.
struct Candidate<'a> {
    target: &'a Target,
    /// Out for this request.
    out: bool,
    /// Not before.
    not_before: Option<Timestamp>,
}

impl Attempts<'_> {
    /// Calls the targets, by turns and rounds, until one answers.
    ///
    /// # Errors
    /// The failure that helps the client most: one that may be over later, else the last one.
    pub(super) async fn run<T, F>(
        &self,
        targets: Arc<[Target]>,
        mut call: impl FnMut(Target) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let candidate = |target| Candidate {
            target,
            out: false,
            not_before: None,
        };
        let mut candidates: Vec<_> = targets.iter().map(candidate).collect();
        let mut worst = None;
        for round in 0..self.policy.rounds.max(1) {
            let now = self.clock.now();
            let first = candidates
                .iter()
                .filter(|candidate| !candidate.out)
                .filter_map(|candidate| candidate.not_before)
                .min();
            for candidate in candidates.iter_mut().filter(|candidate| !candidate.out) {
                // The one that was waited for goes even when the clock is a moment behind.
                if candidate
                    .not_before
                    .is_some_and(|time| time > now && Some(time) != first)
                {
                    continue;
                }
                self.check_deadline()?;
                let error = match self.call(candidate.target.clone(), &mut call).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                match Verdict::on(&error) {
                    Verdict::Stop => return Err(error),
                    Verdict::Next => candidate.out = true,
                    Verdict::Again => {
                        candidate.not_before = error.retry_after().map(|wait| self.clock.now() + wait);
                    }
                }
                worst = Some(more_helpful(worst, error));
            }
            let more = round + 1 < self.policy.rounds && candidates.iter().any(|candidate| !candidate.out);
            if !more || !self.pause(round, &candidates).await {
                break;
            }
        }
        Err(worst.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no target was tried")))
    }

    async fn call<T, F>(&self, target: Target, call: &mut impl FnMut(Target) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut note = Note {
            attempts: self,
            start: self.clock.now(),
            target: Some(target.clone()),
        };
        let outcome = call(target).await;
        note.write(outcome.as_ref().err());
        outcome
    }

    /// Waits for the next round; `false` when it would come too late.
    async fn pause(&self, round: u32, candidates: &[Candidate<'_>]) -> bool {
        let now = self.clock.now();
        let asked = candidates
            .iter()
            .filter(|candidate| !candidate.out)
            .map(|candidate| {
                candidate
                    .not_before
                    .map_or(Duration::ZERO, |time| time.since(now))
            })
            .min()
            .filter(|wait| !wait.is_zero());
        let Some(pause) = self.policy.pause(round, asked, self.entropy.next_u64()) else {
            return false;
        };
        if now + pause >= self.deadline {
            return false;
        }
        self.clock.sleep(pause).await;
        true
    }

    fn check_deadline(&self) -> Result<()> {
        if self.deadline <= self.clock.now() {
            return Err(Error::new(ErrorKind::Timeout, "the request's time is up"));
        }
        Ok(())
    }
}

/// A failure that may be over later tells the client to come back, and the sooner the better.
fn more_helpful(known: Option<Error>, new: Error) -> Error {
    let Some(known) = known else { return new };
    match (known.is_retryable(), new.is_retryable()) {
        (true, false) => known,
        (true, true)
            if known
                .retry_after()
                .zip(new.retry_after())
                .is_some_and(|(known, new)| known < new) =>
        {
            known
        }
        _ => new,
    }
}

/// Notes a call in the request's trail, also one that is given up half way.
struct Note<'a> {
    attempts: &'a Attempts<'a>,
    start: Timestamp,
    target: Option<Target>,
}

impl Note<'_> {
    fn write(&mut self, error: Option<&Error>) {
        if let Some(target) = self.target.take() {
            let latency = self.attempts.clock.now().since(self.start);
            let attempt = Attempt::new(
                target.provider.name(),
                &*target.model,
                error.map(Error::kind),
                latency,
            );
            let attempt = match error {
                Some(error) => attempt.with_message(error.message()),
                None => attempt,
            };
            self.attempts.context.trail.add_attempt(attempt);
        }
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.write(Some(&Error::new(
            ErrorKind::Cancelled,
            "given up while it was under way",
        )));
    }
}
