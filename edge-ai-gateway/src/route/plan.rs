use std::sync::Arc;

use edge_ai_core::{Entropy, Timestamp};

use super::asked::Asked;
use super::pace::Paces;
use super::strategy::{Strategy, by_cost, by_pace, draw, rendezvous, stable_hash};
use super::target::Target;
use super::tree::{Node, Route};
use crate::usage::PriceTable;

/// A route whose targets are found.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// A model.
    Target(Target),
    /// A choice.
    By(Strategy<Plan>),
}

/// What an order depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chooser<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) prices: &'a PriceTable,
    pub(super) paces: &'a Paces,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) now: Timestamp,
}

impl Plan {
    /// The route with what `find` finds for its targets; `None` when that is nothing at all.
    pub(super) fn new(route: Route, find: &impl Fn(&str) -> Option<Target>) -> Option<Self> {
        match route.node {
            Node::Target(name) => find(&name).map(Self::Target),
            Node::By(strategy) => strategy.filter_map(|route| Self::new(route, find)).map(Self::By),
        }
    }

    /// The targets for a request, first choice first, each once. Those whose context window is too small come last.
    pub(super) fn order(&self, chooser: &Chooser<'_>) -> Vec<Target> {
        let mut order: Vec<Target> = Vec::new();
        for target in self.choose(chooser) {
            let known = |other: &Target| other.name() == target.name();
            if !order.iter().any(known) {
                order.push(target);
            }
        }
        if order.len() > 1 && order.iter().any(|target| target.window.is_some()) {
            let tokens = chooser.asked.prompt_tokens();
            order.sort_by_key(|target| target.is_too_small_for(tokens));
        }
        order
    }

    fn choose(&self, chooser: &Chooser<'_>) -> Vec<Target> {
        let strategy = match self {
            Self::Target(target) => return vec![target.clone()],
            Self::By(strategy) => strategy,
        };
        let in_turn =
            |plans: &[Self]| -> Vec<Target> { plans.iter().flat_map(|plan| plan.choose(chooser)).collect() };
        match strategy {
            Strategy::Fallback(fallback) => {
                let mut targets = in_turn(&fallback.routes);
                if let Some(occasions) = fallback.occasions() {
                    for target in &mut targets {
                        target.occasions.get_or_insert(occasions);
                    }
                }
                targets
            }
            Strategy::Cheapest(plans) => by_cost(in_turn(plans), chooser.asked, chooser.prices),
            Strategy::Fastest(plans) => by_pace(
                in_turn(plans),
                chooser.asked,
                chooser.paces,
                chooser.entropy,
                chooser.now,
            ),
            Strategy::Weighted(draw) => {
                let order = draw.order(chooser.asked.context, chooser.entropy);
                let choices = || order.iter().filter_map(|at| draw.choices.get(*at));
                let mut targets: Vec<_> = choices()
                    .flat_map(|choice| choice.route.choose(chooser))
                    .collect();
                let drawn = choices().next().and_then(|choice| choice.name.as_deref());
                if let Some(variant) = drawn.map(Arc::from) {
                    targets.iter_mut().for_each(|target| target.is_in(&variant));
                }
                targets
            }
            Strategy::Sticky(sticky) => {
                let order = match sticky.by.key(chooser.asked.context) {
                    Some(key) => rendezvous(sticky.routes.iter().map(Self::identity), key),
                    None => draw(sticky.routes.iter().map(|_| 1), chooser.entropy),
                };
                order
                    .into_iter()
                    .filter_map(|at| sticky.routes.get(at))
                    .flat_map(|plan| plan.choose(chooser))
                    .collect()
            }
            Strategy::Hedge(hedged) => {
                let mut targets = in_turn(&hedged.routes);
                if let Some((_, but_the_last)) = targets.split_last_mut() {
                    for target in but_the_last {
                        target.hedge.get_or_insert(hedged.hedge());
                    }
                }
                targets
            }
            Strategy::When(when) if when.condition.holds(chooser.asked) => when.then.choose(chooser),
            Strategy::When(when) => when.otherwise.choose(chooser),
        }
    }

    /// The same wherever and whenever it leads to the same targets.
    fn identity(&self) -> u64 {
        let mut targets = Vec::new();
        self.collect(&mut targets);
        stable_hash(targets.iter().map(|target| &**target.name()))
    }

    /// The target that it leads to whatever is asked.
    pub(super) fn alone(&self) -> Option<&Target> {
        let mut targets = Vec::new();
        self.collect(&mut targets);
        let (first, others) = targets.split_first()?;
        others
            .iter()
            .all(|other| other.name() == first.name())
            .then_some(*first)
    }

    pub(super) fn collect<'a>(&'a self, targets: &mut Vec<&'a Target>) {
        match self {
            Self::Target(target) => targets.push(target),
            Self::By(strategy) => strategy
                .children()
                .into_iter()
                .for_each(|plan| plan.collect(targets)),
        }
    }

    /// The targets whose pace decides something.
    pub(super) fn raced<'a>(&'a self, targets: &mut Vec<&'a Target>) {
        match self {
            Self::By(Strategy::Fastest(_)) => self.collect(targets),
            Self::By(Strategy::Hedge(hedged)) if hedged.p95 => self.collect(targets),
            Self::By(strategy) => strategy
                .children()
                .into_iter()
                .for_each(|plan| plan.raced(targets)),
            Self::Target(_) => {}
        }
    }
}
