//! How long answers are kept, by route: what an operator configures.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How the answers of one route are kept.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_cache::CacheRule;
///
/// let rule: CacheRule = serde_json::from_str(r#"{"ttl_seconds": 60, "stale_while_revalidate_seconds": 600, "coalesce": true}"#)?;
/// assert_eq!(rule.ttl, Duration::from_secs(60));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheRule {
    /// Whether answers are kept at all.
    pub enabled: bool,
    /// How long an answer is good, unless a request wishes otherwise. Five minutes unless set.
    #[serde(rename = "ttl_seconds", with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub ttl: Duration,
    /// The longest that a request may wish its answer kept; unless set, [`ttl`](Self::ttl). A request may always wish for less.
    #[serde(rename = "max_ttl_seconds", with = "maybe_seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    pub max_ttl: Option<Duration>,
    /// How long past its time an answer is given at once, while a new one is asked for behind it
    /// ([RFC 5861 §3](https://www.rfc-editor.org/rfc/rfc5861#section-3)).
    #[serde(rename = "stale_while_revalidate_seconds", with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub stale_while_revalidate: Duration,
    /// How long past its time an answer is given when all targets fail
    /// ([RFC 5861 §4](https://www.rfc-editor.org/rfc/rfc5861#section-4)).
    #[serde(rename = "stale_if_error_seconds", with = "seconds")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub stale_if_error: Duration,
    /// Whether answers are kept that the vendor's filter cut or that decline.
    pub filtered: bool,
    /// Whether equal requests at the same time share one call, where there are [rooms](crate::CoalescingRooms) to meet in.
    pub coalesce: bool,
    /// Whether a question that means the same may be answered by a kept answer, where there is a
    /// [semantic index](edge_ai_core::SemanticIndex).
    pub semantic: bool,
}

impl Default for CacheRule {
    fn default() -> Self {
        Self {
            enabled: true,
            ttl: Duration::from_secs(300),
            max_ttl: None,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            filtered: false,
            coalesce: false,
            semantic: false,
        }
    }
}

impl CacheRule {
    /// Answers are good for `ttl`.
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            ..Self::default()
        }
    }

    /// Nothing is kept.
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }

    /// Sets [`max_ttl`](Self::max_ttl).
    #[must_use]
    pub fn max_ttl(self, max_ttl: Duration) -> Self {
        Self {
            max_ttl: Some(max_ttl),
            ..self
        }
    }

    /// Sets [`stale_while_revalidate`](Self::stale_while_revalidate).
    #[must_use]
    pub fn stale_while_revalidate(self, time: Duration) -> Self {
        Self {
            stale_while_revalidate: time,
            ..self
        }
    }

    /// Sets [`stale_if_error`](Self::stale_if_error).
    #[must_use]
    pub fn stale_if_error(self, time: Duration) -> Self {
        Self {
            stale_if_error: time,
            ..self
        }
    }

    /// Keeps [filtered](Self::filtered) answers as well.
    #[must_use]
    pub fn filtered(self) -> Self {
        Self {
            filtered: true,
            ..self
        }
    }

    /// Lets equal requests [share a call](Self::coalesce).
    #[must_use]
    pub fn coalesce(self) -> Self {
        Self {
            coalesce: true,
            ..self
        }
    }

    /// Answers by [meaning](Self::semantic).
    #[must_use]
    pub fn semantic(self) -> Self {
        Self {
            semantic: true,
            ..self
        }
    }

    /// How long an answer is good whose request wished for `wish`.
    pub(crate) fn ttl_for(&self, wish: Option<Duration>) -> Duration {
        wish.map_or(self.ttl, |wish| wish.min(self.longest()))
    }

    /// The longest that an answer is good.
    pub(crate) fn longest(&self) -> Duration {
        self.max_ttl.unwrap_or(self.ttl)
    }

    /// How long past its time an answer may still be of use.
    pub(crate) fn spare(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error)
    }
}

/// The rules of all routes: one for each name that has its own, and one for all others.
///
/// ```
/// use edge_ai_cache::CacheRules;
///
/// let rules: CacheRules = serde_json::from_str(r#"{"default": {"ttl_seconds": 300}, "routes": {"news": {"ttl_seconds": 10}, "chat": {"enabled": false}}}"#)?;
/// assert_eq!(rules.of("news").ttl.as_secs(), 10);
/// assert!(!rules.of("chat").enabled);
/// assert_eq!(rules.of("anything").ttl.as_secs(), 300);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheRules {
    /// For names without a rule of their own.
    pub default: CacheRule,
    /// By the name that requests ask for: a route's, or a model's. A rule says everything; nothing is taken from the default.
    pub routes: BTreeMap<String, CacheRule>,
}

impl CacheRules {
    /// Gives a name its own rule.
    #[must_use]
    pub fn route(mut self, name: impl Into<String>, rule: CacheRule) -> Self {
        self.routes.insert(name.into(), rule);
        self
    }

    /// The rule of a name.
    pub fn of(&self, name: &str) -> &CacheRule {
        self.routes.get(name).unwrap_or(&self.default)
    }
}

impl From<CacheRule> for CacheRules {
    fn from(rule: CacheRule) -> Self {
        Self {
            default: rule,
            routes: BTreeMap::new(),
        }
    }
}

impl From<Duration> for CacheRules {
    fn from(ttl: Duration) -> Self {
        CacheRule::new(ttl).into()
    }
}

mod seconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

mod maybe_seconds {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back() {
        let rule = CacheRule::new(Duration::from_secs(5))
            .max_ttl(Duration::from_secs(9))
            .stale_while_revalidate(Duration::from_secs(7))
            .stale_if_error(Duration::from_secs(8))
            .filtered()
            .coalesce()
            .semantic();
        let rules = CacheRules::from(rule).route("off", CacheRule::off());
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<CacheRules>(&json).unwrap(), rules);
    }

    #[test]
    fn a_slip_is_told_by_name() {
        let error = serde_json::from_str::<CacheRules>(r#"{"default": {"ttl": 5}}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `ttl`"), "{error}");
    }
}
