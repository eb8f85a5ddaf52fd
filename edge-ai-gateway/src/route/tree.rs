use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::strategy::{Affinity, Sight, Strategy};

/// What a name of the operator's choice stands for: a model, or a choice among routes.
///
/// | route | whom a request goes to first |
/// | --- | --- |
/// | [`alias`](Self::alias), or a model's name | this model |
/// | [`fallback`](Self::fallback) | the first in order |
/// | [`weighted`](Self::weighted) | one by chance |
/// | [`cheapest`](Self::cheapest) | the cheapest that can do it |
/// | [`fastest`](Self::fastest) | the one that has lately been the quickest |
/// | [`sticky`](Self::sticky) | the same for the same tenant or session |
/// | [`hedged`](Self::hedged) | the first, and the next as well when it is slow |
/// | [`when`](Self::when) | one or the other, by what is asked |
///
/// A choice is an order: who is not chosen follows as a fallback, except after [`when`](Self::when). Routes nest; [`cheapest`](Self::cheapest) and
/// [`fastest`](Self::fastest) look through to the models inside. Whoever is [resting](crate::Router#health) is passed over while
/// anybody else is left, and so is a model whose context window, by the [catalog](edge_ai_providers::catalog), is too small for the prompt's estimated tokens. When a
/// vendor finds the prompt too long, those that are known to have no larger window are not asked.
///
/// ```
/// use edge_ai_gateway::{Condition, Route};
///
/// let smart = Route::fallback(["anthropic/claude-sonnet-4-5", "openai/gpt-5"]);
/// let canary = Route::weighted([(smart, 95), (Route::alias("openai/gpt-5.1"), 5)]);
/// let route = Route::when(Condition::tenant("acme"), canary, "openai/gpt-5-mini");
/// assert_eq!(route.targets().len(), 4);
/// ```
///
/// # As JSON
///
/// A model is a string, a choice an object with one field, named after the function that makes it:
///
/// ```
/// # use edge_ai_gateway::Route;
/// # let json = r#"
/// {"when": {
///   "if": {"metadata": {"plan": "pro"}},
///   "then": {"fallback": ["anthropic/claude-sonnet-4-5", "openai/gpt-5"]},
///   "else": {"weighted": [
///     {"route": {"cheapest": ["openai/gpt-5-nano", "workers-ai/@cf/zai-org/glm-4.7-flash"]}, "weight": 9},
///     {"route": {"sticky": {"by": "tenant", "routes": ["eu/gpt-5-mini", "us/gpt-5-mini"]}}, "weight": 1}
///   ]}
/// }}
/// # "#;
/// # let route: Route = serde_json::from_str(json)?;
/// # assert_eq!(route.targets().len(), 6);
/// # assert_eq!(serde_json::from_str::<Route>(&serde_json::to_string(&route)?)?, route);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub(super) node: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A model's name.
    Target(String),
    /// A choice.
    By(Strategy<Route>),
}

impl Route {
    /// Another name for one model. Wherever a route is taken, the model's name itself serves as well.
    pub fn alias(target: impl Into<String>) -> Self {
        Self {
            node: Node::Target(target.into()),
        }
    }

    pub(super) const fn by(strategy: Strategy<Self>) -> Self {
        Self {
            node: Node::By(strategy),
        }
    }

    /// The models in it, each once, in the order they were given.
    pub fn targets(&self) -> Vec<&str> {
        let mut targets = Vec::new();
        self.collect(&mut targets);
        targets
    }

    fn collect<'a>(&'a self, targets: &mut Vec<&'a str>) {
        match &self.node {
            Node::Target(target) if targets.contains(&target.as_str()) => {}
            Node::Target(target) => targets.push(target),
            Node::By(strategy) => strategy
                .children()
                .into_iter()
                .for_each(|route| route.collect(targets)),
        }
    }

    /// Tells what decides where a request goes beside its content.
    pub(super) fn looks_at<'a>(&'a self, sight: &mut Sight<'a>) {
        let Node::By(strategy) = &self.node else { return };
        match strategy {
            Strategy::When(when) => when.condition.looks_at(sight),
            // Variants are meant to differ. A sticky route's choices are the same model at several places: their answers serve each other.
            Strategy::Weighted(draw) => {
                if let Some(Affinity::Metadata(key)) = &draw.by {
                    sight.metadata.insert(key);
                }
            }
            // By which of them a model is quick is not a matter of what it answers.
            _ => {}
        }
        for route in strategy.children() {
            route.looks_at(sight);
        }
    }

    /// The route to those of its models that `known` knows; `None` without any.
    pub(super) fn retain(self, known: &impl Fn(&str) -> bool) -> Option<Self> {
        match self.node {
            Node::Target(target) => known(&target).then(|| Self::alias(target)),
            Node::By(strategy) => strategy.filter_map(|route| route.retain(known)).map(Self::by),
        }
    }

    /// What is wrong with it whoever the providers are, in words for the operator.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let Node::By(strategy) = &self.node else {
            return None;
        };
        let inside = || strategy.children().into_iter().find_map(Self::fault);
        strategy.fault().or_else(inside)
    }
}

impl From<&str> for Route {
    fn from(target: &str) -> Self {
        Self::alias(target)
    }
}

impl From<String> for Route {
    fn from(target: String) -> Self {
        Self::alias(target)
    }
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.node {
            Node::Target(target) => serializer.serialize_str(target),
            Node::By(strategy) => strategy.serialize(serializer),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Route {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Route".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let choice = generator.subschema_for::<Strategy<Self>>();
        schemars::json_schema!({
            "description": "A model as `provider/model`, or a choice among routes.",
            "anyOf": [{"type": "string", "minLength": 1}, choice]
        })
    }
}

/// By hand, since an error of an untagged enum does not say where it is.
impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expected;

        impl<'de> Visitor<'de> for Expected {
            type Value = Route;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model as `provider/model`, or an object with one of the fields `fallback`, `weighted`, `cheapest`, `fastest`, `sticky`, `hedge`, `when`")
            }

            fn visit_str<E: serde::de::Error>(self, target: &str) -> Result<Route, E> {
                if target.is_empty() {
                    return Err(E::custom("a model's name must not be empty"));
                }
                Ok(Route::alias(target))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Route, A::Error> {
                let route = Route::by(Strategy::deserialize(MapAccessDeserializer::new(map))?);
                match route.fault() {
                    Some(fault) => Err(A::Error::custom(format_args!("this route {fault}"))),
                    None => Ok(route),
                }
            }
        }

        deserializer.deserialize_any(Expected)
    }
}

#[cfg(test)]
mod tests;
