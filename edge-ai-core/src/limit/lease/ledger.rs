use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LeaseAsk, LeaseGrant, LeaseTerms};
use crate::Timestamp;
use crate::limit::{LimitAccount, LimitMeasure, LimitRule};

/// The office's book of one limit under one key: what was spent, and who holds which part of the rest. Pure: a Durable Object keeps it as JSON.
///
/// The sum of what is spent and what is leased out never grows over the amount by a grant. A lease that is not heard of in its time and ten seconds more counts as
/// spent in a sliding window, and as released for concurrency; in a day or month it stays with its isolate until the window ends, since it can do no harm there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseLedger {
    account: LimitAccount,
    /// When the present calendar window ends.
    ends: Timestamp,
    epoch: u64,
    leases: BTreeMap<u64, Lease>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    epoch: u64,
    granted: u64,
    returned: u64,
    spent: u64,
    heard: Timestamp,
}

impl Lease {
    const fn held(&self) -> u64 {
        self.granted
            .saturating_sub(self.returned)
            .saturating_sub(self.spent)
    }
}

/// How long a lease is kept after its end: an isolate whose question is on its way may still have used it.
const GRACE: Duration = Duration::from_secs(10);

/// The most isolates that are told apart; those that were heard of longest ago count as spent beyond.
const MAX_LEASES: usize = 4_096;

impl LeaseLedger {
    /// Takes note of what an isolate spent, and grants it what may be granted.
    ///
    /// A request that waits gets what it needs while it is there. What is wished for beyond shrinks with what is left, to an equal share of a half of it,
    /// so that the last part of an amount is not locked away with one isolate.
    pub fn ask(&mut self, now: Timestamp, ask: &LeaseAsk) -> LeaseGrant {
        let rule = ask.terms.rule();
        self.pass(&rule, &ask.terms, now);
        self.settle(&rule, now, ask);
        let free = self.free(&rule, now);
        let sharers = u64::try_from(self.leases.len()).unwrap_or(u64::MAX).max(1);
        let share = free / sharers.saturating_mul(2);
        let granted = if free < ask.need {
            0
        } else {
            ask.want.min(share).max(ask.need)
        };
        let lease = self.leases.entry(ask.isolate).or_default();
        lease.granted = lease.granted.saturating_add(granted);
        let (epoch, total) = (lease.epoch, lease.granted);
        let denied = granted < ask.need;
        let retry = if denied {
            self.retry_after(&rule, now, ask.need)
        } else {
            Duration::ZERO
        };
        LeaseGrant {
            epoch,
            granted: total,
            left: free - granted,
            lasts_ms: millis(self.lasts(&rule, &ask.terms, now)),
            reset_ms: millis(self.account.reset_after(&rule, now)),
            retry_ms: millis(retry),
        }
    }

    /// What is neither spent nor leased out.
    pub fn left(&mut self, rule: &LimitRule, now: Timestamp) -> u64 {
        self.free(rule, now)
    }

    /// When nothing of it matters any more, if nobody asks until then.
    pub fn stale_at(&self, terms: &LeaseTerms, now: Timestamp) -> Timestamp {
        let rule = terms.rule();
        let leases = Duration::from_millis(terms.lease_ms) + GRACE;
        now + leases.max(self.account.reset_after(&rule, now))
            + rule.window.map_or(Duration::ZERO, |window| {
                if window.is_calendar() {
                    Duration::ZERO
                } else {
                    window.length()
                }
            })
    }

    fn free(&mut self, rule: &LimitRule, now: Timestamp) -> u64 {
        let held = self.leases.values().map(Lease::held).fold(0, u64::saturating_add);
        self.account.available(rule, now).saturating_sub(held)
    }

    fn settle(&mut self, rule: &LimitRule, now: Timestamp, ask: &LeaseAsk) {
        if !self.leases.contains_key(&ask.isolate) {
            self.epoch += 1;
            if self.leases.len() >= MAX_LEASES {
                self.forget_oldest(rule, now);
            }
        }
        let next = self.epoch;
        let known = self.leases.contains_key(&ask.isolate);
        let lease = self.leases.entry(ask.isolate).or_default();
        if !known {
            lease.epoch = next;
        }
        lease.heard = lease.heard.max(now);
        // Totals of a lease that has ended are of what was counted then.
        if ask.epoch.is_some_and(|epoch| epoch != lease.epoch) {
            return;
        }
        let spent = ask.spent.saturating_sub(lease.spent);
        lease.spent = lease.spent.max(ask.spent);
        lease.returned = lease.returned.max(ask.returned);
        // What was spent on credit is granted after the fact.
        lease.granted = lease.granted.max(lease.spent.saturating_add(lease.returned));
        self.account.spend(rule, now, spent);
    }

    fn pass(&mut self, rule: &LimitRule, terms: &LeaseTerms, now: Timestamp) {
        let calendar = rule.window.filter(|window| window.is_calendar());
        if let Some(window) = calendar {
            if now >= self.ends {
                self.leases.clear();
                self.ends = window.around(now).1;
            }
            return;
        }
        let limit = Duration::from_millis(terms.lease_ms) + GRACE;
        let mut lost = 0_u64;
        self.leases.retain(|_, lease| {
            let lives = now.since(lease.heard) <= limit;
            if !lives {
                lost = lost.saturating_add(lease.held());
            }
            lives
        });
        self.account.spend(rule, now, lost);
    }

    fn forget_oldest(&mut self, rule: &LimitRule, now: Timestamp) {
        let oldest = self.leases.iter().min_by_key(|(_, lease)| lease.heard);
        if let Some(isolate) = oldest.map(|(isolate, _)| *isolate)
            && let Some(lease) = self.leases.remove(&isolate)
        {
            self.account.spend(rule, now, lease.held());
        }
    }

    fn lasts(&self, rule: &LimitRule, terms: &LeaseTerms, now: Timestamp) -> Duration {
        let lease = Duration::from_millis(terms.lease_ms);
        match rule.window {
            Some(window) if window.is_calendar() => lease.min(self.ends.since(now)),
            _ => lease,
        }
    }

    /// What others hold may come back before anything drains.
    fn retry_after(&self, rule: &LimitRule, now: Timestamp, need: u64) -> Duration {
        const SOON: Duration = Duration::from_secs(1);
        let wait = self.account.retry_after(rule, now, need);
        let held =
            rule.measure == LimitMeasure::Concurrency || self.leases.values().any(|lease| lease.held() > 0);
        if wait.is_zero() || (held && wait != Duration::MAX) {
            SOON
        } else {
            wait
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
