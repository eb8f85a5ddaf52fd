use std::time::Duration;

use edge_ai_core::Money;
use serde::{Deserialize, Serialize};

/// What a run may take. Every limit is checked before a step's tools are called and before the model is asked; the answer that goes over one is kept,
/// and one without calls is still the end of the run.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_agent::RunLimits;
///
/// let limits = RunLimits::default().steps(8).tokens(50_000).time(Duration::from_secs(120));
/// assert_eq!((limits.steps, limits.tokens), (8, Some(50_000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunLimits {
    /// How often the model is asked; 20 unless told otherwise.
    pub steps: u32,
    /// How many tools are called; no limit unless told otherwise. A step whose calls would go over it makes none of them.
    pub tool_calls: Option<u32>,
    /// Tokens, in and out, of all steps. Where a vendor tells none, they are estimated.
    pub tokens: Option<u64>,
    /// What all steps cost, by the agent's [price](crate::AgentBuilder::price).
    pub cost: Option<Money>,
    /// Working time: neither waiting for people nor lying still after a crash counts.
    pub time: Option<Duration>,
    /// How often an answer that does not fit the output's form is asked for again; 2 unless told otherwise.
    pub output_retries: u32,
    /// How many tools work at once; 6 unless told otherwise, a Worker's
    /// [connections](https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections).
    pub parallel_tools: u32,
    /// How long a tool may take; a minute unless told otherwise. What takes longer is told to the model.
    pub tool_timeout: Duration,
    /// How long one answer of the model may take; ten minutes unless told otherwise.
    pub model_timeout: Duration,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            steps: 20,
            tool_calls: None,
            tokens: None,
            cost: None,
            time: None,
            output_retries: 2,
            parallel_tools: 6,
            tool_timeout: Duration::from_secs(60),
            model_timeout: Duration::from_secs(600),
        }
    }
}

impl RunLimits {
    /// Sets [`steps`](Self::steps).
    #[must_use]
    pub const fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// Sets [`tool_calls`](Self::tool_calls).
    #[must_use]
    pub const fn tool_calls(mut self, calls: u32) -> Self {
        self.tool_calls = Some(calls);
        self
    }

    /// Sets [`tokens`](Self::tokens).
    #[must_use]
    pub const fn tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets [`cost`](Self::cost).
    #[must_use]
    pub const fn cost(mut self, cost: Money) -> Self {
        self.cost = Some(cost);
        self
    }

    /// Sets [`time`](Self::time).
    #[must_use]
    pub const fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets [`output_retries`](Self::output_retries).
    #[must_use]
    pub const fn output_retries(mut self, retries: u32) -> Self {
        self.output_retries = retries;
        self
    }

    /// Sets [`parallel_tools`](Self::parallel_tools).
    #[must_use]
    pub const fn parallel_tools(mut self, tools: u32) -> Self {
        self.parallel_tools = tools;
        self
    }

    /// Sets [`tool_timeout`](Self::tool_timeout).
    #[must_use]
    pub const fn tool_timeout(mut self, timeout: Duration) -> Self {
        self.tool_timeout = timeout;
        self
    }

    /// Sets [`model_timeout`](Self::model_timeout).
    #[must_use]
    pub const fn model_timeout(mut self, timeout: Duration) -> Self {
        self.model_timeout = timeout;
        self
    }
}
