use std::fmt;

use serde::{Deserialize, Serialize};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitMeasure {
    /// Requests that were let in.
    Requests,
    /// Tokens of input and output: an estimate is reserved, then settled to what it was.
    Tokens,
    /// Tokens of input.
    InputTokens,
    /// Tokens of output.
    OutputTokens,
    /// Nano-dollars, by the price of the model.
    Spend,
    /// Requests under way, to the end of their streams.
    Concurrency,
}

impl LimitMeasure {
    /// Every measure.
    pub const ALL: [Self; 6] = [
        Self::Requests,
        Self::Tokens,
        Self::InputTokens,
        Self::OutputTokens,
        Self::Spend,
        Self::Concurrency,
    ];

    /// The name in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Spend => "spend",
            Self::Concurrency => "concurrency",
        }
    }
}

impl fmt::Display for LimitMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitScope {
    /// Each client address; an IPv6 address counts by its /64.
    Ip,
    /// Each key, by its public identifier; callers without one share a count.
    Key,
    /// Each tenant; callers without one share a count.
    Tenant,
    /// Each model name as clients write it, a route's among them.
    Model,
    /// Each `provider/model` that is called.
    RoutedModel,
    /// Each provider that is called.
    Provider,
}

impl LimitScope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::Ip,
        Self::Key,
        Self::Tenant,
        Self::Model,
        Self::RoutedModel,
        Self::Provider,
    ];

    /// The name in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Key => "key",
            Self::Tenant => "tenant",
            Self::Model => "model",
            Self::RoutedModel => "routed_model",
            Self::Provider => "provider",
        }
    }
}

impl fmt::Display for LimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
