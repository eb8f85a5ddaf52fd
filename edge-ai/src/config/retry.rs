use std::time::Duration;

use edge_ai_gateway::RetryPolicy;
use serde::Deserialize;

/// How often targets are tried; what is left out is as [`RetryPolicy`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How often each target is tried at most.
    pub rounds: Option<u32>,
    /// How many calls one request may cost at most.
    pub max_attempts: Option<u32>,
    /// The longest pause after the first round; it doubles with each further one.
    pub backoff_ms: Option<u32>,
    /// The longest pause of all: a provider that asks for more is not waited for.
    pub max_wait_ms: Option<u32>,
}

impl From<RetryConfig> for RetryPolicy {
    fn from(config: RetryConfig) -> Self {
        let mut policy = Self::default();
        policy.rounds = config.rounds.unwrap_or(policy.rounds);
        policy.max_attempts = config.max_attempts.unwrap_or(policy.max_attempts);
        let millis = |millis: u32| Duration::from_millis(millis.into());
        policy.backoff = config.backoff_ms.map_or(policy.backoff, millis);
        policy.max_wait = config.max_wait_ms.map_or(policy.max_wait, millis);
        policy
    }
}
