use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::LimitRule;
use crate::{Context, Result};

/// Counts what is taken of limits: in memory, in a Durable Object, or wherever one's own keeps it.
///
/// - What is [taken](Self::take) is held until it is [settled](Self::settle) to what it was: nothing for what was not used, more for an
///   estimate that was too low. What is never settled counts as held, and ends by itself.
/// - A denied call takes nothing.
/// - Keys do not touch each other.
///
/// The suite `limit_backend` of `edge-ai-testkit` checks an implementation.
#[async_trait]
pub trait LimitBackend: fmt::Debug + Send + Sync + 'static {
    /// Whether it can count this rule: asked before the rule is put to use.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) with the field that it cannot do, and what it can.
    fn check_rule(&self, rule: &LimitRule) -> Result<()> {
        let _ = rule;
        Ok(())
    }

    /// Holds `amount` of what `key` has left, or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when it cannot tell: the request is refused then. A backend that would rather let
    /// requests in answers so, and notes it in the [trail](crate::Trail::warn).
    async fn take(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome>;

    /// Settles a hold to what it was. It waits for nothing: what needs I/O goes to the request's [background](Context::background).
    fn settle(&self, key: &LimitKey, hold: LimitHold, actual: u64, context: &Context);
}

#[async_trait]
impl<T: LimitBackend + ?Sized> LimitBackend for Arc<T> {
    fn check_rule(&self, rule: &LimitRule) -> Result<()> {
        (**self).check_rule(rule)
    }

    async fn take(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome> {
        (**self).take(key, amount, context).await
    }

    fn settle(&self, key: &LimitKey, hold: LimitHold, actual: u64, context: &Context) {
        (**self).settle(key, hold, actual, context);
    }
}

/// What is counted together: a rule, and whom it is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LimitKey {
    /// The rule.
    pub rule: Arc<LimitRule>,
    /// The rule's [identity](LimitRule::identity), and whose it is where it came with a key.
    pub group: Arc<str>,
    /// The values of the rule's scopes; empty for one count for all.
    pub who: Arc<str>,
}

impl LimitKey {
    /// A rule of the gateway's for `who`.
    pub fn new(rule: Arc<LimitRule>, who: impl Into<Arc<str>>) -> Self {
        let group = rule.identity().into();
        Self::in_group(rule, group, who)
    }

    /// The same when the group is made already.
    pub fn in_group(rule: Arc<LimitRule>, group: Arc<str>, who: impl Into<Arc<str>>) -> Self {
        Self {
            rule,
            group,
            who: who.into(),
        }
    }

    /// One text for both, for stores that know only names.
    pub fn name(&self) -> String {
        format!("{}/{}", self.group, self.who)
    }
}

/// A part of a limit that is held for a request under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHold {
    /// How much.
    pub amount: u64,
    /// Of which window or lease, in the backend's own counting.
    pub epoch: u64,
}

/// A backend's answer, with what a client needs to pace itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitOutcome {
    /// Whether the request may go on.
    pub allowed: bool,
    /// What is left after it; `None` where the backend does not tell.
    pub remaining: Option<u64>,
    /// How long until everything may be taken again.
    pub reset_after: Duration,
    /// How long until the same may be taken; zero when it was, [`Duration::MAX`] when it never will be.
    pub retry_after: Duration,
    /// What [`LimitBackend::settle`] gets; nothing when it was denied.
    pub hold: LimitHold,
}

impl LimitOutcome {
    /// The request may go on.
    pub const fn allowed(remaining: Option<u64>, reset_after: Duration, hold: LimitHold) -> Self {
        Self {
            allowed: true,
            remaining,
            reset_after,
            retry_after: Duration::ZERO,
            hold,
        }
    }

    /// It may not.
    pub const fn denied(remaining: Option<u64>, reset_after: Duration, retry_after: Duration) -> Self {
        Self {
            allowed: false,
            remaining,
            reset_after,
            retry_after,
            hold: LimitHold { amount: 0, epoch: 0 },
        }
    }
}
