use std::fmt;

use async_trait::async_trait;
use edge_ai_core::{Context, LimitMeasure, Money, Result};

use super::Holds;

/// What the gateway and the router ask before they go on. An object, so that a gateway without limits does not carry them.
#[async_trait]
pub(crate) trait Gate: fmt::Debug + Send + Sync {
    /// Holds a request to the rules of a stage. What was taken before stays in `holds`.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`](edge_ai_core::ErrorKind::RateLimited) or, for spend, [`QuotaExceeded`](edge_ai_core::ErrorKind::QuotaExceeded): everything in `holds` is given back then.
    async fn admit(&self, asking: &Asking<'_>, holds: &mut Holds) -> Result<()>;

    /// Whether a rule of the stage is there at all.
    fn has(&self, stage: Stage, context: &Context) -> bool;
}

/// How much is known of a request when a rule is applied: as soon as enough is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The client's address.
    Address,
    /// The key and tenant.
    Caller,
    /// The model that is asked for, and the size.
    Asked,
    /// The provider and model that is to be called.
    Target,
}

/// A request at a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) stage: Stage,
    pub(crate) context: &'a Context,
    /// As the client wrote it.
    pub(crate) model: &'a str,
    /// The provider's name, and its name for the model.
    pub(crate) target: Option<(&'a str, &'a str)>,
    pub(crate) estimate: Estimate,
}

impl<'a> Asking<'a> {
    /// Before the body is read.
    pub(crate) fn early(stage: Stage, context: &'a Context) -> Self {
        Self {
            stage,
            context,
            model: "",
            target: None,
            estimate: Estimate::default(),
        }
    }
}

/// What a request is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// `None` when no price is known.
    pub(crate) cost: Option<Money>,
}

impl Estimate {
    /// How much of a measure; `None` where it cannot be told.
    pub(super) fn of(&self, measure: LimitMeasure) -> Option<u64> {
        match measure {
            LimitMeasure::Requests | LimitMeasure::Concurrency => Some(1),
            LimitMeasure::Tokens => Some(self.input.saturating_add(self.output)),
            LimitMeasure::InputTokens => Some(self.input),
            LimitMeasure::OutputTokens => Some(self.output),
            LimitMeasure::Spend => self.cost.map(nano_dollars),
            _ => None,
        }
    }
}

pub(super) fn nano_dollars(cost: Money) -> u64 {
    u64::try_from(cost.as_nano_dollars()).unwrap_or(0)
}
