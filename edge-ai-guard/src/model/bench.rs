//! Rules made ready for use.

use std::sync::Arc;

use edge_ai_core::{ChatInput, GuardAction};

use crate::guard::{Phase, Source};
use crate::matcher::Matcher;
use crate::placeholder::Placeholders;
use crate::rules::{Guardrails, Rule, StreamMode};
use crate::scan::{Encoding, Scanner};

/// The rules, those that tell by a matcher apart from those that look at everything at once.
#[derive(Debug)]
pub(super) struct Bench {
    matching: Vec<(Rule, Arc<dyn Matcher>)>,
    whole: Vec<Rule>,
}

/// The matchers of one action, and the rule of each.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) matchers: Arc<[Arc<dyn Matcher>]>,
    pub(super) rules: Vec<Mark>,
}

/// Whose a match is.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    Guard {
        name: Arc<str>,
        restore: bool,
    },
    /// A name that stands for a text of the request.
    Placeholder,
}

/// What is looked for in texts of one source. What blocks and what is replaced are looked for apart, so that neither hides the other.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    pub(super) block: Lane,
    pub(super) edit: Lane,
    pub(super) flags: Vec<Lane>,
}

impl Bench {
    pub(super) fn new(rails: Guardrails) -> Self {
        let mut bench = Self {
            matching: Vec::new(),
            whole: Vec::new(),
        };
        for rule in rails.rules {
            match rule.guard.matcher().filter(|_| rule.action != GuardAction::Retry) {
                Some(matcher) => bench.matching.push((rule, matcher)),
                None => bench.whole.push(rule),
            }
        }
        bench
    }

    pub(super) fn looks_at(&self, phase: Phase) -> bool {
        let mut rules = self.matching.iter().map(|(rule, _)| rule).chain(&self.whole);
        rules.any(|rule| rule.looks_at(phase))
    }

    /// Whether something may be replaced.
    pub(super) fn redacts(&self, phase: Phase) -> bool {
        let mut rules = self.matching.iter().map(|(rule, _)| rule).chain(&self.whole);
        rules.any(|rule| rule.looks_at(phase) && rule.action == GuardAction::Redact)
    }

    /// The rules that look at everything at once.
    pub(super) fn whole(&self, phase: Phase) -> impl Iterator<Item = &Rule> {
        self.whole.iter().filter(move |rule| rule.looks_at(phase))
    }

    /// Whether an answer must be there before any of it goes out.
    pub(super) fn holds(&self, input: &ChatInput) -> bool {
        self.whole(Phase::Answer)
            .any(|rule| holds(rule) && rule.guard.concerns(input))
    }

    /// Whether an answer is looked at when all of it has gone out.
    pub(super) fn checks_at_end(&self, input: &ChatInput) -> bool {
        self.whole(Phase::Answer)
            .any(|rule| !holds(rule) && rule.guard.concerns(input))
    }

    pub(super) fn lanes(&self, phase: Phase, source: Source, names: Option<&Arc<Placeholders>>) -> Lanes {
        let rules = || {
            let of_phase = self.matching.iter().filter(move |(rule, _)| rule.looks_at(phase));
            of_phase.filter(move |(rule, _)| rule.looks_at_source(source))
        };
        let of = |action| rules().filter(move |(rule, _)| rule.action == action);
        let mut edit: Vec<(Mark, Arc<dyn Matcher>)> = of(GuardAction::Redact).map(marked).collect();
        // A thought stays as the model wrote it: its vendor may want it back so.
        if let Some(names) = names.filter(|names| !names.is_empty() && source != Source::Reasoning) {
            edit.push((Mark::Placeholder, Arc::clone(names) as Arc<dyn Matcher>));
        }
        Lanes {
            block: lane(of(GuardAction::Block).map(marked)),
            edit: lane(edit),
            flags: of(GuardAction::Flag).map(|rule| lane([marked(rule)])).collect(),
        }
    }
}

/// Whether a rule needs the answer before any of it goes out.
pub(super) fn holds(rule: &Rule) -> bool {
    match rule.action {
        GuardAction::Flag => false,
        GuardAction::Block => rule.stream == StreamMode::Hold,
        _ => true,
    }
}

fn marked((rule, matcher): &(Rule, Arc<dyn Matcher>)) -> (Mark, Arc<dyn Matcher>) {
    let mark = Mark::Guard {
        name: rule.guard.name().into(),
        restore: rule.restore,
    };
    (mark, Arc::clone(matcher))
}

fn lane(matchers: impl IntoIterator<Item = (Mark, Arc<dyn Matcher>)>) -> Lane {
    let (rules, matchers): (Vec<_>, Vec<_>) = matchers.into_iter().unzip();
    Lane {
        matchers: matchers.into(),
        rules,
    }
}

impl Lane {
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A scanner, if there is something to look for.
    pub(super) fn scanner(&self, encoding: Encoding) -> Option<Scanner> {
        (!self.is_empty()).then(|| Scanner::new(Arc::clone(&self.matchers), encoding))
    }

    /// The guard of a match; `None` for a placeholder.
    pub(super) fn guard(&self, matcher: usize) -> Option<(&str, bool)> {
        match self.rules.get(matcher)? {
            Mark::Guard { name, restore } => Some((name, *restore)),
            Mark::Placeholder => None,
        }
    }
}
