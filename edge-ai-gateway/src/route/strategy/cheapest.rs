use edge_ai_core::Usage;

use super::Strategy;
use crate::route::Route;
use crate::route::asked::Asked;
use crate::route::target::Target;
use crate::usage::PriceTable;

impl Route {
    /// The cheapest that can do it; the others follow as fallbacks, by price.
    ///
    /// For work that any of several models does well enough. The cost is the [price](crate::PriceTable) times the tokens that are
    /// expected: a quarter of the bytes of text for input, and `max_output_tokens`, or 512 where that is not set, for output. A model that its provider
    /// lists without what the request needs (tools, vision, a JSON schema, reasoning) is left out. One that is not listed comes after those
    /// that are, one of unknown price after those of known price. Where costs are equal, the order given stays, so a [sticky](Self::sticky)
    /// route over accounts at the same price keeps its choice in here.
    ///
    /// ```
    /// use edge_ai_gateway::Route;
    ///
    /// let cheap = Route::cheapest(["workers-ai/@cf/zai-org/glm-4.7-flash", "openai/gpt-5-nano"]);
    /// let json = r#"{"cheapest": ["workers-ai/@cf/zai-org/glm-4.7-flash", "openai/gpt-5-nano"]}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, cheap);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn cheapest<T: Into<Self>>(routes: impl IntoIterator<Item = T>) -> Self {
        Self::by(Strategy::Cheapest(routes.into_iter().map(Into::into).collect()))
    }
}

/// Those that may be able to do it, cheapest first.
pub(in crate::route) fn by_cost(
    mut targets: Vec<Target>,
    asked: &Asked<'_>,
    prices: &PriceTable,
) -> Vec<Target> {
    let needs = asked.needs();
    targets.retain(|target| target.may_have(needs));
    let (input, output) = asked.expected_tokens();
    let usage = Usage::new(input, output);
    targets.sort_by_cached_key(|target| {
        let price = prices.get(target.provider.name(), target.model());
        let cost = price.map(|price| price.of(&usage));
        (target.capabilities.is_none(), cost.is_none(), cost)
    });
    targets
}
