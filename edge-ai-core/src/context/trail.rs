use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CacheStatus;
use crate::{ErrorKind, SpanId, Timestamp};

/// One call to a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The provider that was called.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// How it failed; `None` for an answer or a stream that began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// What was said about the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// From the call to the answer, or to the head of a stream, in milliseconds.
    pub latency_ms: u64,
    /// When it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Its span, a child of the request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
    /// Whether it was made beside another that was under way still: a hedge. Who was slower is given up, with the error
    /// [`Cancelled`](ErrorKind::Cancelled); what its vendor charges for it is not known here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hedge: bool,
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl Attempt {
    /// A call of `model` at `provider` that took `latency`.
    pub fn new(
        provider: impl Into<String>,
        model: impl Into<String>,
        error: Option<ErrorKind>,
        latency: Duration,
    ) -> Self {
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        Self {
            provider: provider.into(),
            model: model.into(),
            error,
            message: None,
            latency_ms,
            start: None,
            span_id: None,
            hedge: false,
        }
    }

    /// Sets [`hedge`](Self::hedge).
    #[must_use]
    pub fn with_hedge(self, hedge: bool) -> Self {
        Self { hedge, ..self }
    }

    /// Sets when it was called, and its span.
    #[must_use]
    pub fn with_start(self, start: Timestamp, span_id: Option<SpanId>) -> Self {
        Self {
            start: Some(start),
            span_id,
            ..self
        }
    }

    /// Adds what was said about the failure; a long message is cut.
    #[must_use]
    pub fn with_message(self, message: &str) -> Self {
        Self {
            message: Some(shortened(message)),
            ..self
        }
    }
}

/// A message for a record: as much of it as helps.
pub(crate) fn shortened(message: &str) -> String {
    message.chars().take(300).collect()
}

/// What a guard found on a request's way, without the text that it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardNote {
    /// The guard's name, such as `pii`.
    pub guard: String,
    /// What it found, such as `email`.
    pub category: String,
    /// What was done about it.
    pub action: GuardAction,
    /// Where it was found, such as `messages[2].content`.
    pub place: String,
    /// How often it was found there.
    pub count: u32,
}

impl GuardNote {
    /// One finding.
    pub fn new(
        guard: impl Into<String>,
        category: impl Into<String>,
        action: GuardAction,
        place: impl Into<String>,
    ) -> Self {
        Self {
            guard: guard.into(),
            category: category.into(),
            action,
            place: place.into(),
            count: 1,
        }
    }
}

/// What is done about a guard's finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GuardAction {
    /// It is noted, and nothing else.
    Flag,
    /// The text is replaced.
    Redact,
    /// The model is asked again.
    Retry,
    /// The request or the answer is refused.
    Block,
}

impl GuardAction {
    /// The name in headers, records and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Redact => "redact",
            Self::Retry => "retry",
            Self::Block => "block",
        }
    }
}

/// The record of a request's way: each layer adds what it did, and the meter at the top reads it.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    attempts: Vec<Attempt>,
    cache: Option<CacheStatus>,
    cache_age: Option<Duration>,
    warnings: Vec<String>,
    guards: Vec<GuardNote>,
    variant: Option<Arc<str>>,
    sources: Vec<String>,
}

/// How many different notes of guards a trail keeps: a hostile text must not fill a record.
const MAX_GUARD_NOTES: usize = 64;

impl Trail {
    /// Adds a call to a provider.
    pub fn add_attempt(&self, attempt: Attempt) {
        self.with(|steps| steps.attempts.push(attempt));
    }

    /// Every call so far, in the order in which they ended: the last is the one that answered, where one has.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.with(|steps| steps.attempts.clone())
    }

    /// Says which variant of an experiment the request is; the last word counts.
    pub fn set_variant(&self, variant: Arc<str>) {
        self.with(|steps| steps.variant = Some(variant));
    }

    /// Which variant of an experiment the request is; `None` when it is in none.
    pub fn variant(&self) -> Option<Arc<str>> {
        self.with(|steps| steps.variant.clone())
    }

    /// Says what a cache did; the last word counts.
    pub fn set_cache(&self, status: CacheStatus) {
        self.with(|steps| steps.cache = Some(status));
    }

    /// What a cache did; `None` when there is no cache on the way.
    pub fn cache(&self) -> Option<CacheStatus> {
        self.with(|steps| steps.cache)
    }

    /// Says how old the kept answer is.
    pub fn set_cache_age(&self, age: Duration) {
        self.with(|steps| steps.cache_age = Some(age));
    }

    /// How old the kept answer is; `None` for a new one.
    pub fn cache_age(&self) -> Option<Duration> {
        self.with(|steps| steps.cache_age)
    }

    /// Notes something that went wrong without failing the request, such as a cache that could not be reached.
    pub fn warn(&self, warning: impl Into<String>) {
        self.with(|steps| steps.warnings.push(warning.into()));
    }

    /// Everything that was noted.
    pub fn warnings(&self) -> Vec<String> {
        self.with(|steps| steps.warnings.clone())
    }

    /// Notes what the answer is made from, such as a document's id: a cache keeps it as a [tag](crate::CachePolicy::tags), so that a
    /// purge of the document takes the answer with it.
    pub fn add_source(&self, source: impl Into<String>) {
        let source = source.into();
        self.with(|steps| {
            if !steps.sources.contains(&source) {
                steps.sources.push(source);
            }
        });
    }

    /// What the answer is made from.
    pub fn sources(&self) -> Vec<String> {
        self.with(|steps| steps.sources.clone())
    }

    /// Notes what a guard found; the same found again in the same place is counted. After 64 different notes, further ones are left out.
    pub fn add_guard(&self, note: GuardNote) {
        self.with(|steps| {
            let same = |known: &&mut GuardNote| {
                known.action == note.action
                    && known.guard == note.guard
                    && known.category == note.category
                    && known.place == note.place
            };
            if let Some(known) = steps.guards.iter_mut().find(same) {
                known.count = known.count.saturating_add(note.count);
            } else if steps.guards.len() < MAX_GUARD_NOTES {
                steps.guards.push(note);
            }
        });
    }

    /// What guards found so far, in order.
    pub fn guards(&self) -> Vec<GuardNote> {
        self.with(|steps| steps.guards.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Steps) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_guards_are_counted_and_bounded() {
        let trail = Trail::default();
        let note = |place: &str| GuardNote::new("pii", "email", GuardAction::Redact, place);
        trail.add_guard(note("messages[0]"));
        trail.add_guard(note("messages[0]"));
        (1..100).for_each(|index| trail.add_guard(note(&format!("messages[{index}]"))));
        let notes = trail.guards();
        assert_eq!(notes.len(), MAX_GUARD_NOTES);
        assert_eq!((notes[0].count, notes[1].count), (2, 1));
    }
}
