use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Decision, Gcra, Quota, nanos};
use crate::Timestamp;

/// A token bucket in one atomic: shared by reference, never locked, never refilled by a timer.
///
/// ```
/// use std::num::NonZeroU32;
/// use edge_ai_core::{Quota, Timestamp, TokenBucket};
///
/// let bucket = TokenBucket::new(Quota::per_minute(2));
/// let now = Timestamp::from_millis(1_000);
/// assert!(bucket.check(now, NonZeroU32::MIN).allowed);
/// assert!(bucket.check(now, NonZeroU32::MIN).allowed);
/// let denied = bucket.check(now, NonZeroU32::MIN);
/// assert!(!denied.allowed);
/// assert_eq!(denied.retry_after.as_secs(), 30);
/// ```
#[derive(Debug)]
pub struct TokenBucket {
    gcra: Gcra,
    state: AtomicU64,
}

impl TokenBucket {
    /// A full bucket.
    pub const fn new(quota: Quota) -> Self {
        Self {
            gcra: Gcra::new(quota),
            state: AtomicU64::new(0),
        }
    }

    /// Takes `cost`, or nothing when there is less.
    pub fn check(&self, now: Timestamp, cost: NonZeroU32) -> Decision {
        let now = nanos(now);
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            match self.gcra.check(state, now, cost) {
                Err(wait) => return self.gcra.decision(state, now, Some(wait)),
                Ok(next) => {
                    match self
                        .state
                        .compare_exchange_weak(state, next, Ordering::Relaxed, Ordering::Relaxed)
                    {
                        Ok(_) => return self.gcra.decision(next, now, None),
                        Err(seen) => state = seen,
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn threads_together_get_no_more_than_the_burst() {
        let bucket = TokenBucket::new(Quota::per_hour(1_000));
        let allowed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        if bucket.check(Timestamp::from_millis(1), NonZeroU32::MIN).allowed {
                            allowed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(allowed.into_inner(), 1_000);
    }
}
