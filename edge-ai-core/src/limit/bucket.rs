use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Decision, Gcra, Quota};
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

    /// Takes `cost`, or nothing when there is less, and tells all about it.
    pub fn check(&self, now: Timestamp, cost: NonZeroU32) -> Decision {
        match self.advance(now.as_nanos(), cost) {
            Ok(state) => self.gcra.decision(state, now.as_nanos(), None),
            Err((state, wait)) => self.gcra.decision(state, now.as_nanos(), Some(wait)),
        }
    }

    /// Takes `cost`, or nothing when there is less: for those who need no more than yes or no.
    ///
    /// # Errors
    /// The time until the same call is allowed; [`Duration::MAX`] when it never will be.
    pub fn take(&self, now: Timestamp, cost: NonZeroU32) -> Result<(), Duration> {
        match self.advance(now.as_nanos(), cost) {
            Ok(_) => Ok(()),
            Err((_, u64::MAX)) => Err(Duration::MAX),
            Err((_, wait)) => Err(Duration::from_nanos(wait)),
        }
    }

    /// The new state, or the old one and the wait.
    #[inline]
    fn advance(&self, now: u64, cost: NonZeroU32) -> Result<u64, (u64, u64)> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let next = self.gcra.check(state, now, cost).map_err(|wait| (state, wait))?;
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(next),
                Err(seen) => state = seen,
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
