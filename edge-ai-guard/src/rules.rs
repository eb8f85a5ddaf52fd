use std::sync::Arc;

use edge_ai_core::GuardAction;
use serde::{Deserialize, Serialize};

use crate::guard::{Guard, Phase, Source};

/// A guard with what is done about its findings.
///
/// ```
/// use edge_ai_guard::{OnFailure, Phase, Pii, Rule, Secrets, Source};
///
/// let hide = Rule::redact(Pii::all());
/// let keep = Rule::block(Secrets::all()).only(Phase::Answer);
/// let note = Rule::flag(Secrets::known()).sources([Source::ToolResult]).on_failure(OnFailure::Open);
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) guard: Arc<dyn Guard>,
    pub(crate) action: GuardAction,
    pub(crate) phase: Option<Phase>,
    pub(crate) sources: Option<Vec<Source>>,
    pub(crate) restore: bool,
    pub(crate) retries: u32,
    pub(crate) on_failure: OnFailure,
    pub(crate) stream: StreamMode,
}

/// What happens when a guard itself fails, such as a moderation model that is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnFailure {
    /// The request fails.
    #[default]
    Closed,
    /// It goes on, with a warning in its trail.
    Open,
}

/// What a guard that needs the whole answer does to a stream. One that can tell [as the text arrives](Guard::matcher) does neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamMode {
    /// The answer is held until it is checked, then sent as a stream: nothing of a bad one reaches the client.
    #[default]
    Hold,
    /// The answer goes out as it arrives and is checked before its end mark: of a bad one, the client has the text, and an error in place of the end.
    AtEnd,
}

impl Rule {
    /// Refuses what it finds.
    pub fn block(guard: impl Guard) -> Self {
        Self::new(guard, GuardAction::Block)
    }

    /// Replaces what it finds. In a request, by a name such as `[EMAIL_1]`, which in the answer is replaced [back](Self::restore); in an answer, by
    /// `[EMAIL]`.
    pub fn redact(guard: impl Guard) -> Self {
        Self::new(guard, GuardAction::Redact)
    }

    /// Notes what it finds.
    pub fn flag(guard: impl Guard) -> Self {
        Self::new(guard, GuardAction::Flag)
    }

    /// Asks the model again, up to `times`, and tells it what was wrong; then refuses. It looks at answers alone, and at whole ones: a stream is held.
    pub fn retry(guard: impl Guard, times: u32) -> Self {
        Self {
            retries: times.clamp(1, Self::MAX_RETRIES),
            phase: Some(Phase::Answer),
            ..Self::new(guard, GuardAction::Retry)
        }
    }

    /// How often a model is asked again at most.
    pub const MAX_RETRIES: u32 = 5;

    pub(crate) fn new(guard: impl Guard, action: GuardAction) -> Self {
        Self {
            guard: Arc::new(guard),
            action,
            phase: None,
            sources: None,
            restore: true,
            retries: 0,
            on_failure: OnFailure::default(),
            stream: StreamMode::default(),
        }
    }

    /// Looks at requests or at answers alone; at both unless set.
    #[must_use]
    pub fn only(self, phase: Phase) -> Self {
        Self {
            phase: Some(phase),
            ..self
        }
    }

    /// Looks at texts from these sources alone; at all unless set.
    #[must_use]
    pub fn sources(self, sources: impl IntoIterator<Item = Source>) -> Self {
        Self {
            sources: Some(sources.into_iter().collect()),
            ..self
        }
    }

    /// Sets whether what was replaced in the request is put back in the answer, its text and its calls' arguments; it is unless set.
    #[must_use]
    pub fn restore(self, restore: bool) -> Self {
        Self { restore, ..self }
    }

    /// Sets what happens when the guard fails; the request fails unless set.
    #[must_use]
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    /// Sets what a guard that needs the whole answer does to a stream.
    #[must_use]
    pub fn stream(self, stream: StreamMode) -> Self {
        Self { stream, ..self }
    }

    /// Whether it has something to say of a phase.
    pub(crate) fn looks_at(&self, phase: Phase) -> bool {
        self.phase.is_none_or(|only| only == phase) && self.guard.looks_at(phase)
    }

    pub(crate) fn looks_at_source(&self, source: Source) -> bool {
        self.sources
            .as_ref()
            .is_none_or(|sources| sources.contains(&source))
    }
}

/// The rules that a model is guarded by, in order.
///
/// What blocks is looked for before anything is replaced or noted, so that no replacement hides it. Guards that look at everything at once come after
/// those that tell by a matcher: a model that moderates sees what is left.
#[derive(Clone, Debug, Default)]
pub struct Guardrails {
    pub(crate) rules: Vec<Rule>,
}

impl Guardrails {
    /// No rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
