use std::collections::BTreeMap;

use edge_ai_cache::CacheRules;
use edge_ai_core::{Error, ErrorKind, LimitRule, Result};
use edge_ai_gateway::Route;
use edge_ai_guard::GuardConfig;
use serde::Deserialize;

use super::{PriceConfig, ProviderConfig, RetryConfig, TimeoutsConfig};

/// What a gateway is configured with. Everything may be left out; unknown fields are refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where this document's JSON Schema is; for editors.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Servers that speak OpenAI's dialect, beside the providers that the application has.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Names for models, and for choices among them.
    pub routes: BTreeMap<String, Route>,
    /// Routes that are there with those of their targets whose provider is; without any, there is no such name.
    pub optional_routes: BTreeMap<String, Route>,
    /// How often targets are tried.
    pub retry: RetryConfig,
    /// How long things may take.
    pub timeouts: TimeoutsConfig,
    /// How long answers are kept, by route; without it, none is. Where they are kept is the application's to say.
    pub cache: Option<CacheRules>,
    /// How much of what, for whom, in which time.
    pub limits: Vec<LimitRule>,
    /// Every how many seconds isolates share how quick targets have lately been, for routes that choose the fastest; without it, each isolate
    /// knows what it has measured itself. Where they share it is the application's to say. A minute is a good time.
    pub share_paces_seconds: Option<u64>,
    /// What is found, hidden and refused in requests and answers.
    pub guardrails: Option<GuardConfig>,
    /// Prices of models, by `provider/model`, before the list prices.
    pub prices: BTreeMap<String, PriceConfig>,
    /// The largest request body, in bytes.
    pub max_body_bytes: Option<usize>,
    /// How long a stream is silent until it is kept alive.
    pub keep_alive_seconds: Option<u64>,
}

impl Config {
    /// Looks at what the form of the document does not say: that prices have a provider, and limits make sense together.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the [place](Error::param) as `param`, such as `prices.gpt-5`.
    pub fn check(&self) -> Result<()> {
        for name in self.prices.keys() {
            let (provider, model) = name.split_once('/').unwrap_or_default();
            if provider.is_empty() || model.is_empty() {
                return Err(wrong(
                    &["prices", name],
                    "a price is of a `provider/model`, such as `openai/gpt-5`",
                ));
            }
        }
        for (name, provider) in &self.providers {
            provider.check(name)?;
        }
        if let Some((at, error)) = LimitRule::first_fault(&self.limits) {
            return Err(wrong(&[&format!("limits[{at}]")], error.message()));
        }
        for (name, seconds) in [
            ("keep_alive_seconds", self.keep_alive_seconds),
            ("share_paces_seconds", self.share_paces_seconds),
        ] {
            if seconds == Some(0) {
                return Err(wrong(&[name], "it is at least 1"));
            }
        }
        if let Some(guardrails) = &self.guardrails {
            guardrails
                .clone()
                .build()
                .map_err(|error| wrong(&["guardrails"], error.message()))?;
        }
        Ok(())
    }
}

/// A fault of the document at a place; keys with dots in them are quoted by whoever shows the place.
pub(super) fn wrong(place: &[&str], problem: &str) -> Error {
    let place = place.join(super::place::SEPARATOR);
    Error::new(ErrorKind::Configuration, problem).with_param(place)
}
