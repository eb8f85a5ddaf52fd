use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::fast::RandomState;
use futures_util::FutureExt;

use super::local::{Local, Try};
use super::{LeaseGrant, LeaseOffice};
use crate::limit::{LimitAccount, LimitBackend, LimitHold, LimitKey, LimitOutcome, LimitRule};
use crate::{Clock, Context, Entropy, Error, ErrorKind, Result, Timestamp, timeout};

/// How an isolate goes about leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseOptions {
    /// How long a lease lasts without news; 30 seconds unless told.
    pub lease: Duration,
    /// How long a request waits for the office when nothing is at hand; half a second unless told.
    pub wait: Duration,
    /// The share of the amount, in thousandths, that an isolate lets in before it has its first lease, without waiting; none unless told.
    pub credit_per_mille: u16,
    /// What happens while the office cannot be reached.
    pub fallback: LeaseFallback,
}

/// What happens to requests that no lease covers while the office cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseFallback {
    /// Each isolate counts by itself, up to a share of the amount in thousandths.
    Local {
        /// The share.
        per_mille: u16,
    },
    /// They are refused: `503`.
    Closed,
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            wait: Duration::from_millis(500),
            credit_per_mille: 0,
            fallback: LeaseFallback::Local { per_mille: 50 },
        }
    }
}

impl LeaseOptions {
    /// Sets [`lease`](Self::lease); at least a second.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        let lease = lease.max(Duration::from_secs(1));
        Self { lease, ..self }
    }

    /// Sets [`wait`](Self::wait).
    #[must_use]
    pub const fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Sets [`credit_per_mille`](Self::credit_per_mille).
    #[must_use]
    pub const fn credit_per_mille(self, credit_per_mille: u16) -> Self {
        Self {
            credit_per_mille,
            ..self
        }
    }

    /// Sets [`fallback`](Self::fallback).
    #[must_use]
    pub const fn fallback(self, fallback: LeaseFallback) -> Self {
        Self { fallback, ..self }
    }
}

/// Counts for all isolates together: each takes parts of the amount on lease from an [office](LeaseOffice), and lets requests in from its part.
///
/// While a lease is at hand a request does no I/O. Before it runs low, a request's [background](Context::background) asks for more. A request waits for the
/// office only when nothing is at hand, as on the first one of an isolate, unless it is let in on credit.
///
/// # The bound
///
/// With an amount *A* and *N* isolates, what is let in for a calendar window is at most
///
/// > *A* + *N · C* + *N · F* + *S*
///
/// and in a sliding window of length *W*, between any two moments that are *t* apart, the same with *A · (1 + t / W)* in the place of *A*:
/// - *C* is the credit of an isolate before its first lease, none unless told;
/// - *F* is what an isolate lets in by itself while the office cannot be reached, per window: the fallback's share of *A*, nothing when it is closed;
/// - *S* is by how much the requests under way turned out larger than their estimates.
///
/// With the office in reach and no credit, that is exactly *A*. Leases end by the time that passed since the question, so clocks need not agree. The simulation
/// `cargo xtask bench limit-leases` measures it over fifty isolates.
///
/// An isolate that dies takes the rest of its lease along: until the window ends, or in a sliding window until it drains, that part is not let in.
#[derive(Debug)]
pub struct LeasedLimits<O> {
    shared: Arc<Shared<O>>,
}

#[derive(Debug)]
struct Shared<O> {
    office: O,
    clock: Arc<dyn Clock>,
    isolate: u64,
    options: LeaseOptions,
    leases: Mutex<HashMap<String, Entry, RandomState>>,
}

#[derive(Debug, Default)]
struct Entry {
    local: Local,
    /// What was let in while the office could not be reached.
    alone: LimitAccount,
    /// Until when it is not waited for.
    down: Timestamp,
}

impl<O: LeaseOffice> LeasedLimits<O> {
    /// How many leases an isolate holds; one that is forgotten with something in it is lost until it ends, so nobody gains by it.
    pub const CAPACITY: usize = 10_000;

    /// Leases from `office`, under a name of chance.
    pub fn new(office: O, clock: Arc<dyn Clock>, entropy: &dyn Entropy, options: LeaseOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                office,
                clock,
                isolate: entropy.next_u64(),
                options,
                leases: Mutex::default(),
            }),
        }
    }

    fn refresh(&self, key: &LimitKey, context: &Context) {
        let Some(background) = &context.background else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let now = shared.clock.now();
        if !shared.with(key, |entry| entry.local.begin_refresh(now)) {
            return;
        }
        let key = key.clone();
        background.run(async move { drop(shared.ask(&key, 0).await) }.boxed());
    }
}

impl<O: LeaseOffice> Shared<O> {
    fn with<T>(&self, key: &LimitKey, f: impl FnOnce(&mut Entry) -> T) -> T {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let name = key.name();
        if !leases.contains_key(&name) && leases.len() >= LeasedLimits::<O>::CAPACITY {
            let now = self.clock.now();
            let before = leases.len();
            leases.retain(|_, entry| !entry.local.is_idle(now));
            if leases.len() == before {
                leases.clear();
            }
        }
        f(leases.entry(name).or_default())
    }

    /// Asks the office and takes over its answer.
    async fn ask(&self, key: &LimitKey, need: u64) -> Result<LeaseGrant> {
        let asked = self.clock.now();
        let ask = self.with(key, |entry| {
            entry.local.ask(&key.rule, self.isolate, need, self.options.lease)
        });
        let answer = timeout(&*self.clock, self.options.wait, self.office.lease(key, ask)).await;
        self.with(key, |entry| match &answer {
            Ok(grant) => entry.local.granted(grant, asked, need),
            Err(_) => entry.down = self.clock.now() + PAUSE,
        });
        answer
    }

    fn take(&self, key: &LimitKey, amount: u64) -> Try {
        let (now, options) = (self.clock.now(), &self.options);
        let credit = share(&key.rule, options.credit_per_mille);
        self.with(key, |entry| {
            entry.local.take(&key.rule, now, amount, credit, options.lease)
        })
    }

    /// Without the office.
    fn take_alone(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome> {
        let LeaseFallback::Local { per_mille } = self.options.fallback else {
            let message = format!("the limit `{}` cannot be counted now; try again", key.rule.name);
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_code("limit_unavailable")
                .with_retry_after(PAUSE));
        };
        let now = self.clock.now();
        let rule = alone(&key.rule, per_mille);
        let outcome = self.with(key, |entry| entry.alone.take(&rule, now, amount));
        context.trail.warn(format!(
            "the limit `{}` was counted in the isolate: its Durable Object could not be reached",
            key.rule.name
        ));
        Ok(LimitOutcome {
            hold: LimitHold {
                amount: outcome.hold.amount,
                epoch: outcome.hold.epoch | ALONE,
            },
            // A smaller share is not for ever.
            retry_after: if amount <= key.rule.amount {
                outcome.retry_after.min(PAUSE)
            } else {
                outcome.retry_after
            },
            ..outcome
        })
    }
}

/// Marks a hold that no lease covers.
const ALONE: u64 = 1 << 63;

/// How long the office is not waited for after it could not be reached.
const PAUSE: Duration = Duration::from_secs(1);

fn share(rule: &LimitRule, per_mille: u16) -> u64 {
    let share = u128::from(rule.amount) * u128::from(per_mille) / 1_000;
    u64::try_from(share).unwrap_or(u64::MAX)
}

fn alone(rule: &LimitRule, per_mille: u16) -> LimitRule {
    LimitRule::new(rule.measure, share(rule, per_mille), rule.window)
}

#[async_trait]
impl<O: LeaseOffice> LimitBackend for LeasedLimits<O> {
    async fn take(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome> {
        let shared = &self.shared;
        // Twice: another request may take what was granted for this one.
        for _ in 0..2 {
            if let Try::Done(outcome, low) = shared.take(key, amount) {
                if low {
                    self.refresh(key, context);
                }
                return Ok(outcome);
            }
            let now = shared.clock.now();
            if now < shared.with(key, |entry| entry.down) {
                self.refresh(key, context);
                return shared.take_alone(key, amount, context);
            }
            match shared.ask(key, amount).await {
                Ok(grant) if grant.retry_ms > 0 => break,
                Ok(_) => {}
                Err(_) => return shared.take_alone(key, amount, context),
            }
        }
        let now = shared.clock.now();
        match shared.take(key, amount) {
            Try::Done(outcome, _) => Ok(outcome),
            Try::Ask => Ok(shared.with(key, |entry| entry.local.refusal(now))),
        }
    }

    fn settle(&self, key: &LimitKey, hold: LimitHold, actual: u64, context: &Context) {
        let shared = &self.shared;
        let now = shared.clock.now();
        let low = shared.with(key, |entry| {
            if hold.epoch & ALONE == 0 {
                return entry
                    .local
                    .settle(&key.rule, now, hold, actual, shared.options.lease);
            }
            let LeaseFallback::Local { per_mille } = shared.options.fallback else {
                return false;
            };
            let held = LimitHold {
                amount: hold.amount,
                epoch: hold.epoch & !ALONE,
            };
            entry
                .alone
                .settle(&alone(&key.rule, per_mille), now, held, actual);
            // The office hears of it with the next question.
            entry.local.spend(actual);
            true
        });
        if low {
            self.refresh(key, context);
        }
    }
}
