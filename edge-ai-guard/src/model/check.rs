//! What the guards say of texts that are there as a whole.

use std::sync::Arc;

use edge_ai_core::{ChatInput, ChatModel, Context, Error, GuardAction, GuardNote, Result};

use super::bench::{Bench, Lane, Lanes};
use super::edit::{Edit, written};
use super::refusal::{self, Refused};
use crate::guard::{Finding, Passage, Phase, Source, View};
use crate::placeholder::{self, Placeholders};
use crate::rules::{OnFailure, Rule};
use crate::scan::{Hit, find_all};

/// By what a text is replaced.
pub(super) enum Names<'a> {
    /// In a request: by a name that is kept.
    Give(&'a mut Placeholders),
    /// In an answer: by a mark; and names by what they stand for.
    Restore(&'a Arc<Placeholders>),
}

impl Names<'_> {
    fn replacement(&mut self, lane: &Lane, hit: &Hit) -> String {
        match (self, lane.guard(hit.matcher)) {
            (Self::Give(names), Some((_, true))) => names.name(&hit.category, &hit.text),
            (Self::Give(names), _) => names.name_for_good(&hit.category, &hit.text),
            (Self::Restore(names), _) => replacement(lane, hit.matcher, &hit.category, &hit.text, names),
        }
    }
}

/// Looks for whatever can be told by a matcher.
///
/// # Errors
/// The refusal, for something that blocks.
pub(super) fn matched(
    bench: &Bench,
    phase: Phase,
    passages: &[Passage<'_>],
    mut names: Names<'_>,
    context: &Context,
) -> Result<Vec<Edit>> {
    let restore = match &names {
        Names::Restore(names) => Some(Arc::clone(names)),
        Names::Give(_) => None,
    };
    let mut known: Vec<(Source, Lanes)> = Vec::new();
    let mut lanes_of = |source: Source| {
        if let Some((_, lanes)) = known.iter().find(|(of, _)| *of == source) {
            return lanes.clone();
        }
        let lanes = bench.lanes(phase, source, restore.as_ref());
        known.push((source, lanes.clone()));
        lanes
    };
    let lanes: Vec<Lanes> = passages.iter().map(|passage| lanes_of(passage.source)).collect();
    let looked = || passages.iter().zip(&lanes).enumerate();
    for (_, (passage, lanes)) in looked() {
        if let Some(hit) = find_all(&passage.text, passage.encoding, &lanes.block.matchers).first() {
            let (guard, _) = lanes.block.guard(hit.matcher).unwrap_or_default();
            return Err(block(context, phase, guard, &hit.category, &passage.place, None));
        }
    }
    let mut edits = Vec::new();
    for (index, (passage, lanes)) in looked() {
        for lane in &lanes.flags {
            for hit in find_all(&passage.text, passage.encoding, &lane.matchers) {
                note(
                    context,
                    lane,
                    hit.matcher,
                    &hit.category,
                    GuardAction::Flag,
                    &passage.place,
                );
            }
        }
        for hit in find_all(&passage.text, passage.encoding, &lanes.edit.matchers) {
            note(
                context,
                &lanes.edit,
                hit.matcher,
                &hit.category,
                GuardAction::Redact,
                &passage.place,
            );
            let replacement = names.replacement(&lanes.edit, &hit);
            edits.push(Edit {
                passage: index,
                span: hit.span,
                replacement: written(&replacement, passage.encoding, hit.bare),
            });
        }
    }
    Ok(edits)
}

/// What stands in the place of a match in an answer.
pub(super) fn replacement(
    lane: &Lane,
    matcher: usize,
    category: &str,
    text: &str,
    names: &Placeholders,
) -> String {
    match lane.guard(matcher) {
        Some(_) => placeholder::mark(category),
        None => names.original(text).unwrap_or(text).to_owned(),
    }
}

/// Notes a match in the request's trail; a name that is put back is no finding.
pub(super) fn note(
    context: &Context,
    lane: &Lane,
    matcher: usize,
    category: &str,
    action: GuardAction,
    place: &str,
) {
    if let Some((guard, _)) = lane.guard(matcher) {
        context
            .trail
            .add_guard(GuardNote::new(guard, category, action, place));
    }
}

/// Notes a refusal, and makes the error.
pub(super) fn block(
    context: &Context,
    phase: Phase,
    guard: &str,
    category: &str,
    place: &str,
    detail: Option<&str>,
) -> Error {
    context
        .trail
        .add_guard(GuardNote::new(guard, category, GuardAction::Block, place));
    let refused = Refused {
        phase,
        guard,
        category,
        place,
        detail,
    };
    refused.error()
}

/// What guards that look at everything at once want done.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) edits: Vec<Edit>,
    pub(super) retry: Option<Retry>,
}

/// The model is to be asked again.
#[derive(Debug)]
pub(super) struct Retry {
    /// How often at most.
    pub(super) times: u32,
    /// Why, for the model.
    pub(super) reason: String,
    /// What the client is told when that was of no use.
    pub(super) error: Error,
    pub(super) note: GuardNote,
}

/// Everything that guards may look at.
pub(super) struct Looked<'a> {
    pub(super) phase: Phase,
    pub(super) passages: &'a [Passage<'a>],
    pub(super) question: &'a [Passage<'a>],
    pub(super) input: &'a ChatInput,
    pub(super) calls_tools: bool,
    pub(super) model: &'a dyn ChatModel,
    pub(super) context: &'a Context,
}

/// Asks the guards that look at everything at once.
///
/// # Errors
/// The refusal, for a finding that blocks; and that of a guard which fails and is closed then.
pub(super) async fn whole(
    rules: impl Iterator<Item = &Rule> + Send,
    looked: Looked<'_>,
    mut names: Option<&mut Placeholders>,
) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    for rule in rules {
        if looked.phase == Phase::Answer && !rule.guard.concerns(looked.input) {
            continue;
        }
        let (places, passages): (Vec<usize>, Vec<Passage<'_>>) = looked
            .passages
            .iter()
            .cloned()
            .enumerate()
            .filter(|(_, passage)| rule.looks_at_source(passage.source))
            .unzip();
        let mut view = View::new(looked.phase, passages, looked.context);
        view.question = looked.question.to_vec();
        view.format = looked.input.response_format.as_ref();
        view.calls_tools = looked.calls_tools;
        view.model = Some(looked.model);
        let name = rule.guard.name();
        let findings = match rule.guard.check(&view).await {
            Ok(findings) => findings,
            Err(error) if rule.on_failure == OnFailure::Open => {
                looked
                    .context
                    .trail
                    .warn(format!("guard {name} failed and was passed by: {error}"));
                continue;
            }
            Err(error) => {
                looked.context.trail.warn(format!("guard {name} failed: {error}"));
                return Err(refusal::failed(name, &error));
            }
        };
        for mut finding in findings {
            finding.passage = places.get(finding.passage).copied().unwrap_or(usize::MAX);
            act(rule, &finding, &looked, &mut names, &mut verdict)?;
        }
    }
    Ok(verdict)
}

/// Does what the rule says about a finding.
fn act(
    rule: &Rule,
    finding: &Finding,
    looked: &Looked<'_>,
    names: &mut Option<&mut Placeholders>,
    verdict: &mut Verdict,
) -> Result<()> {
    let passage = looked.passages.get(finding.passage);
    let place = passage.map_or("", |passage| passage.place.as_str());
    let name = rule.guard.name();
    let detail = finding.detail.as_deref();
    let noted = |action| GuardNote::new(name, finding.category.as_ref(), action, place);
    match rule.action {
        GuardAction::Redact => {
            looked.context.trail.add_guard(noted(GuardAction::Redact));
            let Some(passage) = passage else { return Ok(()) };
            let Some(text) = passage.text.get(finding.span.clone()) else {
                return Ok(());
            };
            let replacement = match names {
                Some(names) if rule.restore => names.name(&finding.category, text),
                Some(names) => names.name_for_good(&finding.category, text),
                None => placeholder::mark(&finding.category),
            };
            verdict.edits.push(Edit {
                passage: finding.passage,
                span: finding.span.clone(),
                replacement: written(&replacement, passage.encoding, false),
            });
        }
        GuardAction::Retry => {
            let refused = Refused {
                phase: looked.phase,
                guard: name,
                category: &finding.category,
                place,
                detail,
            };
            verdict.retry.get_or_insert_with(|| Retry {
                times: rule.retries,
                reason: refused.reason(),
                error: refused.error(),
                note: noted(GuardAction::Retry),
            });
        }
        GuardAction::Block => {
            return Err(block(
                looked.context,
                looked.phase,
                name,
                &finding.category,
                place,
                detail,
            ));
        }
        _ => looked.context.trail.add_guard(noted(GuardAction::Flag)),
    }
    Ok(())
}
