use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::route::Route;

/// When the next target of a [hedged route](Route::hedged) is asked as well, while the one before has not given its first content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeAfter {
    /// After this time; with [`p95`](Self::p95), until that is known.
    pub time: Option<Duration>,
    /// After the time in which 95 of 100 of the target's answers have lately begun, as measured in the isolate over the last ten minutes, from twenty
    /// answers on.
    pub p95: bool,
}

impl HedgeAfter {
    /// After a fixed time.
    pub const fn time(time: Duration) -> Self {
        Self {
            time: Some(time),
            p95: false,
        }
    }

    /// After the 95th percentile; `until_known` before enough is measured, or not at all then.
    pub const fn p95(until_known: Option<Duration>) -> Self {
        Self {
            time: until_known,
            p95: true,
        }
    }
}

/// Children, and when the next one is asked as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::route) struct Hedged<N> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::route) after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::route) p95: bool,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(in crate::route) max_extra: u32,
    pub(in crate::route) routes: Vec<N>,
}

/// What a target knows of the hedge that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::route) struct Hedge {
    pub(in crate::route) after: HedgeAfter,
    /// How many calls may be under way beside the first.
    pub(in crate::route) max_extra: u32,
}

impl<N> Hedged<N> {
    pub(in crate::route) fn hedge(&self) -> Hedge {
        Hedge {
            after: HedgeAfter {
                time: self.after_ms.map(Duration::from_millis),
                p95: self.p95,
            },
            max_extra: self.max_extra,
        }
    }

    /// What makes it impossible, in words for the operator.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self {
            Self {
                after_ms: None,
                p95: false,
                ..
            } => Some("has neither `after_ms` nor `p95`, and a hedge needs one"),
            Self { max_extra: 0, .. } => Some("has `max_extra` 0: without extra calls it is a `fallback`"),
            _ => None,
        }
    }
}

const fn one() -> u32 {
    1
}

const fn is_one(number: &u32) -> bool {
    *number == 1
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl Route {
    /// The first of these, and when it has not given its first content after a while, the next one as well: who has content first answers, and the
    /// others are given up.
    ///
    /// It cuts the slowest answers short ([Dean, Barroso: *The tail at scale*, 2013](https://research.google/pubs/the-tail-at-scale/)) and
    /// costs extra calls: one in twenty requests for the 95th percentile. Those calls have a
    /// [budget](crate::RetryPolicy::hedge_percent), so that an outage does not double the load. Who is given up is cancelled at its vendor, stands in the
    /// usage record as an attempt with the error `cancelled`, and does not count as a failure; what the vendor charges for it is unknown,
    /// and is in no sum. When one fails, the others go on, and further ones follow as in a [`fallback`](Self::fallback).
    ///
    /// Chats, embeddings and rankings may all be asked twice: none of them changes anything at a vendor. What keeps state there (a realtime session, a
    /// batch) does not go through routes.
    ///
    /// `max_extra` calls may be under way beside the first, one unless told in JSON.
    ///
    /// ```
    /// use std::time::Duration;
    /// use edge_ai_gateway::{HedgeAfter, Route};
    ///
    /// let quick = Route::hedged(HedgeAfter::time(Duration::from_millis(800)), 1, ["groq/llama-3.3-70b-versatile", "cerebras/llama-3.3-70b"]);
    /// let json = r#"{"hedge": {"after_ms": 800, "routes": ["groq/llama-3.3-70b-versatile", "cerebras/llama-3.3-70b"]}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, quick);
    ///
    /// let tail = r#"{"hedge": {"p95": true, "after_ms": 2000, "max_extra": 2, "routes": ["openai/gpt-5-mini", "azure/gpt-5-mini", "google/gemini-2.5-flash"]}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(tail)?.targets().len(), 3);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn hedged<T: Into<Self>>(
        after: HedgeAfter,
        max_extra: u32,
        routes: impl IntoIterator<Item = T>,
    ) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self::by(Strategy::Hedge(Hedged {
            after_ms: after.time.map(millis),
            p95: after.p95,
            max_extra,
            routes: routes.into_iter().map(Into::into).collect(),
        }))
    }
}
