use std::fmt;
use std::sync::Arc;

use edge_ai_core::{
    Context, LimitBackend, LimitHold, LimitKey, LimitMeasure, LimitOutcome, Money, Outcome, Usage,
    UsageRecord,
};

use super::gate::nano_dollars;

/// What a request has taken of the limits so far. It is settled once: to what the request took, or, when it is dropped before anybody was
/// asked, to the request alone.
#[derive(Default)]
pub(crate) struct Holds {
    held: Vec<Held>,
    told: Vec<Told>,
    context: Context,
}

struct Held {
    backend: Arc<dyn LimitBackend>,
    key: LimitKey,
    hold: LimitHold,
}

/// A rule with where its caller stands, for the headers.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) key: LimitKey,
    pub(super) outcome: LimitOutcome,
}

/// What a request took in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actual {
    /// `None` when there is an answer whose vendor told nothing: then the estimate holds.
    pub(crate) usage: Option<Usage>,
    pub(crate) cost: Option<Money>,
}

impl Actual {
    /// What is in a record that is complete.
    pub(crate) fn of(record: &UsageRecord) -> Self {
        let untold = record.outcome == Outcome::Ok && !record.attempts.is_empty();
        Self {
            usage: record.usage.or((!untold).then(Usage::default)),
            cost: record.cost,
        }
    }
}

impl Holds {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            held: Vec::new(),
            told: Vec::new(),
            context,
        }
    }

    pub(super) fn add(&mut self, backend: Arc<dyn LimitBackend>, key: LimitKey, hold: LimitHold) {
        self.held.push(Held { backend, key, hold });
    }

    pub(super) fn tell(&mut self, key: LimitKey, outcome: LimitOutcome) {
        self.told.push(Told { key, outcome });
    }

    /// Whether nothing was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    /// Counts the requests: from here on they stay counted, whatever comes of them.
    pub(crate) fn count_requests(&mut self) {
        let requests = |held: &mut Held| held.key.rule.measure == LimitMeasure::Requests;
        let counted: Vec<Held> = self.held.extract_if(.., requests).collect();
        for held in counted {
            held.backend
                .settle(&held.key, held.hold, held.hold.amount, &self.context);
        }
    }

    /// Gives everything back: the request was refused.
    pub(super) fn give_back(&mut self) {
        self.end(|_, _| 0);
    }

    /// Puts what it took in the place of what was held.
    pub(crate) fn settle(mut self, actual: &Actual) {
        self.end(|measure, held| {
            let Some(usage) = actual.usage.filter(|_| measure != LimitMeasure::Requests) else {
                return held;
            };
            match measure {
                LimitMeasure::Tokens => usage.total_tokens(),
                LimitMeasure::InputTokens => usage.input_tokens,
                LimitMeasure::OutputTokens => usage.output_tokens,
                LimitMeasure::Spend => actual.cost.map_or(0, nano_dollars),
                _ => 0,
            }
        });
    }

    fn end(&mut self, actual: impl Fn(LimitMeasure, u64) -> u64) {
        for held in self.held.drain(..) {
            let amount = actual(held.key.rule.measure, held.hold.amount);
            held.backend.settle(&held.key, held.hold, amount, &self.context);
        }
    }
}

impl Drop for Holds {
    fn drop(&mut self) {
        self.end(|measure, held| {
            if measure == LimitMeasure::Requests {
                held
            } else {
                0
            }
        });
    }
}

impl fmt::Debug for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holds")
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}
