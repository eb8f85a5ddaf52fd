use edge_ai_core::{Context, Entropy, SeededEntropy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Strategy;
use super::listed::{ListOr, list_or};
use super::sticky::{Affinity, stable_hash};
use crate::route::Route;

/// A child with its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::route) struct Weighted<N> {
    pub(in crate::route) route: N,
    pub(in crate::route) weight: u32,
    /// The variant's name, where it is one of an experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::route) name: Option<String>,
}

/// Children with their shares, and what keeps requests together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::route) struct Draw<N> {
    pub(in crate::route) choices: Vec<Weighted<N>>,
    pub(in crate::route) by: Option<Affinity>,
}

/// The form in JSON where there is more to say than the choices.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Full<C, A> {
    by: A,
    choices: C,
}

impl<N: Serialize> Serialize for Draw<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { choices, by } = self;
        match by {
            None => choices.serialize(serializer),
            Some(by) => Full { by, choices }.serialize(serializer),
        }
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Draw<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = list_or(
            deserializer,
            "a list of choices, or an object with the fields `by` and `choices`",
        )?;
        Ok(match read {
            ListOr::List(choices) => Self { choices, by: None },
            ListOr::Object(Full { by, choices }) => Self {
                choices,
                by: Some(by),
            },
        })
    }
}

#[cfg(feature = "schema")]
impl<N: schemars::JsonSchema> schemars::JsonSchema for Draw<N> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Draw".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::listed::list_or_schema::<Weighted<N>, Full<Vec<Weighted<N>>, Affinity>>(generator)
    }
}

/// The longest name of a variant, in bytes: it goes into headers and records.
const MAX_NAME: usize = 64;

impl<N> Draw<N> {
    /// What makes it impossible, in words for the operator.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let odd = |name: &str| {
            name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self
            .choices
            .iter()
            .filter_map(|choice| choice.name.as_deref())
            .any(odd)
        {
            return Some(
                "has a variant's name that is not of 1 to 64 visible ASCII characters without spaces",
            );
        }
        let weightless = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.weight == 0);
        weightless.then_some("has no weight above zero")
    }

    /// The order for a request, by chance, or by what keeps it together.
    ///
    /// The names of the variants are in the draw, so that experiments of one tenant do not hang together; the weights are not, so that a share
    /// that grows from the end of the list moves no other requests.
    pub(in crate::route) fn order(&self, context: &Context, entropy: &dyn Entropy) -> Vec<usize> {
        let weights = self.choices.iter().map(|choice| choice.weight);
        match self.by.as_ref().and_then(|by| by.key(context)) {
            None => draw(weights, entropy),
            Some(key) => {
                let names = self
                    .choices
                    .iter()
                    .map(|choice| choice.name.as_deref().unwrap_or_default());
                draw(weights, &SeededEntropy::new(key ^ stable_hash(names)))
            }
        }
    }
}

impl Route {
    /// One by chance, by weight; the others follow as fallbacks, drawn by weight in turn, so that the share of one that fails is spread
    /// as the weights say.
    ///
    /// To spread load over accounts or regions, and for canaries and A/B tests: see [`experiment`](Self::experiment). A weight of zero is never the
    /// first choice: a fallback alone.
    ///
    /// ```
    /// use edge_ai_gateway::Route;
    ///
    /// let spread = Route::weighted([("openai/gpt-5", 3), ("azure/gpt-5", 1)]);
    /// let json = r#"{"weighted": [{"route": "openai/gpt-5", "weight": 3}, {"route": "azure/gpt-5", "weight": 1}]}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, spread);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn weighted<T: Into<Self>>(routes: impl IntoIterator<Item = (T, u32)>) -> Self {
        let choice = |(route, weight): (T, u32)| Weighted {
            route: route.into(),
            weight,
            name: None,
        };
        let choices = routes.into_iter().map(choice).collect();
        Self::by(Strategy::Weighted(Draw { choices, by: None }))
    }

    /// One by chance, by weight, under a name: a canary, or the variants of an A/B test. With an affinity, the same tenant or session keeps its variant,
    /// in every isolate, with nothing stored; those without one are drawn each time.
    ///
    /// The name that is drawn is in the header `x-edge-ai-variant` of the answer and in the usage record, also when a
    /// fallback answers for it: what is compared is what was meant. Of experiments in one another the names are joined, as `outer/inner`.
    /// An answer from a cache has no variant, since none was drawn. A cache keeps tenants apart, and the sessions that an experiment goes by, too; without an affinity it
    /// gives all variants the answer of one.
    ///
    /// ```
    /// use edge_ai_gateway::{Affinity, Route};
    ///
    /// let canary = Route::experiment(Some(Affinity::Tenant), [("stable", "openai/gpt-5", 95), ("canary", "openai/gpt-5.1", 5)]);
    /// let json = r#"{"weighted": {"by": "tenant", "choices": [
    ///     {"route": "openai/gpt-5", "weight": 95, "name": "stable"},
    ///     {"route": "openai/gpt-5.1", "weight": 5, "name": "canary"}
    /// ]}}"#;
    /// assert_eq!(serde_json::from_str::<Route>(json)?, canary);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn experiment<V: Into<String>, T: Into<Self>>(
        by: Option<Affinity>,
        variants: impl IntoIterator<Item = (V, T, u32)>,
    ) -> Self {
        let choice = |(name, route, weight): (V, T, u32)| Weighted {
            route: route.into(),
            weight,
            name: Some(name.into()),
        };
        let choices = variants.into_iter().map(choice).collect();
        Self::by(Strategy::Weighted(Draw { choices, by }))
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

    fn experiment(weight: u32, name: &str) -> Draw<()> {
        let choice = |name: &str, weight| Weighted {
            route: (),
            weight,
            name: Some(name.into()),
        };
        Draw {
            choices: vec![choice("stable", 100 - weight), choice(name, weight)],
            by: Some(Affinity::Tenant),
        }
    }

    #[test]
    fn a_tenant_keeps_its_variant_and_a_growing_share_moves_nobody_back() {
        let entropy = SeededEntropy::new(1);
        let drawn = |draw: &Draw<()>, tenant: usize| {
            let context = Context::default().with_tenant(tenant.to_string());
            draw.order(&context, &entropy)[0]
        };
        let (small, large, other) = (
            experiment(10, "canary"),
            experiment(30, "canary"),
            experiment(10, "b"),
        );
        let mut counts = [0; 2];
        let mut together = 0;
        for tenant in 0..DRAWS {
            let first = drawn(&small, tenant);
            assert_eq!(first, drawn(&small, tenant));
            assert!(
                first == 0 || drawn(&large, tenant) == 1,
                "{tenant} left the canary"
            );
            counts[first] += 1;
            together += usize::from(first == 1 && drawn(&other, tenant) == 1);
        }
        assert!(near(counts[1], 0.1), "{counts:?}");
        // Two experiments do not pick the same tenants.
        assert!(near(together, 0.01), "{together}");
    }

    #[test]
    fn without_weights_the_order_stays() {
        assert_eq!(draw([0, 0].into_iter(), &SeededEntropy::new(1)), [0, 1]);
        assert!(draw([].into_iter(), &SeededEntropy::new(1)).is_empty());
        let order = draw([u32::MAX; 3].into_iter(), &SeededEntropy::new(1));
        assert_eq!(order.len(), 3);
    }
}
