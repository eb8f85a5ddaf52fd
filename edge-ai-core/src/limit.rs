//! Rate limits: the trait, and a token bucket as pure arithmetic, as one atomic, and as a bounded map.

mod account;
mod backend;
mod bucket;
mod gcra;
mod isolate;
mod keyed;
mod lease;
mod rule;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

pub use account::LimitAccount;
pub use backend::{LimitBackend, LimitHold, LimitKey, LimitOutcome};
pub use bucket::TokenBucket;
pub use gcra::Gcra;
pub use isolate::IsolateLimits;
pub use keyed::KeyedTokenBuckets;
pub use lease::{
    LeaseAsk, LeaseFallback, LeaseGrant, LeaseLedger, LeaseOffice, LeaseOptions, LeaseTerms, LeasedLimits,
};
pub use rule::{LimitFilter, LimitMeasure, LimitRule, LimitScope, LimitWindow};

/// Decides whether a caller may go on.
#[async_trait]
pub trait RateLimiter: fmt::Debug + Send + Sync + 'static {
    /// Takes `cost` from what `key` may spend, or takes nothing and says when to come back.
    ///
    /// - A denied call costs nothing.
    /// - Keys do not touch each other.
    /// - A cost over the quota's burst is always denied.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when a remote limiter fails; an in-memory one never does.
    async fn check(&self, key: &str, cost: NonZeroU32) -> Result<Decision>;
}

#[async_trait]
impl<T: RateLimiter + ?Sized> RateLimiter for Arc<T> {
    async fn check(&self, key: &str, cost: NonZeroU32) -> Result<Decision> {
        (**self).check(key, cost).await
    }
}

/// How much in how long: `requests` at once, refilled evenly over `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    requests: NonZeroU32,
    period: Duration,
}

impl Quota {
    /// `requests` in every `period`.
    ///
    /// A period under one nanosecond a request, or over a year, is taken as that.
    pub const fn new(requests: NonZeroU32, period: Duration) -> Self {
        const YEAR: u64 = 366 * 24 * 3_600;
        let period = if period.as_secs() >= YEAR {
            Duration::from_secs(YEAR)
        } else if period.as_nanos() < requests.get() as u128 {
            Duration::from_nanos(requests.get() as u64)
        } else {
            period
        };
        Self { requests, period }
    }

    /// What may be spent at once, and in every [`period`](Self::period) on average.
    pub const fn requests(&self) -> NonZeroU32 {
        self.requests
    }

    /// How long a full refill takes; at least a nanosecond for each request.
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// `requests` in every second. Zero is taken as one.
    pub const fn per_second(requests: u32) -> Self {
        Self::new(at_least_one(requests), Duration::from_secs(1))
    }

    /// `requests` in every minute. Zero is taken as one.
    pub const fn per_minute(requests: u32) -> Self {
        Self::new(at_least_one(requests), Duration::from_secs(60))
    }

    /// `requests` in every hour. Zero is taken as one.
    pub const fn per_hour(requests: u32) -> Self {
        Self::new(at_least_one(requests), Duration::from_secs(3_600))
    }
}

const fn at_least_one(requests: u32) -> NonZeroU32 {
    match NonZeroU32::new(requests) {
        Some(requests) => requests,
        None => NonZeroU32::MIN,
    }
}

/// A limiter's answer, with what a client needs to pace itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// The quota it was held against.
    pub quota: Quota,
    /// What may still be spent at once.
    pub remaining: u32,
    /// How long until everything may be spent at once again.
    pub reset_after: Duration,
    /// How long until the same call is allowed; zero when it is, [`Duration::MAX`] when it never will be.
    pub retry_after: Duration,
}

impl Decision {
    /// A decision by a limiter of another kind.
    pub const fn new(
        allowed: bool,
        quota: Quota,
        remaining: u32,
        reset_after: Duration,
        retry_after: Duration,
    ) -> Self {
        Self {
            allowed,
            quota,
            remaining,
            reset_after,
            retry_after,
        }
    }
}
