use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use edge_ai_core::{Quota, Timestamp, TokenBucket};

use super::RetryPolicy;

/// What an isolate's requests may cost beside a call each.
#[derive(Debug)]
pub(super) struct Budgets {
    /// Calls to targets that a request has called before.
    pub(super) retries: Budget,
    /// Calls beside others that are slow.
    pub(super) hedges: Budget,
}

impl Budgets {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        Self {
            retries: Budget::new(policy.retry_percent, Quota::per_second(10)),
            hedges: Budget::new(policy.hedge_percent, Quota::per_minute(6)),
        }
    }
}

/// How many extra calls may be made: a share of the requests, and a trickle beside it for those who have few.
///
/// Each request earns its share, each extra call spends one. What is earned is kept up to a bound, so that a quiet hour does not pay for a storm
/// ([Google SRE: *Addressing cascading failures*](https://sre.google/sre-book/addressing-cascading-failures/) on retry budgets).
#[derive(Debug)]
pub(super) struct Budget {
    /// In hundredths of a call.
    percent: u64,
    earned: AtomicU64,
    trickle: Option<TokenBucket>,
}

/// So many calls may be saved up, in hundredths.
const MAX_EARNED: u64 = 10 * CALL;
const CALL: u64 = 100;

impl Budget {
    /// So many extra calls for a hundred requests, and `trickle` of them in any case. Zero percent turns both off.
    pub(super) fn new(percent: u32, trickle: Quota) -> Self {
        Self {
            percent: percent.into(),
            earned: AtomicU64::new(0),
            trickle: (percent > 0).then(|| TokenBucket::new(trickle)),
        }
    }

    /// A request has come.
    pub(super) fn earn(&self) {
        let add = |earned: u64| Some(earned.saturating_add(self.percent).min(MAX_EARNED));
        let _ = self
            .earned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether an extra call may be made; it is spent then.
    pub(super) fn spend(&self, now: Timestamp) -> bool {
        let take = |earned: u64| earned.checked_sub(CALL);
        let earned = self
            .earned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        let trickle = || {
            self.trickle
                .as_ref()
                .is_some_and(|trickle| trickle.take(now, NonZeroU32::MIN).is_ok())
        };
        earned.is_ok() || trickle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However requests and wishes for extra calls mix: no more are made than the share, the savings and the trickle.
        #[test]
        fn the_share_is_never_exceeded(percent in 0_u32..=100, wishes in prop::collection::vec(any::<bool>(), 1..2_000)) {
            let budget = Budget::new(percent, Quota::per_minute(6));
            let (mut requests, mut extra) = (0_u64, 0_u64);
            for wish in wishes {
                budget.earn();
                requests += 1;
                if wish {
                    extra += u64::from(budget.spend(Timestamp::from_millis(1_000)));
                }
            }
            let trickle = if percent == 0 { 0 } else { 6 };
            prop_assert!(extra * CALL <= requests * u64::from(percent) + trickle * CALL, "{} of {}", extra, requests);
        }
    }

    #[test]
    fn quiet_times_do_not_pay_for_storms() {
        let budget = Budget::new(20, Quota::per_minute(1));
        (0..100_000).for_each(|_| budget.earn());
        let now = Timestamp::from_millis(1_000);
        assert_eq!((0..100).filter(|_| budget.spend(now)).count(), 11);
        let later = Timestamp::from_millis(61_001);
        assert_eq!((0..100).filter(|_| budget.spend(later)).count(), 1);
    }
}
