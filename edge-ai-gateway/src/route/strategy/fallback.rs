use edge_ai_core::ErrorKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Strategy;
use super::listed::{ListOr, list_or};
use crate::route::Route;
use crate::route::retry::Verdict;

/// After which failures the next target of a [`Route::fallback_on`] is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FallbackOn {
    /// All those after which it is asked unless told: every one of these but `content_policy`, `too_large` and `invalid_request`.
    Default,
    /// The vendor refuses the content, by an error or by an empty answer that was stopped by its filter.
    ContentPolicy,
    /// The prompt does not fit the context window.
    ContextLength,
    /// Too many requests for now.
    RateLimit,
    /// A paid quota is used up.
    Quota,
    /// No answer in time.
    Timeout,
    /// It is down, out of reach, or answers nonsense.
    Outage,
    /// It does not take the gateway's credentials.
    Credentials,
    /// It does not know the model.
    NotFound,
    /// It cannot do what the request needs.
    Unsupported,
    /// The request is too large.
    TooLarge,
    /// It takes the request for wrong, for whatever reason.
    InvalidRequest,
}

impl FallbackOn {
    const fn covers(self, kind: ErrorKind) -> bool {
        use ErrorKind as Kind;
        match self {
            Self::Default => !matches!(Verdict::of(kind), Verdict::Stop),
            Self::ContentPolicy => matches!(kind, Kind::ContentFiltered),
            Self::ContextLength => matches!(kind, Kind::ContextLength),
            Self::RateLimit => matches!(kind, Kind::RateLimited),
            Self::Quota => matches!(kind, Kind::QuotaExceeded),
            Self::Timeout => matches!(kind, Kind::Timeout),
            Self::Outage => matches!(kind, Kind::Unavailable | Kind::BadUpstream | Kind::Interrupted),
            Self::Credentials => matches!(
                kind,
                Kind::Authentication | Kind::PermissionDenied | Kind::Configuration
            ),
            Self::NotFound => matches!(kind, Kind::NotFound),
            Self::Unsupported => matches!(kind, Kind::Unsupported),
            Self::TooLarge => matches!(kind, Kind::TooLarge),
            Self::InvalidRequest => matches!(kind, Kind::InvalidRequest),
        }
    }
}

/// A set of failures, small enough to travel with every target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::route) struct Occasions(u16);

impl Occasions {
    fn of(list: &[FallbackOn]) -> Self {
        Self(list.iter().fold(0, |set, on| set | 1 << *on as u16))
    }

    pub(in crate::route) fn cover(self, kind: ErrorKind) -> bool {
        use FallbackOn as On;
        [
            On::Default,
            On::ContentPolicy,
            On::ContextLength,
            On::RateLimit,
            On::Quota,
            On::Timeout,
            On::Outage,
            On::Credentials,
            On::NotFound,
            On::Unsupported,
            On::TooLarge,
            On::InvalidRequest,
        ]
        .into_iter()
        .any(|on| self.0 & 1 << on as u16 != 0 && on.covers(kind))
    }
}

/// Children in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::route) struct Fallback<N> {
    pub(in crate::route) routes: Vec<N>,
    /// After which failures the next one is asked; `None` for the default.
    pub(in crate::route) on: Option<Vec<FallbackOn>>,
}

impl<N> Fallback<N> {
    pub(in crate::route) fn occasions(&self) -> Option<Occasions> {
        self.on.as_deref().map(Occasions::of)
    }
}

/// The form in JSON where there is more to say than the routes.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Full<N, O> {
    on: O,
    routes: N,
}

impl<N: Serialize> Serialize for Fallback<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { routes, on } = self;
        match on {
            None => routes.serialize(serializer),
            Some(on) => Full { on, routes }.serialize(serializer),
        }
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Fallback<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = list_or(
            deserializer,
            "a list of routes, or an object with the fields `on` and `routes`",
        )?;
        Ok(match read {
            ListOr::List(routes) => Self { routes, on: None },
            ListOr::Object(Full { on, routes }) => Self { routes, on: Some(on) },
        })
    }
}

#[cfg(feature = "schema")]
impl<N: schemars::JsonSchema> schemars::JsonSchema for Fallback<N> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fallback".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::listed::list_or_schema::<N, Full<Vec<N>, Vec<FallbackOn>>>(generator)
    }
}

impl Route {
    /// The first of these that answers.
    ///
    /// For an order that you choose: the best first, then what is nearly as good, at another provider. The next one is asked when one is down, in
    /// haste, out of quota, does not know or cannot do what is asked, or when the prompt is too long for it. A request that is
    /// wrong or whose content is refused is not offered to others, unless [told so](Self::fallback_on).
    ///
    /// ```
    /// use edge_ai_gateway::Route;
    ///
    /// let smart = Route::fallback(["anthropic/claude-sonnet-4-5", "openai/gpt-5"]);
    /// let json = r#"{"fallback": ["anthropic/claude-sonnet-4-5", "openai/gpt-5"]}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, smart);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn fallback<T: Into<Self>>(routes: impl IntoIterator<Item = T>) -> Self {
        Self::by(Strategy::Fallback(Fallback {
            routes: routes.into_iter().map(Into::into).collect(),
            on: None,
        }))
    }

    /// The same with the failures after which the next one is asked, and no others; [`FallbackOn::Default`] stands for the usual ones.
    ///
    /// After a failure that may be over later and is not among them, the same target is tried again as the [policy](crate::RetryPolicy)
    /// allows, and no other. Of routes in one another, the innermost decides.
    ///
    /// ```
    /// use edge_ai_gateway::{FallbackOn, Route};
    ///
    /// // What one vendor's filter refuses, another may take.
    /// let lenient = Route::fallback_on(
    ///     [FallbackOn::Default, FallbackOn::ContentPolicy],
    ///     ["azure/gpt-4.1", "mistral/mistral-large-latest"],
    /// );
    /// let json = r#"{"fallback": {"on": ["default", "content_policy"], "routes": ["azure/gpt-4.1", "mistral/mistral-large-latest"]}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, lenient);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn fallback_on<T: Into<Self>>(
        on: impl IntoIterator<Item = FallbackOn>,
        routes: impl IntoIterator<Item = T>,
    ) -> Self {
        Self::by(Strategy::Fallback(Fallback {
            routes: routes.into_iter().map(Into::into).collect(),
            on: Some(on.into_iter().collect()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occasions_cover_what_they_name() {
        let on = |list: &[FallbackOn], kind| Occasions::of(list).cover(kind);
        let usual = [FallbackOn::Default];
        assert!(on(&usual, ErrorKind::Unavailable) && on(&usual, ErrorKind::ContextLength));
        assert!(!on(&usual, ErrorKind::ContentFiltered) && !on(&usual, ErrorKind::InvalidRequest));
        let lenient = [FallbackOn::Default, FallbackOn::ContentPolicy];
        assert!(on(&lenient, ErrorKind::ContentFiltered) && on(&lenient, ErrorKind::Timeout));
        let narrow = [FallbackOn::ContextLength, FallbackOn::InvalidRequest];
        assert!(on(&narrow, ErrorKind::ContextLength) && on(&narrow, ErrorKind::InvalidRequest));
        assert!(!on(&narrow, ErrorKind::RateLimited) && !on(&[], ErrorKind::RateLimited));
    }
}
