use std::future::Future;
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
}

/// A target with what it answered so far.
struct Candidate {
    target: Target,
    /// Out for this request.
    out: bool,
    /// Not before.
    not_before: Option<Timestamp>,
}

impl Attempts<'_> {
    /// Calls the targets, by turns and rounds, until one answers.
    ///
    /// # Errors
    /// The failure of the last target that was called.
    pub(super) async fn run<T, F>(&self, targets: Vec<Target>, mut call: impl FnMut(Target) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut candidates: Vec<_> = targets
            .into_iter()
            .map(|target| Candidate {
                target,
                out: false,
                not_before: None,
            })
            .collect();
        let mut last = None;
        for round in 0..self.policy.rounds.max(1) {
            for candidate in candidates.iter_mut().filter(|candidate| !candidate.out) {
                if candidate.not_before.is_some_and(|time| time > self.clock.now()) {
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
                last = Some(error);
            }
            let more = round + 1 < self.policy.rounds && candidates.iter().any(|candidate| !candidate.out);
            if !more || !self.pause(round, &candidates).await {
                break;
            }
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no target was tried")))
    }

    async fn call<T, F>(&self, target: Target, call: &mut impl FnMut(Target) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let provider = target.provider.name().to_owned();
        let model = target.model.clone();
        let start = self.clock.now();
        let outcome = call(target).await;
        let error = outcome.as_ref().err().map(Error::kind);
        let latency = self.clock.now().since(start);
        self.context
            .trail
            .add_attempt(Attempt::new(provider, model, error, latency));
        outcome
    }

    /// Waits for the next round; `false` when it would come too late.
    async fn pause(&self, round: u32, candidates: &[Candidate]) -> bool {
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
        if self
            .context
            .deadline
            .is_some_and(|deadline| now + pause >= deadline)
        {
            return false;
        }
        self.clock.sleep(pause).await;
        true
    }

    fn check_deadline(&self) -> Result<()> {
        match self.context.deadline {
            Some(deadline) if deadline <= self.clock.now() => {
                Err(Error::new(ErrorKind::Timeout, "the request's time is up"))
            }
            _ => Ok(()),
        }
    }
}
