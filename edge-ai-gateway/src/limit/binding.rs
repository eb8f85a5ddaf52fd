use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{
    Context, Error, ErrorKind, LimitBackend, LimitHold, LimitKey, LimitMeasure, LimitOutcome, LimitRule,
    LimitWindow, Result,
};
use edge_ai_worker::EnvExt;
use worker::{Env, RateLimiter};

/// Counts requests by the [rate limiting binding](https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/): the isolates of one Cloudflare location together, without a wait
/// that could be noticed, "permissive, eventually consistent" and by design not exact.
///
/// The binding's own configuration holds the amount and the period, and does not tell them; so a rule has to have the same, and is checked against what
/// is said here. It tells yes or no: headers say nothing of what is left. What it has counted it cannot give back.
///
/// ```jsonc
/// "ratelimits": [{ "name": "LIMITER", "namespace_id": "1001", "simple": { "limit": 100, "period": 60 } }]
/// ```
#[derive(Debug)]
pub struct RateLimitBinding {
    limiter: RateLimiter,
    requests: u64,
    window: LimitWindow,
}

impl RateLimitBinding {
    /// The binding `name` of the Worker, with the `limit` and `period` that wrangler.jsonc gives it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it is not there, and for another period than 10 or 60 seconds.
    pub fn from_env(env: &Env, name: &str, limit: NonZeroU32, period: Duration) -> Result<Self> {
        let window = match period.as_secs() {
            60 => LimitWindow::MINUTE,
            seconds @ 10 => format!("{seconds}s").parse()?,
            other => {
                let message =
                    format!("the period of the rate limiter `{name}` is 10 or 60 seconds, not {other}");
                return Err(Error::new(ErrorKind::Configuration, message).with_param("period"));
            }
        };
        Ok(Self {
            limiter: env.required_rate_limiter(name)?,
            requests: u64::from(limit.get()),
            window,
        })
    }
}

#[async_trait]
impl LimitBackend for RateLimitBinding {
    fn check_rule(&self, rule: &LimitRule) -> Result<()> {
        let Self { requests, window, .. } = self;
        let fault = if rule.measure != LimitMeasure::Requests {
            (
                "measure",
                "the rate limiting binding counts `requests` alone".to_owned(),
            )
        } else if rule.window != Some(*window) {
            (
                "window",
                format!("the rate limiting binding is configured for `{window}`; it has 10 or 60 seconds"),
            )
        } else if rule.amount != *requests {
            (
                "amount",
                format!("the rate limiting binding is configured for {requests}"),
            )
        } else {
            return Ok(());
        };
        let message = format!("the limit `{}`: `{}`: {}", rule.name, fault.0, fault.1);
        Err(Error::new(ErrorKind::Configuration, message).with_param(fault.0))
    }

    async fn take(&self, key: &LimitKey, _: u64, context: &Context) -> Result<LimitOutcome> {
        let hold = LimitHold { amount: 1, epoch: 0 };
        let window = self.window.length();
        match self.limiter.limit(key.name()).await {
            Ok(outcome) if outcome.success => Ok(LimitOutcome::allowed(None, window, hold)),
            Ok(_) => Ok(LimitOutcome::denied(Some(0), window, window)),
            Err(error) => {
                let name = &key.rule.name;
                context
                    .trail
                    .warn(format!("the limit `{name}` was not counted: {error}"));
                Ok(LimitOutcome::allowed(None, window, hold))
            }
        }
    }

    fn settle(&self, _: &LimitKey, _: LimitHold, _: u64, _: &Context) {}
}
