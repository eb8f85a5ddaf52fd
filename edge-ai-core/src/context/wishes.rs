use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
