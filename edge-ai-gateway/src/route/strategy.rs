//! The ways to choose, each over children of any kind: the routes of a definition, or the targets that these lead to.

mod cheapest;
mod condition;
mod fallback;
mod fastest;
mod hedged;
mod listed;
mod matching;
mod sticky;
mod weighted;

use serde::{Deserialize, Serialize};

pub use condition::Condition;
pub use fallback::FallbackOn;
pub use hedged::HedgeAfter;
pub use matching::Matching;
pub use sticky::Affinity;

pub(super) use cheapest::by_cost;
pub(super) use condition::{Sight, When};
pub(super) use fallback::{Fallback, Occasions};
pub(super) use fastest::by_pace;
pub(super) use hedged::{Hedge, Hedged};
pub(super) use sticky::{Sticky, rendezvous, stable_hash};
pub(super) use weighted::{Draw, Weighted, draw};

/// How one of several children is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Strategy<N> {
    /// In the order given.
    Fallback(Fallback<N>),
    /// By chance.
    Weighted(Draw<N>),
    /// By price.
    Cheapest(Vec<N>),
    /// By time.
    Fastest(Vec<N>),
    /// By whose request it is.
    Sticky(Sticky<N>),
    /// By who has content first.
    Hedge(Hedged<N>),
    /// By what is asked.
    When(Box<When<N>>),
}

impl<N> Strategy<N> {
    /// The children, in the order given.
    pub(super) fn children(&self) -> Vec<&N> {
        match self {
            Self::Cheapest(routes) | Self::Fastest(routes) => routes.iter().collect(),
            Self::Fallback(fallback) => fallback.routes.iter().collect(),
            Self::Weighted(draw) => draw.choices.iter().map(|choice| &choice.route).collect(),
            Self::Sticky(sticky) => sticky.routes.iter().collect(),
            Self::Hedge(hedged) => hedged.routes.iter().collect(),
            Self::When(when) => vec![&when.then, &when.otherwise],
        }
    }

    /// The same choice among what `f` makes of the children; `None` when it makes nothing of any.
    pub(super) fn filter_map<M>(self, mut f: impl FnMut(N) -> Option<M>) -> Option<Strategy<M>> {
        let mut all = |routes: Vec<N>| {
            let routes: Vec<_> = routes.into_iter().filter_map(&mut f).collect();
            (!routes.is_empty()).then_some(routes)
        };
        Some(match self {
            Self::Fallback(Fallback { routes, on }) => Strategy::Fallback(Fallback {
                routes: all(routes)?,
                on,
            }),
            Self::Cheapest(routes) => Strategy::Cheapest(all(routes)?),
            Self::Fastest(routes) => Strategy::Fastest(all(routes)?),
            Self::Sticky(sticky) => Strategy::Sticky(Sticky {
                by: sticky.by,
                routes: all(sticky.routes)?,
            }),
            Self::Hedge(hedged) => Strategy::Hedge(Hedged {
                after_ms: hedged.after_ms,
                p95: hedged.p95,
                max_extra: hedged.max_extra,
                routes: all(hedged.routes)?,
            }),
            Self::Weighted(Draw { choices, by }) => {
                let choice = |Weighted { route, weight, name }| {
                    Some(Weighted {
                        route: f(route)?,
                        weight,
                        name,
                    })
                };
                let choices: Vec<_> = choices.into_iter().filter_map(choice).collect();
                if choices.is_empty() {
                    return None;
                }
                Strategy::Weighted(Draw { choices, by })
            }
            Self::When(when) => {
                let When {
                    condition,
                    then,
                    otherwise,
                } = *when;
                // With one of them gone, the other serves everybody: the name must lead somewhere.
                let (then, otherwise) = match (f(then), f(otherwise)) {
                    (Some(then), Some(otherwise)) => (then, otherwise),
                    (Some(only), None) | (None, Some(only)) => {
                        return Some(Strategy::Fallback(Fallback {
                            routes: vec![only],
                            on: None,
                        }));
                    }
                    (None, None) => return None,
                };
                Strategy::When(Box::new(When {
                    condition,
                    then,
                    otherwise,
                }))
            }
        })
    }

    /// What makes the choice impossible, in words for the operator.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let own = match self {
            Self::Weighted(draw) => draw.fault(),
            Self::Hedge(hedged) => hedged.fault(),
            Self::When(when) => when.condition.fault(),
            _ => None,
        };
        own.or_else(|| self.children().is_empty().then_some("has no target"))
    }
}
