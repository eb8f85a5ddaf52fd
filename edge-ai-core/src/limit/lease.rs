//! Leases: parts of a limit that one office grants to many isolates.

mod backend;
mod ledger;
mod local;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{LimitKey, LimitMeasure, LimitRule, LimitWindow};
use crate::Result;

pub use backend::{LeaseFallback, LeaseOptions, LeasedLimits};
pub use ledger::LeaseLedger;

/// Where leases come from: a Durable Object, or in a simulation, a [`LeaseLedger`] at hand.
#[async_trait]
pub trait LeaseOffice: fmt::Debug + Send + Sync + 'static {
    /// Tells what was spent and asks for more.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when it cannot be reached. It may have heard the question all the same: totals, not differences, go
    /// to and fro, so that an answer that is lost or late does no harm.
    async fn lease(&self, key: &LimitKey, ask: LeaseAsk) -> Result<LeaseGrant>;
}

#[async_trait]
impl<T: LeaseOffice + ?Sized> LeaseOffice for Arc<T> {
    async fn lease(&self, key: &LimitKey, ask: LeaseAsk) -> Result<LeaseGrant> {
        (**self).lease(key, ask).await
    }
}

/// What an isolate tells the office, in totals of its present lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseAsk {
    /// What is limited.
    pub terms: LeaseTerms,
    /// A number that no other isolate has.
    pub isolate: u64,
    /// Which lease the totals are of; `None` before the office has named one.
    pub epoch: Option<u64>,
    /// Spent so far.
    pub spent: u64,
    /// Given back so far.
    pub returned: u64,
    /// The least that helps the request that waits; nothing when none does.
    pub need: u64,
    /// What is wished for.
    pub want: u64,
}

/// What the office must know of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseTerms {
    /// What is counted.
    pub measure: LimitMeasure,
    /// How much.
    pub amount: u64,
    /// In how long.
    pub window: Option<LimitWindow>,
    /// How long a lease lasts, in milliseconds.
    pub lease_ms: u64,
}

impl LeaseTerms {
    /// The terms of a rule whose leases last so long.
    pub fn new(rule: &LimitRule, lease: Duration) -> Self {
        Self {
            measure: rule.measure,
            amount: rule.amount,
            window: rule.window,
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn rule(&self) -> LimitRule {
        LimitRule::new(self.measure, self.amount, self.window)
    }
}

/// The office's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseGrant {
    /// Which lease it is; a later one has a larger number.
    pub epoch: u64,
    /// Granted so far in this lease, in all.
    pub granted: u64,
    /// What is left for others.
    pub left: u64,
    /// How long the lease lasts, in milliseconds from the question on.
    pub lasts_ms: u64,
    /// How long until everything is there again, in milliseconds.
    pub reset_ms: u64,
    /// How long until what was needed may be there, in milliseconds; nothing when it was granted.
    pub retry_ms: u64,
}
