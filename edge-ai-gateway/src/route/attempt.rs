use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Attempt, Clock, Context, Entropy, Error, ErrorKind, Result, SpanId, Timestamp, Usage};

use super::health::{Admission, Finding, Health};
use super::pace::Paces;
use super::retry::{RetryPolicy, Verdict};
use super::target::Target;
use crate::limit::{Asking, Estimate, Gate, Holds, Permit, Stage};
use crate::usage::PriceTable;

/// The way through a route's targets for one request.
pub(super) struct Attempts<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) health: &'a Health,
    pub(super) paces: &'a Paces,
    pub(super) policy: RetryPolicy,
    pub(super) context: &'a Context,
    /// The providers that are told of the trace.
    pub(super) told: &'a [Arc<str>],
    pub(super) stream: bool,
    pub(super) deadline: Timestamp,
    pub(super) gate: Option<&'a dyn Gate>,
    pub(super) prices: &'a PriceTable,
    /// The name that was asked for, and about how many tokens it takes: of input, and of output.
    pub(super) model: &'a str,
    pub(super) tokens: (u64, u64),
}

/// A target with what it answered so far.
struct Candidate {
    target: Target,
    /// Under which name it rests.
    rests_as: Arc<str>,
    tried: bool,
    /// Out for this request.
    out: bool,
    /// Not before.
    not_before: Option<Timestamp>,
}

/// What the calls so far have come to.
#[derive(Default)]
struct Tally {
    calls: u32,
    worst: Option<Error>,
}

impl Attempts<'_> {
    /// Calls the targets, by turns and rounds, until one answers. Those that rest come after the others, and those over a limit
    /// are not called. Each call gets the request's context with a span of its own; with the answer comes what the call has taken of
    /// the target's limits.
    ///
    /// # Errors
    /// The failure that helps the client most: one that may be over later, else the last one.
    pub(super) async fn run<T, F>(
        &self,
        targets: Vec<Target>,
        mut call: impl FnMut(Target, Context) -> F,
    ) -> Result<(T, Permit)>
    where
        F: Future<Output = Result<T>>,
    {
        let mut candidates: Vec<_> = targets
            .into_iter()
            .map(|target| Candidate::new(target, self.context))
            .collect();
        let mut tally = Tally::default();
        let mut due = self.clock.now();
        for round in 0..self.policy.rounds.max(1) {
            let mut held = Vec::new();
            for candidate in candidates.iter_mut().filter(|candidate| candidate.is_ready(due)) {
                self.check(&mut tally)?;
                // Who was waited for goes even when the clock is a moment behind.
                let now = self.clock.now().max(due);
                match self.health.admit(&candidate.rests_as, now) {
                    Admission::Open => held.push(candidate),
                    Admission::CoolingDown(until) => candidate.not_before = Some(until),
                    admission => {
                        if let Some(answer) =
                            self.attempt(candidate, admission, &mut tally, &mut call).await?
                        {
                            return Ok(answer);
                        }
                    }
                }
            }
            for candidate in held {
                self.check(&mut tally)?;
                let outcome = self.attempt(candidate, Admission::Open, &mut tally, &mut call);
                if let Some(answer) = outcome.await? {
                    return Ok(answer);
                }
            }
            let more = round + 1 < self.policy.rounds && candidates.iter().any(|candidate| !candidate.out);
            if !more {
                break;
            }
            let Some(reached) = self.pause(round, &candidates).await else {
                break;
            };
            due = reached;
        }
        // Nobody is refused on another request's word alone: whoever was left alone so far is asked after all.
        for candidate in candidates.iter_mut().filter(|candidate| !candidate.tried) {
            self.check(&mut tally)?;
            let outcome = self.attempt(candidate, Admission::Open, &mut tally, &mut call);
            if let Some(answer) = outcome.await? {
                return Ok(answer);
            }
        }
        Err(tally.error())
    }

    /// One call; `None` when it failed and another may not.
    async fn attempt<T, F>(
        &self,
        candidate: &mut Candidate,
        admission: Admission,
        tally: &mut Tally,
        call: &mut impl FnMut(Target, Context) -> F,
    ) -> Result<Option<(T, Permit)>>
    where
        F: Future<Output = Result<T>>,
    {
        let permit = match self.enter(&candidate.target).await {
            Ok(permit) => permit,
            Err(error) => {
                candidate.pass_over(&error, self.clock.now())?;
                tally.worst = Some(more_helpful(tally.worst.take(), error));
                return Ok(None);
            }
        };
        tally.calls += 1;
        let context = self.context_of(&candidate.target);
        let mut note = Note {
            attempts: self,
            start: self.clock.now(),
            admission,
            again: std::mem::replace(&mut candidate.tried, true),
            span: context.trace.as_ref().map(|trace| trace.span_id),
            target: Some(candidate.target.clone()),
            rests_as: Arc::clone(&candidate.rests_as),
        };
        let outcome = call(candidate.target.clone(), context).await;
        note.write(outcome.as_ref().err());
        let error = match outcome {
            Ok(answer) => return Ok(Some((answer, permit))),
            Err(error) => error,
        };
        permit.failed();
        match Verdict::on(&error) {
            Verdict::Stop => return Err(error),
            Verdict::Next => candidate.out = true,
            Verdict::Again => candidate.not_before = error.retry_after().map(|wait| self.clock.now() + wait),
        }
        tally.worst = Some(more_helpful(tally.worst.take(), error));
        Ok(None)
    }

    /// The request's context for one call.
    fn context_of(&self, target: &Target) -> Context {
        let mut context = self.context.clone();
        context.tell_trace = self.told.iter().any(|name| **name == *target.provider.name());
        context.trace = context.trace.map(|trace| trace.child(self.entropy));
        context
    }

    /// Holds a call to the limits of its target.
    async fn enter(&self, target: &Target) -> Result<Permit> {
        let gate = self.gate.filter(|gate| gate.has(Stage::Target, self.context));
        let Some(gate) = gate else {
            return Ok(Permit::default());
        };
        let provider = target.provider.name();
        let price = self.prices.get(provider, target.model());
        let (input, output) = self.tokens;
        let asking = Asking {
            stage: Stage::Target,
            context: self.context,
            model: self.model,
            target: Some((provider, target.model())),
            estimate: Estimate {
                input,
                output,
                cost: price.as_ref().map(|price| price.of(&Usage::new(input, output))),
            },
        };
        let mut holds = Holds::new(self.context.clone());
        gate.admit(&asking, &mut holds).await.inspect_err(|error| {
            let name = target.name();
            self.context
                .trail
                .warn(format!("`{name}` was passed over: {}", error.message()));
        })?;
        Ok(Permit::new(holds, input, price))
    }

    /// Waits for the next round, and says which time has come then; `None` when it would come too late.
    async fn pause(&self, round: u32, candidates: &[Candidate]) -> Option<Timestamp> {
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
        let pause = self.policy.pause(round, asked, self.entropy.next_u64())?;
        if now + pause >= self.deadline {
            return None;
        }
        self.clock.sleep(pause).await;
        Some(self.clock.now().max(now + asked.unwrap_or_default()))
    }

    /// Whether there is time and budget for a call.
    fn check(&self, tally: &mut Tally) -> Result<()> {
        if self.deadline <= self.clock.now() {
            return Err(Error::new(ErrorKind::Timeout, "the request's time is up"));
        }
        if tally.calls >= self.policy.max_attempts.max(1) {
            return Err(tally.error());
        }
        Ok(())
    }
}

impl Candidate {
    fn new(target: Target, context: &Context) -> Self {
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
    fn pass_over(&mut self, error: &Error, now: Timestamp) -> Result<()> {
        match error.kind() {
            ErrorKind::RateLimited | ErrorKind::QuotaExceeded | ErrorKind::Unavailable => {}
            _ => return Err(error.clone()),
        }
        self.not_before = error.retry_after().map(|wait| now + wait);
        self.out = !error.is_retryable();
        Ok(())
    }

    fn is_ready(&self, due: Timestamp) -> bool {
        !self.out && self.not_before.is_none_or(|time| time <= due)
    }
}

impl Tally {
    fn error(&mut self) -> Error {
        self.worst
            .take()
            .unwrap_or_else(|| Error::new(ErrorKind::Internal, "no target was tried"))
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

/// Notes a call, also one that is given up half way: in the request's trail, and for the requests to come.
struct Note<'a> {
    attempts: &'a Attempts<'a>,
    start: Timestamp,
    admission: Admission,
    /// Whether the request has called this target before.
    again: bool,
    span: Option<SpanId>,
    target: Option<Target>,
    rests_as: Arc<str>,
}

impl Note<'_> {
    fn write(&mut self, error: Option<&Error>) {
        let Some(target) = self.target.take() else { return };
        let now = self.attempts.clock.now();
        let latency = now.since(self.start);
        let attempt = Attempt::new(
            target.provider.name(),
            target.model(),
            error.map(Error::kind),
            latency,
        )
        .with_start(self.start, self.span);
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
        let in_haste = now >= deadline;
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
        health.note(&self.rests_as, finding, self.admission, self.start, now);
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
