use std::num::NonZeroU32;
use std::time::Duration;

use super::{Decision, Quota};

/// The generic cell rate algorithm: a token bucket whose whole state is one point in time.
///
/// The state is the *theoretical arrival time*: when the bucket will be full again. A call of cost *n* moves it *n*
/// emission intervals ahead, and is allowed while it stays within one period of now. It admits exactly what a token bucket
/// of `requests` tokens refilled evenly over `period` admits, needs no refill, and knows the exact time to come back.
/// (ITU-T I.371, annex A; in networking as virtual scheduling.)
///
/// Pure: the caller keeps the state, here in an atomic ([`TokenBucket`](super::TokenBucket)), elsewhere in a Durable Object.
///
/// ```
/// use std::num::NonZeroU32;
/// use edge_ai_core::{Gcra, Quota};
///
/// let gcra = Gcra::new(Quota::per_second(2));
/// let one = NonZeroU32::MIN;
/// let now = 1_000_000_000;
/// let state = gcra.check(0, now, one).unwrap();
/// let state = gcra.check(state, now, one).unwrap();
/// assert!(gcra.check(state, now, one).is_err());
/// assert!(gcra.check(state, now + 500_000_000, one).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    quota: Quota,
    /// Nanoseconds that one unit takes to come back, rounded up: never more than the quota.
    interval: u64,
    /// Nanoseconds that the whole burst takes.
    burst: u64,
}

impl Gcra {
    /// The algorithm for a quota.
    pub const fn new(quota: Quota) -> Self {
        let requests = quota.requests().get() as u64;
        // `Quota::new` keeps the period under 2^55 nanoseconds.
        let interval = (quota.period().as_nanos() as u64).div_ceil(requests);
        Self {
            quota,
            interval,
            burst: interval * requests,
        }
    }

    /// The quota.
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// The state after a call of `cost` at `now`, or the nanoseconds until it would be allowed, `u64::MAX` for never.
    ///
    /// `state` is what the last allowed call returned, zero for none; `now` is in nanoseconds of any clock. A clock that
    /// goes backwards only makes callers wait: the state stays, and never lies more than one burst ahead of the latest now.
    ///
    /// # Errors
    /// The wait, when the call is denied. The state has not changed then.
    pub const fn check(&self, state: u64, now: u64, cost: NonZeroU32) -> Result<u64, u64> {
        let price = self.interval.saturating_mul(cost.get() as u64);
        if price > self.burst {
            return Err(u64::MAX);
        }
        let from = if state > now { state } else { now };
        let next = from.saturating_add(price);
        let latest = now.saturating_add(self.burst);
        if next > latest {
            Err(next - latest)
        } else {
            Ok(next)
        }
    }

    /// What the outcome of a [`check`](Self::check) means to a client; `state` is the one after it.
    pub fn decision(&self, state: u64, now: u64, denied: Option<u64>) -> Decision {
        let ahead = state.saturating_sub(now);
        // After a step backwards of the clock the state may lie further ahead than a burst.
        let remaining = self.burst.saturating_sub(ahead) / self.interval;
        Decision {
            allowed: denied.is_none(),
            quota: self.quota,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset_after: Duration::from_nanos(ahead),
            retry_after: match denied {
                None => Duration::ZERO,
                Some(u64::MAX) => Duration::MAX,
                Some(wait) => Duration::from_nanos(wait),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A token bucket in exact arithmetic: tokens are counted in parts of `1 / interval`.
    struct Oracle {
        interval: u128,
        capacity: u128,
        level: u128,
        time: u64,
    }

    impl Oracle {
        fn allows(&mut self, now: u64, cost: u32) -> bool {
            self.level = (self.level + u128::from(now - self.time)).min(self.capacity);
            self.time = now;
            let price = u128::from(cost) * self.interval;
            let allowed = price <= self.level;
            if allowed {
                self.level -= price;
            }
            allowed
        }
    }

    proptest! {
        #[test]
        fn admits_what_a_token_bucket_admits(
            requests in 1_u32..50,
            period in 1_u64..5_000,
            calls in prop::collection::vec((0_u64..400, 1_u32..8), 1..200),
        ) {
            let quota = Quota::new(NonZeroU32::new(requests).unwrap(), Duration::from_nanos(period));
            let gcra = Gcra::new(quota);
            let interval = u128::from(gcra.interval);
            let capacity = interval * u128::from(requests);
            let mut now = 1_000_000;
            let mut oracle = Oracle { interval, capacity, level: capacity, time: now };
            let mut state = 0;
            for (pause, cost) in calls {
                now += pause;
                let cost = NonZeroU32::new(cost).unwrap();
                let outcome = gcra.check(state, now, cost);
                prop_assert_eq!(outcome.is_ok(), oracle.allows(now, cost.get()));
                match outcome {
                    Ok(next) => {
                        state = next;
                        let decision = gcra.decision(state, now, None);
                        prop_assert_eq!(u128::from(decision.remaining), oracle.level / interval);
                    }
                    Err(u64::MAX) => prop_assert!(cost.get() > requests),
                    Err(wait) => {
                        prop_assert!(gcra.check(state, now + wait, cost).is_ok());
                        prop_assert!(gcra.check(state, now + wait - 1, cost).is_err());
                    }
                }
            }
        }

        #[test]
        fn a_clock_that_goes_anywhere_never_admits_more_than_a_burst_per_latest_now(
            times in prop::collection::vec(0_u64..1_000_000, 1..200),
        ) {
            let gcra = Gcra::new(Quota::new(NonZeroU32::new(5).unwrap(), Duration::from_nanos(1_000)));
            let (mut state, mut latest) = (0, 0);
            for now in times {
                latest = latest.max(now);
                if let Ok(next) = gcra.check(state, now, NonZeroU32::MIN) {
                    prop_assert!(next >= state, "time given back");
                    state = next;
                }
                prop_assert!(state <= latest + gcra.burst);
                let _ = gcra.decision(state, now, None);
            }
        }
    }

    #[test]
    fn a_cost_over_the_burst_is_never_allowed() {
        let gcra = Gcra::new(Quota::per_minute(3));
        assert_eq!(
            gcra.check(0, u64::MAX, NonZeroU32::new(4).unwrap()),
            Err(u64::MAX)
        );
        assert_eq!(gcra.decision(0, 9, Some(u64::MAX)).retry_after, Duration::MAX);
    }
}
