use std::time::Duration;

use super::{LeaseAsk, LeaseGrant, LeaseTerms};
use crate::limit::{LimitHold, LimitMeasure, LimitOutcome};
use crate::{LimitRule, Timestamp};

/// An isolate's side of one lease. Pure.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    epoch: Option<u64>,
    /// Changes with the lease: what was held under another one is settled with it.
    generation: u64,
    granted: u64,
    returned: u64,
    spent: u64,
    held: u64,
    /// Until when the lease may be used.
    ends: Timestamp,
    /// Since when a question is under way that no request waits for.
    asking: Option<Timestamp>,
    asked: Timestamp,
    /// What was taken since the last answer, and what was wished for then.
    demand: u64,
    want: u64,
    /// Until when so much was said not to be there, and how long until everything is.
    denied: Option<(Timestamp, u64, Duration)>,
    reset: Timestamp,
    left: u64,
}

/// What comes of a try without I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// It is settled; the lease may need to be refreshed, beside the request.
    Done(LimitOutcome, bool),
    /// The office has to be asked.
    Ask,
}

/// A question that got no answer holds up the next no longer.
const ASKING: Duration = Duration::from_secs(5);

/// A refusal is remembered so long: the refused do not reach the office.
const REFUSAL: Duration = Duration::from_secs(1);

impl Local {
    /// Takes from what is at hand, and from up to `credit` that is not there before the first lease.
    pub(super) fn take(
        &mut self,
        rule: &LimitRule,
        now: Timestamp,
        amount: u64,
        credit: u64,
        lease: Duration,
    ) -> Try {
        if amount > rule.amount {
            return Try::Done(LimitOutcome::denied(None, Duration::ZERO, Duration::MAX), false);
        }
        let line = if self.epoch.is_none() { credit } else { 0 };
        let usable = now < self.ends || self.epoch.is_none();
        if usable && amount <= self.balance().saturating_add(line) {
            self.held = self.held.saturating_add(amount);
            self.demand = self.demand.saturating_add(amount);
            let hold = LimitHold {
                amount,
                epoch: self.generation,
            };
            let remaining = self.balance().saturating_add(self.left);
            let outcome = LimitOutcome::allowed(Some(remaining), self.reset.since(now), hold);
            return Try::Done(outcome, self.is_low(now, lease));
        }
        match self.denied {
            Some((until, least, reset)) if now < until && amount >= least => {
                let retry = until.since(now);
                Try::Done(LimitOutcome::denied(Some(self.balance()), reset, retry), false)
            }
            _ => Try::Ask,
        }
    }

    /// Marks that a question goes out beside a request; no, when one is under way.
    pub(super) fn begin_refresh(&mut self, now: Timestamp) -> bool {
        let busy = self.asking.is_some_and(|since| now.since(since) < ASKING);
        if !busy {
            self.asking = Some(now);
        }
        !busy
    }

    /// The question for what a waiting request needs, or, without one, for what will be needed. What is too much is given back with it.
    pub(super) fn ask(&mut self, rule: &LimitRule, isolate: u64, need: u64, lease: Duration) -> LeaseAsk {
        // Twice what was in demand; it grows at once and shrinks by halves.
        let goal = self
            .demand
            .saturating_mul(2)
            .max(need.saturating_mul(4))
            .max(self.want / 2);
        let goal = goal.max(1).min(rule.amount);
        self.want = goal;
        let surplus = self.balance().saturating_sub(goal);
        self.returned = self.returned.saturating_add(surplus);
        // The office grants after the fact what was spent, but not what is held on credit.
        let past = self.spent.saturating_add(self.returned);
        let debt = past
            .saturating_add(self.held)
            .saturating_sub(self.granted.max(past));
        let missing = goal.saturating_sub(self.balance());
        LeaseAsk {
            terms: LeaseTerms::new(rule, lease),
            isolate,
            epoch: self.epoch,
            spent: self.spent,
            returned: self.returned,
            need: if need == 0 {
                0
            } else {
                need.saturating_sub(self.balance()).saturating_add(debt)
            },
            want: missing.saturating_add(debt),
        }
    }

    /// Takes over an answer to a question that was asked at `asked`, for `need` if a request waits.
    pub(super) fn granted(&mut self, grant: &LeaseGrant, asked: Timestamp, need: u64) {
        if need == 0 {
            self.asking = None;
        }
        match self.epoch {
            Some(epoch) if epoch > grant.epoch => return,
            Some(epoch) if epoch == grant.epoch => self.granted = self.granted.max(grant.granted),
            known => {
                if known.is_some() {
                    *self = Self {
                        generation: self.generation + 1,
                        want: self.want,
                        ..Self::default()
                    };
                }
                self.epoch = Some(grant.epoch);
                self.granted = grant.granted;
            }
        }
        // From the question on: by any clock that is before the office's end.
        self.ends = self.ends.max(asked + Duration::from_millis(grant.lasts_ms));
        self.asked = self.asked.max(asked);
        self.demand = 0;
        self.left = grant.left;
        self.reset = asked + Duration::from_millis(grant.reset_ms);
        self.denied = (grant.retry_ms > 0).then(|| {
            let retry = Duration::from_millis(grant.retry_ms);
            (asked + retry.min(REFUSAL), need, retry)
        });
    }

    /// What a refusal says, when the office has just given one.
    pub(super) fn refusal(&self, now: Timestamp) -> LimitOutcome {
        let retry = self.denied.map_or(REFUSAL, |(_, _, retry)| retry);
        LimitOutcome::denied(Some(self.balance()), self.reset.since(now), retry)
    }

    /// Settles a hold. Whether the office should hear of it soon.
    pub(super) fn settle(
        &mut self,
        rule: &LimitRule,
        now: Timestamp,
        hold: LimitHold,
        actual: u64,
        lease: Duration,
    ) -> bool {
        if hold.epoch != self.generation {
            return false;
        }
        self.held = self.held.saturating_sub(hold.amount);
        self.demand = self.demand.saturating_sub(hold.amount.saturating_sub(actual));
        if rule.measure != LimitMeasure::Concurrency {
            self.spent = self.spent.saturating_add(actual);
        }
        self.epoch.is_some() && self.is_low(now, lease)
    }

    /// Counts what was let in without a lease.
    pub(super) fn spend(&mut self, amount: u64) {
        self.spent = self.spent.saturating_add(amount);
    }

    /// Whether nothing is lost when it is forgotten.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.held == 0 && now >= self.ends && self.asking.is_none_or(|since| now.since(since) >= ASKING)
    }

    fn balance(&self) -> u64 {
        self.granted
            .saturating_sub(self.returned)
            .saturating_sub(self.spent)
            .saturating_sub(self.held)
    }

    /// Whether more should be asked for while there is some left, or the lease is about to end, or the office knows too little.
    fn is_low(&self, now: Timestamp, lease: Duration) -> bool {
        let old = self.ends.since(now) < lease / 2;
        let low = self.balance() < self.want.div_ceil(2);
        // Not more often than the office can say anything new.
        let recent = now.since(self.asked) < lease / 100;
        old || (low && !recent)
    }
}
