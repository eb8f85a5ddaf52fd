use std::time::Duration;

use edge_ai_gateway::RetryPolicy;
use serde::Deserialize;

/// How often targets are tried; what is left out is as [`RetryPolicy`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How often each target is tried, unless the client asks for another number in `cf-aig-max-attempts`.
    pub rounds: Option<u32>,
    /// How often each target is tried at most, whatever the client asks for; as `rounds` where that is more.
    pub max_rounds: Option<u32>,
    /// How many calls one request may cost at most.
    pub max_attempts: Option<u32>,
    /// The longest pause after the first round; it doubles with each further one.
    pub backoff_ms: Option<u32>,
    /// The longest pause of all: a provider that asks for more is not waited for.
    pub max_wait_ms: Option<u32>,
    /// How many second calls to the same target there may be for a hundred requests of an isolate.
    pub retry_percent: Option<u32>,
    /// How many hedges there may be for a hundred requests of an isolate that could be hedged.
    pub hedge_percent: Option<u32>,
}

impl From<RetryConfig> for RetryPolicy {
    fn from(config: RetryConfig) -> Self {
        let mut policy = Self::default();
        policy.rounds = config.rounds.unwrap_or(policy.rounds);
        policy.max_rounds = config.max_rounds.unwrap_or(policy.max_rounds).max(policy.rounds);
        policy.retry_percent = config.retry_percent.unwrap_or(policy.retry_percent);
        policy.hedge_percent = config.hedge_percent.unwrap_or(policy.hedge_percent);
        policy.max_attempts = config.max_attempts.unwrap_or(policy.max_attempts);
        let millis = |millis: u32| Duration::from_millis(millis.into());
        policy.backoff = config.backoff_ms.map_or(policy.backoff, millis);
        policy.max_wait = config.max_wait_ms.map_or(policy.max_wait, millis);
        policy
    }
}
