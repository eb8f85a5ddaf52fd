use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LimitHold, LimitMeasure, LimitOutcome, LimitRule, LimitWindow};
use crate::Timestamp;

/// What has been taken of one limit under one key, in a few words of memory. Pure: the caller keeps it and tells the time.
///
/// - A window under a day is a token bucket in whole numbers: what was spent drains evenly, and what is held for requests under way does not drain
///   before it is settled. Between any two moments no more is let in than the amount and what drains meanwhile.
/// - Days and months are counters that start at nothing with each window. A request that began in the last one is settled there.
/// - Concurrency is what is held, and nothing else.
///
/// A hold that is never settled, as when its isolate dies, ends after [`HOLD`](Self::HOLD) to twice that: then it counts as spent, or as released for concurrency.
/// A clock that stands still lets nothing drain; one that goes backwards opens no window again.
///
/// ```
/// use edge_ai_core::{LimitAccount, LimitRule, LimitWindow, Timestamp};
///
/// let rule = LimitRule::tokens(100, LimitWindow::MINUTE);
/// let (mut account, now) = (LimitAccount::default(), Timestamp::from_millis(1));
/// let taken = account.take(&rule, now, 80);
/// assert!(!account.take(&rule, now, 30).allowed);
/// account.settle(&rule, now, taken.hold, 10);
/// assert_eq!(account.take(&rule, now, 30).remaining, Some(60));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitAccount {
    /// Whole units of a calendar window; in a sliding one, units times its nanoseconds, so that nothing is lost to rounding.
    spent: u128,
    /// Held since the present generation began, and since the one before.
    held: [u64; 2],
    /// The number of the present generation of holds.
    generation: u64,
    /// The latest time that was seen, or the start of the calendar window.
    since: Timestamp,
}

impl LimitAccount {
    /// How long a request may be under way until its hold is given up, at least.
    pub const HOLD: Duration = Duration::from_secs(600);

    /// When a caller may try again that only others' ends can let in.
    const SOON: Duration = Duration::from_secs(1);

    /// Holds `amount` of what is left, or takes nothing and says when to come back.
    pub fn take(&mut self, rule: &LimitRule, now: Timestamp, amount: u64) -> LimitOutcome {
        self.pass(rule, now);
        let left = self.left(rule);
        let allowed = amount <= left;
        if allowed {
            self.hold(rule, amount);
        }
        LimitOutcome {
            allowed,
            remaining: Some(self.left(rule)),
            reset_after: self.reset_after(rule, now),
            retry_after: if allowed {
                Duration::ZERO
            } else {
                self.retry_after(rule, now, amount)
            },
            hold: self.ticket(rule, if allowed { amount } else { 0 }),
        }
    }

    /// Puts what it was in the place of what was held. It may be more; then the account is overdrawn, and others wait.
    pub fn settle(&mut self, rule: &LimitRule, now: Timestamp, hold: LimitHold, actual: u64) {
        self.pass(rule, now);
        match Kind::of(rule) {
            Kind::Calendar(_) if hold.epoch == self.since.as_nanos() => {
                self.spent = self
                    .spent
                    .saturating_sub(hold.amount.into())
                    .saturating_add(actual.into());
            }
            Kind::Calendar(_) => {}
            Kind::Sliding(period) => {
                if self.release(hold) {
                    self.spent = self.spent.saturating_add(u128::from(actual) * period);
                }
            }
            Kind::Concurrency => {
                self.release(hold);
            }
        }
    }

    /// Counts what was let in elsewhere, also over the amount.
    pub fn spend(&mut self, rule: &LimitRule, now: Timestamp, amount: u64) {
        self.pass(rule, now);
        let units = match Kind::of(rule) {
            Kind::Calendar(_) => amount.into(),
            Kind::Sliding(period) => u128::from(amount) * period,
            Kind::Concurrency => return,
        };
        self.spent = self.spent.saturating_add(units);
    }

    /// What may be taken now.
    pub fn available(&mut self, rule: &LimitRule, now: Timestamp) -> u64 {
        self.pass(rule, now);
        self.left(rule)
    }

    /// How long until everything may be taken again, if nothing more is.
    pub fn reset_after(&self, rule: &LimitRule, now: Timestamp) -> Duration {
        match Kind::of(rule) {
            Kind::Calendar(window) => window.around(self.since.max(now)).1.since(now),
            Kind::Sliding(_) => nanos(self.spent.div_ceil(u128::from(rule.amount.max(1)))),
            Kind::Concurrency => Duration::ZERO,
        }
    }

    /// How long until `amount` may be taken, if nothing more is; [`Duration::MAX`] for more than there ever is.
    pub fn retry_after(&self, rule: &LimitRule, now: Timestamp, amount: u64) -> Duration {
        if amount > rule.amount {
            return Duration::MAX;
        }
        match Kind::of(rule) {
            Kind::Calendar(_) => self.reset_after(rule, now),
            Kind::Sliding(period) => {
                let room = u128::from(rule.amount - amount) * period;
                let missing = (self.spent + u128::from(self.held()) * period).saturating_sub(room);
                let drain = nanos(missing.min(self.spent).div_ceil(u128::from(rule.amount)));
                if missing > self.spent {
                    drain.max(Self::SOON)
                } else {
                    drain
                }
            }
            Kind::Concurrency => Self::SOON,
        }
    }

    /// Whether it is as good as a new one.
    pub fn is_idle(&mut self, rule: &LimitRule, now: Timestamp) -> bool {
        self.pass(rule, now);
        self.spent == 0 && self.held() == 0
    }

    /// How much of the amount is in use, in thousandths; what is held makes it one more than what is spent.
    pub(super) fn use_per_mille(&self, rule: &LimitRule) -> u64 {
        let used = rule.amount.saturating_sub(self.left(rule));
        let share = u128::from(used) * 1_000 / u128::from(rule.amount.max(1));
        u64::try_from(share)
            .unwrap_or(u64::MAX)
            .saturating_add(u64::from(self.held() > 0))
    }

    fn left(&self, rule: &LimitRule) -> u64 {
        let spent = match Kind::of(rule) {
            Kind::Sliding(period) => self.spent.div_ceil(period),
            Kind::Calendar(_) | Kind::Concurrency => self.spent,
        };
        let used = spent.saturating_add(self.held().into());
        rule.amount
            .saturating_sub(u64::try_from(used).unwrap_or(u64::MAX))
    }

    fn hold(&mut self, rule: &LimitRule, amount: u64) {
        if let Kind::Calendar(_) = Kind::of(rule) {
            self.spent = self.spent.saturating_add(amount.into());
        } else {
            let [newer, _] = &mut self.held;
            *newer = newer.saturating_add(amount);
        }
    }

    fn ticket(&self, rule: &LimitRule, amount: u64) -> LimitHold {
        let epoch = match Kind::of(rule) {
            Kind::Calendar(_) => self.since.as_nanos(),
            Kind::Sliding(_) | Kind::Concurrency => self.generation,
        };
        LimitHold { amount, epoch }
    }

    /// Whether the hold was still there.
    fn release(&mut self, hold: LimitHold) -> bool {
        let [newer, older] = &mut self.held;
        let held = match self.generation.checked_sub(hold.epoch) {
            Some(0) => newer,
            Some(1) => older,
            _ => return false,
        };
        *held = held.saturating_sub(hold.amount);
        true
    }

    const fn held(&self) -> u64 {
        let [newer, older] = self.held;
        newer.saturating_add(older)
    }

    /// Lets time pass.
    fn pass(&mut self, rule: &LimitRule, now: Timestamp) {
        match Kind::of(rule) {
            Kind::Calendar(window) => {
                let (start, _) = window.around(now);
                if start > self.since {
                    self.since = start;
                    self.spent = 0;
                }
            }
            Kind::Sliding(period) => {
                let drained = now.since(self.since).as_nanos() * u128::from(rule.amount);
                self.spent = self.spent.saturating_sub(drained);
                self.since = self.since.max(now);
                let ended = self.age();
                self.spent = self.spent.saturating_add(u128::from(ended) * period);
            }
            Kind::Concurrency => {
                self.since = self.since.max(now);
                self.age();
            }
        }
    }

    /// Gives up the holds that are too old, and says how much that is.
    fn age(&mut self) -> u64 {
        let generation = self.since.as_secs() / Self::HOLD.as_secs();
        let [newer, older] = self.held;
        let (held, ended) = match generation.saturating_sub(self.generation) {
            0 => return 0,
            1 => ([0, newer], older),
            _ => ([0, 0], newer.saturating_add(older)),
        };
        self.held = held;
        self.generation = generation;
        ended
    }
}

enum Kind {
    Calendar(LimitWindow),
    /// With its length in nanoseconds.
    Sliding(u128),
    Concurrency,
}

impl Kind {
    fn of(rule: &LimitRule) -> Self {
        match rule.window {
            _ if rule.measure == LimitMeasure::Concurrency => Self::Concurrency,
            None => Self::Concurrency,
            Some(window) if window.is_calendar() => Self::Calendar(window),
            Some(window) => Self::Sliding(window.length().as_nanos()),
        }
    }
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
