mod candidate;
mod note;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use edge_ai_core::{Clock, Context, Entropy, Error, ErrorKind, Result, Timestamp, Usage};

use futures_util::future::{Either, select};

use super::budget::Budgets;
use super::health::{Admission, Health};
use super::pace::Paces;
use super::retry::{RetryPolicy, Verdict};
use super::target::Target;
use crate::limit::{Asking, Estimate, Gate, Holds, Permit, Stage};
use crate::usage::PriceTable;
use candidate::Candidate;
use note::Note;

/// The way through a route's targets for one request.
pub(super) struct Attempts<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) health: &'a Health,
    pub(super) paces: &'a Paces,
    pub(super) budgets: &'a Budgets,
    pub(super) policy: RetryPolicy,
    pub(super) context: &'a Context,
    /// The providers that are told of the trace.
    pub(super) told: &'a [Arc<str>],
    pub(super) stream: bool,
    pub(super) deadline: Timestamp,
    /// How long a call may take by the operator's word; the caller's may be shorter.
    pub(super) limit: Duration,
    pub(super) gate: Option<&'a dyn Gate>,
    pub(super) prices: &'a PriceTable,
    /// The name that was asked for, and about how many tokens it takes: of input, and of output.
    pub(super) model: &'a str,
    pub(super) tokens: (u64, u64),
}

/// What the calls so far have come to.
#[derive(Default)]
struct Tally {
    calls: u32,
    worst: Option<Error>,
}

/// A call under way, with the place of its candidate.
struct UnderWay<'a, F> {
    at: usize,
    note: Note<'a>,
    permit: Permit,
    call: Pin<Box<F>>,
}

/// How a call is let through.
struct Entry {
    at: usize,
    admission: Admission,
    /// Beside others that are under way.
    hedge: bool,
    permit: Permit,
}

/// What came first.
enum First<T> {
    /// The call at this place of those under way has ended.
    Ended(usize, Result<T>),
    /// It is time to ask another one as well.
    Late,
}

impl<'a> Attempts<'a> {
    /// Calls the targets, by turns and rounds, until one answers. Those that rest come after the others, and those over a limit
    /// are not called. Each call gets the request's context with a span of its own; with the answer comes what the call has taken of
    /// the target's limits.
    ///
    /// # Errors
    /// The failure that helps the client most: one that may be over later, else the last one.
    pub(super) async fn run<T, F>(
        &self,
        targets: Vec<Target>,
        call: impl Fn(Target, Context) -> F + Sync,
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
        self.budgets.retries.earn();
        for round in 0..self.policy.rounds.max(1) {
            let mut held = Vec::new();
            for at in 0..candidates.len() {
                let Some(candidate) = candidates.get_mut(at).filter(|candidate| candidate.is_ready(due))
                else {
                    continue;
                };
                if round == 0 && candidate.tried {
                    // A hedge was sooner there.
                    continue;
                }
                self.check(&mut tally)?;
                // Who was waited for goes even when the clock is a moment behind.
                let now = self.clock.now().max(due);
                match self.health.admit(&candidate.rests_as, self.tenant(), now) {
                    Admission::Open => held.push(at),
                    Admission::CoolingDown(until) => candidate.not_before = Some(until),
                    admission => {
                        if let Some(answer) = self
                            .attempt(&mut candidates, at, admission, &mut tally, &call)
                            .await?
                        {
                            return Ok(answer);
                        }
                    }
                }
            }
            for at in held {
                self.check(&mut tally)?;
                let outcome = self.attempt(&mut candidates, at, Admission::Open, &mut tally, &call);
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
        for at in 0..candidates.len() {
            if candidates
                .get(at)
                .is_none_or(|candidate| candidate.tried || candidate.out)
            {
                continue;
            }
            self.check(&mut tally)?;
            let outcome = self.attempt(&mut candidates, at, Admission::Open, &mut tally, &call);
            if let Some(answer) = outcome.await? {
                return Ok(answer);
            }
        }
        Err(tally.error())
    }

    /// One call, and those that are made beside it while it is slow; `None` when all of them failed and another may not.
    async fn attempt<T, F>(
        &self,
        candidates: &mut [Candidate],
        first: usize,
        admission: Admission,
        tally: &mut Tally,
        call: &(impl Fn(Target, Context) -> F + Sync),
    ) -> Result<Option<(T, Permit)>>
    where
        F: Future<Output = Result<T>>,
    {
        let Some(candidate) = candidates.get_mut(first) else {
            return Ok(None);
        };
        if candidate.tried && !self.budgets.retries.spend(self.clock.now()) {
            candidate.out = true;
            return Ok(None);
        }
        let permit = match self.enter(&candidate.target).await {
            Ok(permit) => permit,
            Err(error) => {
                candidate.pass_over(&error, self.clock.now())?;
                tally.worst = Some(more_helpful(tally.worst.take(), error));
                return Ok(None);
            }
        };
        let hedge = candidate.target.hedge;
        if hedge.is_some() {
            self.budgets.hedges.earn();
        }
        let mut extra = hedge.map_or(0, |hedge| hedge.max_extra);
        let mut last = first;
        let entry = Entry {
            at: first,
            admission,
            hedge: false,
            permit,
        };
        let mut under_way = vec![self.start(candidate, entry, tally, call)];
        while !under_way.is_empty() {
            let delay = self.hedge_delay(candidates.get(last)).filter(|_| extra > 0);
            let (place, outcome) = match self.first(&mut under_way, delay).await {
                First::Ended(place, outcome) => (place, outcome),
                First::Late => {
                    extra -= 1;
                    match self.next_hedge(candidates, tally).await {
                        Some(entry) => {
                            last = entry.at;
                            if let Some(candidate) = candidates.get_mut(last) {
                                under_way.push(self.start(candidate, entry, tally, call));
                            }
                        }
                        None => extra = 0,
                    }
                    continue;
                }
            };
            let mut ended = under_way.swap_remove(place);
            let error = match outcome {
                Ok(answer) => {
                    // They are given up before the answer is noted: the last attempt is the one that answered.
                    drop(under_way);
                    ended.note.write(None);
                    return Ok(Some((answer, ended.permit)));
                }
                Err(error) => error,
            };
            ended.note.write(Some(&error));
            ended.permit.failed();
            self.judge(candidates, ended.at, &error)?;
            tally.worst = Some(more_helpful(tally.worst.take(), error));
        }
        Ok(None)
    }

    /// Begins a call.
    fn start<T, F>(
        &self,
        candidate: &mut Candidate,
        entry: Entry,
        tally: &mut Tally,
        call: &(impl Fn(Target, Context) -> F + Sync),
    ) -> UnderWay<'_, F>
    where
        F: Future<Output = Result<T>>,
    {
        tally.calls += 1;
        let context = self.context_of(&candidate.target);
        // What was drawn first stays: a fallback answers for it.
        if let Some(variant) = &candidate.target.variant
            && self.context.trail.variant().is_none()
        {
            self.context.trail.set_variant(Arc::clone(variant));
        }
        let note = Note {
            attempts: self,
            start: self.clock.now(),
            admission: entry.admission,
            again: std::mem::replace(&mut candidate.tried, true),
            hedge: entry.hedge,
            span: context.trace.as_ref().map(|trace| trace.span_id),
            target: Some(candidate.target.clone()),
            rests_as: Arc::clone(&candidate.rests_as),
        };
        UnderWay {
            at: entry.at,
            note,
            permit: entry.permit,
            call: Box::pin(call(candidate.target.clone(), context)),
        }
    }

    /// Waits for the first call to end, or for `delay`.
    async fn first<T, F>(&self, under_way: &mut [UnderWay<'_, F>], delay: Option<Duration>) -> First<T>
    where
        F: Future<Output = Result<T>>,
    {
        let ended = poll_fn(|task| {
            for (place, one) in under_way.iter_mut().enumerate() {
                if let Poll::Ready(outcome) = one.call.as_mut().poll(task) {
                    return Poll::Ready(First::Ended(place, outcome));
                }
            }
            Poll::Pending
        });
        match delay {
            None => ended.await,
            Some(delay) => match select(ended, self.clock.sleep(delay)).await {
                Either::Left((first, _)) => first,
                Either::Right(_) => First::Late,
            },
        }
    }

    /// How long the call to a candidate may be silent until the next one is asked as well.
    fn hedge_delay(&self, candidate: Option<&Candidate>) -> Option<Duration> {
        let target = &candidate?.target;
        let after = target.hedge?.after;
        let measured = after
            .p95
            .then(|| self.paces.p95(target.name(), self.stream, self.clock.now()));
        measured.flatten().or(after.time)
    }

    /// Who is asked as well: the next one that has not been asked and does not rest, if there is budget for it.
    async fn next_hedge(&self, candidates: &mut [Candidate], tally: &Tally) -> Option<Entry> {
        let now = self.clock.now();
        if now >= self.deadline || tally.calls >= self.policy.max_attempts {
            return None;
        }
        let (at, candidate) = candidates
            .iter_mut()
            .enumerate()
            .find(|(_, candidate)| !candidate.tried && candidate.is_ready(now))?;
        // A probe belongs to a request that waits for it.
        let free = self.health.is_free(&candidate.rests_as, self.tenant(), now);
        if !free || !self.budgets.hedges.spend(now) {
            return None;
        }
        match self.enter(&candidate.target).await {
            Ok(permit) => Some(Entry {
                at,
                admission: Admission::Free,
                hedge: true,
                permit,
            }),
            Err(error) => {
                // Those under way are the request's hope, whatever the limits say.
                let _ = candidate.pass_over(&error, now);
                None
            }
        }
    }

    /// Draws the consequences of a failure.
    ///
    /// # Errors
    /// The failure, when nobody else is to be asked.
    fn judge(&self, candidates: &mut [Candidate], at: usize, error: &Error) -> Result<()> {
        let Some(failed) = candidates.get(at) else {
            return Ok(());
        };
        let target = failed.target.clone();
        let verdict = Verdict::on(error);
        let goes_on = match target.occasions {
            Some(occasions) => occasions.cover(error.kind()),
            None => verdict != Verdict::Stop,
        };
        if !goes_on && verdict != Verdict::Again {
            return Err(error.clone());
        }
        let too_long = error.kind() == ErrorKind::ContextLength;
        for (place, other) in candidates.iter_mut().enumerate() {
            if place == at {
                match verdict {
                    Verdict::Again => {
                        other.not_before = error.retry_after().map(|wait| self.clock.now() + wait)
                    }
                    Verdict::Next | Verdict::Stop => other.out = true,
                }
            } else if !goes_on || (too_long && !other.target.may_hold_more_than(&target)) {
                other.out = true;
            }
        }
        Ok(())
    }

    /// How long one call may take, by the caller's word or the operator's, and when the answer must be there.
    pub(super) fn patience(&self) -> (Duration, Timestamp) {
        let wish = self.context.retry.timeout;
        (
            wish.map_or(self.limit, |wish| wish.min(self.limit)),
            self.deadline,
        )
    }

    fn tenant(&self) -> Option<&'a str> {
        self.context.tenant.as_deref()
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
        let Some(gate) = self.gate else {
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
