//! The contract of [`RateLimiter`].

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Clock, Decision, ManualClock, Quota, RateLimiter, Timestamp};

use crate::case::{cases, ensure, require};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A rate limiter under test. Its quota should be of at least three requests.
#[derive(Clone, Debug)]
pub struct RateLimiterSubject {
    limiter: Arc<dyn RateLimiter>,
    quota: Quota,
    scope: Scope,
    clock: Arc<dyn Clock>,
    exact: bool,
}

impl RateLimiterSubject {
    /// A limiter that counts exactly, by a clock that only moves when a case sleeps.
    pub fn new(limiter: impl RateLimiter, quota: Quota) -> Self {
        Self {
            limiter: Arc::new(limiter),
            quota,
            scope: Scope::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::from_millis(1))),
            exact: true,
        }
    }

    /// Makes keys from a text of this run alone, for a limiter that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// Waits by this clock; the limiter must go by the same.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// The limiter's clock runs while a case does: what depends on the exact time is not checked.
    #[must_use]
    pub fn inexact(self) -> Self {
        Self { exact: false, ..self }
    }

    fn burst(&self) -> u32 {
        self.quota.requests().get()
    }

    async fn check(&self, key: &str, cost: u32) -> Result<Decision, Stop> {
        let cost = NonZeroU32::new(cost).unwrap_or(NonZeroU32::MIN);
        self.limiter
            .check(&self.scope.name(key), cost)
            .await
            .must("`check` decides")
    }

    /// Spends everything that a key has.
    async fn spend(&self, key: &str) -> Check {
        let decision = self.check(key, self.burst()).await?;
        ensure!(
            decision.allowed,
            "a fresh key may spend its whole burst at once, but got {decision:?}"
        );
        Ok(())
    }
}

impl Subject for RateLimiterSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<RateLimiterSubject>> {
    cases![
        the_burst_is_allowed_and_no_more,
        a_cost_of_n_takes_n,
        a_denied_call_costs_nothing,
        keys_do_not_touch_each_other,
        a_cost_over_the_burst_is_always_denied,
        a_decision_tells_its_quota,
        remaining_counts_down,
        an_allowed_call_need_not_wait,
        a_denied_call_is_told_when_to_come_back,
        retry_after_is_exact,
        after_reset_the_whole_burst_is_there,
        what_comes_back_is_even,
    ]
}

async fn the_burst_is_allowed_and_no_more(subject: RateLimiterSubject) -> Check {
    for call in 1..=subject.burst() {
        ensure!(
            subject.check("key", 1).await?.allowed,
            "call {call} of a burst of {} is allowed",
            subject.burst()
        );
    }
    ensure!(
        !subject.check("key", 1).await?.allowed,
        "the call after a burst of {} is denied",
        subject.burst()
    );
    Ok(())
}

async fn a_cost_of_n_takes_n(subject: RateLimiterSubject) -> Check {
    require!(subject.burst() > 2, "the quota is under three requests");
    ensure!(
        subject.check("key", subject.burst() - 1).await?.allowed,
        "a cost within the burst is allowed"
    );
    ensure!(
        subject.check("key", 1).await?.allowed,
        "a cost of n leaves what is over n"
    );
    ensure!(
        !subject.check("key", 1).await?.allowed,
        "a cost of n takes n, not one"
    );
    Ok(())
}

async fn a_denied_call_costs_nothing(subject: RateLimiterSubject) -> Check {
    require!(subject.burst() > 2, "the quota is under three requests");
    ensure!(
        subject.check("key", subject.burst() - 1).await?.allowed,
        "a cost within the burst is allowed"
    );
    for _ in 0..5 {
        ensure!(
            !subject.check("key", 2).await?.allowed,
            "a cost over what is left is denied"
        );
    }
    ensure!(
        subject.check("key", 1).await?.allowed,
        "a denied call costs nothing: what was left is still there"
    );
    Ok(())
}

async fn keys_do_not_touch_each_other(subject: RateLimiterSubject) -> Check {
    subject.spend("spent").await?;
    ensure!(!subject.check("spent", 1).await?.allowed, "a spent key is denied");
    ensure!(
        subject.check("other", subject.burst()).await?.allowed,
        "a spent key takes nothing from another"
    );
    Ok(())
}

async fn a_cost_over_the_burst_is_always_denied(subject: RateLimiterSubject) -> Check {
    let cost = subject.burst().saturating_add(1);
    let decision = subject.check("key", cost).await?;
    ensure!(
        !decision.allowed,
        "a cost over the burst is denied, even on a fresh key"
    );
    let never = decision.retry_after;
    ensure!(
        never == Duration::MAX,
        "what will never be allowed is told so by `Duration::MAX`, not {never:?}"
    );
    ensure!(
        subject.check("key", subject.burst()).await?.allowed,
        "such a call takes nothing"
    );
    ensure!(
        !subject.check("key", u32::MAX).await?.allowed,
        "the largest cost is denied"
    );
    Ok(())
}

async fn a_decision_tells_its_quota(subject: RateLimiterSubject) -> Check {
    let decision = subject.check("key", 1).await?;
    ensure!(
        decision.quota == subject.quota,
        "a decision tells its quota, {:?}, not {:?}",
        subject.quota,
        decision.quota
    );
    Ok(())
}

async fn remaining_counts_down(subject: RateLimiterSubject) -> Check {
    require!(subject.exact, "the limiter's clock runs while the case does");
    for call in 1..=subject.burst() {
        let remaining = subject.check("key", 1).await?.remaining;
        let expected = subject.burst() - call;
        ensure!(
            remaining == expected,
            "after {call} calls {expected} remain, but it says {remaining}"
        );
    }
    Ok(())
}

async fn an_allowed_call_need_not_wait(subject: RateLimiterSubject) -> Check {
    let decision = subject.check("key", 1).await?;
    ensure!(
        decision.retry_after.is_zero(),
        "an allowed call need not come back, not in {:?}",
        decision.retry_after
    );
    ensure!(
        !decision.reset_after.is_zero(),
        "something was spent, so a reset takes some time"
    );
    Ok(())
}

async fn a_denied_call_is_told_when_to_come_back(subject: RateLimiterSubject) -> Check {
    subject.spend("key").await?;
    let decision = subject.check("key", 1).await?;
    let within = decision.retry_after <= subject.quota.period();
    ensure!(
        !decision.retry_after.is_zero() && within,
        "a denied call waits over zero, at most a period: {decision:?}"
    );
    ensure!(
        decision.remaining == 0,
        "nothing remains of a spent burst, not {}",
        decision.remaining
    );
    Ok(())
}

async fn retry_after_is_exact(subject: RateLimiterSubject) -> Check {
    require!(subject.exact, "the limiter's clock runs while the case does");
    subject.spend("key").await?;
    let wait = subject.check("key", 1).await?.retry_after;
    let just_before = wait.saturating_sub(Duration::from_nanos(1));
    subject.clock.sleep(just_before).await;
    ensure!(
        !subject.check("key", 1).await?.allowed,
        "just before `retry_after` the call is still denied"
    );
    subject.clock.sleep(wait.saturating_sub(just_before)).await;
    ensure!(
        subject.check("key", 1).await?.allowed,
        "after `retry_after` the same call is allowed"
    );
    Ok(())
}

async fn after_reset_the_whole_burst_is_there(subject: RateLimiterSubject) -> Check {
    require!(subject.exact, "the limiter's clock runs while the case does");
    let reset = subject.check("key", 2).await?.reset_after;
    subject.clock.sleep(reset).await;
    ensure!(
        subject.check("key", subject.burst()).await?.allowed,
        "after `reset_after` the whole burst is there"
    );
    Ok(())
}

async fn what_comes_back_is_even(subject: RateLimiterSubject) -> Check {
    require!(subject.exact, "the limiter's clock runs while the case does");
    subject.spend("key").await?;
    // A request's share of a period, rounded up as the limiter may.
    let share = subject.quota.period().div_f64(f64::from(subject.burst())) + Duration::from_nanos(1);
    for call in 1..=subject.burst() {
        subject.clock.sleep(share).await;
        ensure!(
            subject.check("key", 1).await?.allowed,
            "share {call} of a period brings back one call"
        );
        ensure!(
            !subject.check("key", 1).await?.allowed,
            "share {call} of a period brings back no more than one"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{KeyedTokenBuckets, Result, async_trait};
    use futures_executor::block_on;

    const QUOTA: Quota = Quota::per_minute(5);

    fn buckets(clock: &ManualClock) -> KeyedTokenBuckets {
        KeyedTokenBuckets::new(QUOTA, clock.clone())
    }

    #[test]
    fn token_buckets_keep_the_contract() {
        for quota in [QUOTA, Quota::per_second(3), Quota::per_hour(7)] {
            let subject = || {
                let clock = ManualClock::jumping(Timestamp::from_millis(1));
                RateLimiterSubject::new(KeyedTokenBuckets::new(quota, clock.clone()), quota).with_clock(clock)
            };
            block_on(crate::run(cases(), subject)).assert_passed_but(&[]);
        }
    }

    /// Charges for denied calls, and keeps one bucket for all keys.
    #[derive(Debug)]
    struct Unfair(KeyedTokenBuckets);

    #[async_trait]
    impl RateLimiter for Unfair {
        async fn check(&self, _: &str, cost: NonZeroU32) -> Result<Decision> {
            let decision = self.0.check("all", cost).await?;
            if !decision.allowed {
                while self.0.check("all", NonZeroU32::MIN).await?.allowed {}
            }
            Ok(decision)
        }
    }

    #[test]
    fn an_unfair_limiter_is_found_out() {
        let subject = || {
            let clock = ManualClock::jumping(Timestamp::from_millis(1));
            RateLimiterSubject::new(Unfair(buckets(&clock)), QUOTA).with_clock(clock)
        };
        let report = block_on(crate::run(cases(), subject));
        let failed: Vec<_> = report.failed().map(|(name, _)| name).collect();
        assert!(failed.contains(&"a_denied_call_costs_nothing"), "{report}");
        assert!(failed.contains(&"keys_do_not_touch_each_other"), "{report}");
    }
}
