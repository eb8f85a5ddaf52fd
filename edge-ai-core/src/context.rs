use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};

use crate::{Background, Credentials, ErrorKind, LimitRule, SpanId, Timestamp, TraceContext};

/// What belongs to one request but not to its content: whose it is, until when, and what has happened to it so far.
///
/// It travels with a request through every decorator and never reaches a vendor.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// The request's identifier in answers, logs and records.
    pub request_id: Option<Arc<str>>,
    /// Whose request it is. Cache keys, limiter keys, namespaces and names carry it; `None` is the tenant of those
    /// without a credential.
    pub tenant: Option<Arc<str>>,
    /// The public identifier of the key that the caller has shown, never the key itself; `None` where callers have none.
    pub key: Option<Arc<str>>,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// The limits that the caller's key carries, beside those of the gateway: each counts for this key alone.
    pub limits: Arc<[LimitRule]>,
    /// The caller's own keys for vendors; a provider without one uses the operator's.
    pub credentials: Credentials,
    /// When the answer must be there.
    pub deadline: Option<Timestamp>,
    /// What the caller wants of caches.
    pub cache: CachePolicy,
    /// The caller's own labels, for records and routing.
    pub metadata: BTreeMap<String, String>,
    /// The request's headers that routes look at, by their names in lower case, and no others.
    pub headers: BTreeMap<String, String>,
    /// How the caller wants failed calls to be repeated.
    pub retry: RetryWishes,
    /// What has happened to the request; every clone writes to the same one.
    pub trail: Trail,
    /// Where work goes that the answer does not wait for.
    pub background: Option<Arc<dyn Background>>,
    /// Names the request for vendors that make a call with a known name once (`Idempotency-Key`): the same for attempts of which none has
    /// had an answer.
    pub idempotency_key: Option<Arc<str>>,
    /// The span that the work on the request belongs to.
    pub trace: Option<TraceContext>,
    /// Whether a server that is called for the request is told of the span. Identifiers of traces let a vendor tell which requests belong
    /// together, so whoever makes the call decides.
    pub tell_trace: bool,
}

impl Context {
    /// Sets [`request_id`](Self::request_id).
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets [`tenant`](Self::tenant).
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets [`key`](Self::key).
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: impl Into<Arc<[LimitRule]>>) -> Self {
        self.limits = limits.into();
        self
    }

    /// Sets [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets [`cache`](Self::cache).
    #[must_use]
    pub fn with_cache(mut self, cache: CachePolicy) -> Self {
        self.cache = cache;
        self
    }

    /// Sets [`background`](Self::background).
    #[must_use]
    pub fn with_background(mut self, background: Arc<dyn Background>) -> Self {
        self.background = Some(background);
        self
    }

    /// Sets [`trace`](Self::trace).
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The span that a server may be told of.
    pub fn told_trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref().filter(|_| self.tell_trace)
    }

    /// Does `work` after the answer where there is a [`background`](Self::background), else now.
    pub async fn defer(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.background {
            Some(background) => background.run(work.boxed()),
            None => work.await,
        }
    }
}

/// What a caller wants of the caches on its request's way. The times are those of `Cache-Control` in requests
/// ([RFC 9111 §5.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachePolicy {
    /// Whether to read and write.
    pub mode: CacheMode,
    /// How long the answer may be kept; `None` leaves it to the cache.
    pub ttl: Option<Duration>,
    /// The oldest answer that it takes.
    pub max_age: Option<Duration>,
    /// How long past its time it still takes an answer.
    pub max_stale: Option<Duration>,
    /// For how long an answer must still be good.
    pub min_fresh: Option<Duration>,
    /// How long past its time it takes an answer when there is no new one
    /// ([RFC 5861 §4](https://www.rfc-editor.org/rfc/rfc5861#section-4)); `None` leaves it to the cache.
    pub stale_if_error: Option<Duration>,
    /// It wants a kept answer or none at all.
    pub only_if_cached: bool,
    /// Stands for the content in the entry's name: requests of one tenant and model that give the same key share an answer.
    pub key: Option<Arc<str>>,
    /// Names under which the tenant may have the entry purged.
    pub tags: Vec<Arc<str>>,
}

impl CachePolicy {
    /// A policy of a mode, with the cache's own time to live.
    pub fn new(mode: CacheMode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }
}

/// How patient a caller wants a router to be with its request; each is `None` where the caller leaves it to the router, which keeps all to bounds of
/// its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryWishes {
    /// How long one call may take until its first content is there.
    pub timeout: Option<Duration>,
    /// How often each model may be asked.
    pub attempts: Option<u32>,
    /// The pause before the second time.
    pub delay: Option<Duration>,
    /// How the pause grows.
    pub backoff: Option<Backoff>,
}

/// How pauses between tries grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// Not at all.
    Constant,
    /// By the first pause each time.
    Linear,
    /// Each is twice the one before.
    Exponential,
}

/// Whether a cache is read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheMode {
    /// Read, and written on a miss.
    #[default]
    Use,
    /// Not read, but written: the caller wants a fresh answer (`Cache-Control: no-cache`).
    Refresh,
    /// Neither (`Cache-Control: no-store`).
    Bypass,
}

/// What a cache did for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CacheStatus {
    /// The answer came from the cache.
    Hit,
    /// The cache had no answer.
    Miss,
    /// The cache was not asked, by the caller's wish or since the answer cannot be kept.
    Bypass,
    /// The answer came from the cache, past its time: a new one is on the way, or cannot be had.
    Stale,
    /// The answer is that of another request, asked at the same time.
    Coalesced,
    /// The answer is a kept one to another question that means the same.
    Semantic,
}

impl CacheStatus {
    /// The name in headers and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Stale => "stale",
            Self::Coalesced => "coalesced",
            Self::Semantic => "semantic",
        }
    }

    /// Whether the answer took no call of the request's own: it costs nothing.
    pub const fn is_free(self) -> bool {
        match self {
            Self::Hit | Self::Stale | Self::Coalesced | Self::Semantic => true,
            Self::Miss | Self::Bypass => false,
        }
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
