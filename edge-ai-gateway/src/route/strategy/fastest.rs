use std::time::Duration;

use edge_ai_core::{Entropy, Timestamp};

use super::Strategy;
use super::weighted::below;
use crate::route::Route;
use crate::route::asked::Asked;
use crate::route::pace::{Pace, Paces};
use crate::route::target::Target;

/// One in so many requests explores while there is a target that has not been called lately.
const EXPLORE_UNKNOWN: u64 = 4;
/// One in so many requests goes to a slower target otherwise.
const EXPLORE_KNOWN: u64 = 20;

impl Route {
    /// The one that has lately been the quickest to its whole answer, or for streams to the end of one of the expected length; the others follow as
    /// fallbacks, by time.
    ///
    /// For the same model at several providers, and for people who wait. A stream is expected to take the time to its first content and, for each token of
    /// the request's `max_output_tokens` (512 where that is not set), the time that the target takes for a token; for one whose rate is not known
    /// yet, the mean of the others'. What is measured stays in the memory of the isolate, which is near its users, unless isolates
    /// [share](crate::GatewayBuilder::shared_paces) it, and is an average in which a measurement counts half after a minute and not at all after ten. So that no
    /// target is judged by old times, one request in twenty (one in four while a target has not been called at all) goes to the one that was
    /// not called for longest. A model that its provider lists without what the request needs is left out.
    ///
    /// ```
    /// use edge_ai_gateway::Route;
    ///
    /// let quick = Route::fastest(["groq/llama-3.3-70b-versatile", "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast"]);
    /// let json = r#"{"fastest": ["groq/llama-3.3-70b-versatile", "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast"]}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, quick);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn fastest<T: Into<Self>>(routes: impl IntoIterator<Item = T>) -> Self {
        Self::by(Strategy::Fastest(routes.into_iter().map(Into::into).collect()))
    }
}

/// Those that may be able to do it, quickest first, or now and then one to be measured first.
pub(in crate::route) fn by_pace(
    targets: Vec<Target>,
    asked: &Asked<'_>,
    paces: &Paces,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Vec<Target> {
    let needs = asked.needs();
    let mut timed: Vec<_> = targets
        .into_iter()
        .filter(|target| target.may_have(needs))
        .map(|target| (paces.get(target.name(), asked.stream, now), target))
        .collect();
    if asked.stream {
        add_writing(&mut timed, asked, paces, now);
    }
    timed.sort_by_key(|(pace, _)| (pace.mean.is_none(), pace.mean));
    let stalest = timed
        .iter()
        .enumerate()
        .skip(1)
        .min_by_key(|(_, (pace, _))| pace.called);
    if let Some((at, (pace, _))) = stalest {
        let odds = pace.called.map_or(EXPLORE_UNKNOWN, |_| EXPLORE_KNOWN);
        if below(odds, entropy) == 0
            && let Some(first) = timed.get_mut(..=at)
        {
            first.rotate_right(1);
        }
    }
    timed.into_iter().map(|(_, target)| target).collect()
}

/// Adds the time that an answer of the expected length takes after its first content.
fn add_writing(timed: &mut [(Pace, Target)], asked: &Asked<'_>, paces: &Paces, now: Timestamp) {
    let rates: Vec<_> = timed
        .iter()
        .map(|(_, target)| paces.per_token(target.name(), now))
        .collect();
    let known: Vec<_> = rates.iter().flatten().collect();
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    let Some(mean) = known.into_iter().sum::<Duration>().checked_div(count) else {
        return;
    };
    let tokens = u32::try_from(asked.expected_tokens().1).unwrap_or(u32::MAX);
    for ((pace, _), rate) in timed.iter_mut().zip(rates) {
        let writing = rate.unwrap_or(mean).saturating_mul(tokens);
        pace.mean = pace.mean.map(|first| first.saturating_add(writing));
    }
}
