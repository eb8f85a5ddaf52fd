use edge_ai_core::Entropy;
use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::route::Route;

/// A child with its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::route) struct Weighted<N> {
    pub(in crate::route) route: N,
    pub(in crate::route) weight: u32,
}

impl<N> Weighted<N> {
    pub(in crate::route) const fn new(route: N, weight: u32) -> Self {
        Self { route, weight }
    }
}

impl Route {
    /// One by chance, by weight; the others follow as fallbacks, drawn by weight in turn, so that the share of one that fails is spread
    /// as the weights say.
    ///
    /// For canaries and A/B tests (99 to 1), and to spread load over accounts or regions. A weight of zero is never the first choice:
    /// a fallback alone. The usage record says who answered.
    ///
    /// ```
    /// use edge_ai_gateway::Route;
    ///
    /// let canary = Route::weighted([("openai/gpt-5", 99), ("openai/gpt-5.1", 1)]);
    /// let json = r#"{"weighted": [{"route": "openai/gpt-5", "weight": 99}, {"route": "openai/gpt-5.1", "weight": 1}]}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, canary);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn weighted<T: Into<Self>>(routes: impl IntoIterator<Item = (T, u32)>) -> Self {
        let choice = |(route, weight): (T, u32)| Weighted::new(route.into(), weight);
        Self::by(Strategy::Weighted(routes.into_iter().map(choice).collect()))
    }
}

/// The order of a draw without replacement; those without a weight come last, as they are.
pub(in crate::route) fn draw(weights: impl Iterator<Item = u32>, entropy: &dyn Entropy) -> Vec<usize> {
    let mut urn: Vec<(usize, u64)> = weights.map(u64::from).enumerate().collect();
    let mut order = Vec::with_capacity(urn.len());
    loop {
        let total: u64 = urn.iter().map(|(_, weight)| weight).sum();
        if total == 0 {
            order.extend(urn.iter().map(|(at, _)| at));
            return order;
        }
        let mut ticket = below(total, entropy);
        let drawn = urn.iter().position(|(_, weight)| {
            let hit = ticket < *weight;
            ticket = ticket.saturating_sub(*weight);
            hit
        });
        let (at, _) = urn.remove(drawn.unwrap_or_default());
        order.push(at);
    }
}

/// A number below `end`, each as likely as the others to within one part in 2^64 / `end`.
pub(super) fn below(end: u64, entropy: &dyn Entropy) -> u64 {
    let scaled = (u128::from(entropy.next_u64()) * u128::from(end)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::SeededEntropy;

    const DRAWS: usize = 10_000;

    /// Four standard deviations of a binomial count: a fair draw fails once in sixteen thousand seeds, and the seed is fixed.
    fn near(count: usize, share: f64) -> bool {
        let draws = DRAWS as f64;
        (count as f64 - draws * share).abs() < 4.0 * (draws * share * (1.0 - share)).sqrt()
    }

    #[test]
    fn shares_are_as_weighted_for_first_choice_and_fallback() {
        let entropy = SeededEntropy::new(1);
        let mut first = [0; 4];
        let mut second_after_a = [0; 4];
        let mut a = 0;
        for _ in 0..DRAWS {
            let order = draw([70, 20, 10, 0].into_iter(), &entropy);
            assert_eq!((order.len(), order[3]), (4, 3), "a weight of zero comes last");
            first[order[0]] += 1;
            if order[0] == 0 {
                a += 1;
                second_after_a[order[1]] += 1;
            }
        }
        assert!(
            near(first[0], 0.7) && near(first[1], 0.2) && near(first[2], 0.1),
            "{first:?}"
        );
        // What would have gone to the first is spread 2 to 1.
        let scaled = second_after_a[1] * DRAWS / a;
        assert!(near(scaled, 2.0 / 3.0), "{second_after_a:?}");
    }

    #[test]
    fn without_weights_the_order_stays() {
        assert_eq!(draw([0, 0].into_iter(), &SeededEntropy::new(1)), [0, 1]);
        assert!(draw([].into_iter(), &SeededEntropy::new(1)).is_empty());
        let order = draw([u32::MAX; 3].into_iter(), &SeededEntropy::new(1));
        assert_eq!(order.len(), 3);
    }
}
