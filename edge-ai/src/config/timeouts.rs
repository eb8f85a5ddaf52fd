use std::time::Duration;

use edge_ai_gateway::Timeouts;
use serde::Deserialize;

/// How long things may take, in seconds; what is left out is as [`Timeouts`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TimeoutsConfig {
    /// Until a whole answer, or the first content of a stream, is there, over all calls and pauses.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub total_seconds: Option<u32>,
    /// Until a whole answer is there, for one call.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub answer_seconds: Option<u32>,
    /// Until the first content of a stream is there, for one call.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub first_token_seconds: Option<u32>,
    /// Between two frames of a stream.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub idle_seconds: Option<u32>,
}

impl From<TimeoutsConfig> for Timeouts {
    /// Zero is taken as nothing: no time at all would answer nobody.
    fn from(config: TimeoutsConfig) -> Self {
        let mut timeouts = Self::default();
        for (seconds, limit) in [
            (config.total_seconds, &mut timeouts.total),
            (config.answer_seconds, &mut timeouts.answer),
            (config.first_token_seconds, &mut timeouts.first_token),
            (config.idle_seconds, &mut timeouts.idle),
        ] {
            if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
                *limit = Duration::from_secs(seconds.into());
            }
        }
        timeouts
    }
}
