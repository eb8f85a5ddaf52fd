use edge_ai_core::{ServiceTier, Usage};
use serde::Deserialize;

use crate::openai::Count;

/// Tokens as Anthropic counts them: the input's three parts stand side by side. In a stream later counts replace earlier ones.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Counts {
    input_tokens: Option<Count>,
    output_tokens: Option<Count>,
    cache_creation_input_tokens: Option<Count>,
    cache_read_input_tokens: Option<Count>,
    output_tokens_details: Option<OutputDetails>,
    cache_creation: Option<CacheCreation>,
    service_tier: Option<Tier>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Count,
}

/// `standard`, `priority` or `batch` ([docs](https://docs.claude.com/en/api/service-tiers)).
#[derive(Clone, Copy, Debug)]
struct Tier(ServiceTier);

impl<'de> Deserialize<'de> for Tier {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Self(ServiceTier::named(&name)))
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<Count>,
}

impl Counts {
    /// These counts, with those of `later` where it has some.
    pub(crate) fn updated(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .or(self.cache_creation_input_tokens),
            cache_read_input_tokens: later.cache_read_input_tokens.or(self.cache_read_input_tokens),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
            cache_creation: later.cache_creation.or(self.cache_creation),
            service_tier: later.service_tier.or(self.service_tier),
        }
    }

    /// In the vocabulary's sense, in which the parts are contained in their whole.
    pub(crate) fn usage(self) -> Usage {
        let number = |count: Option<Count>| count.unwrap_or_default().0;
        let write = number(self.cache_creation_input_tokens);
        let read = number(self.cache_read_input_tokens);
        let input = number(self.input_tokens)
            .saturating_add(write)
            .saturating_add(read);
        let mut usage = Usage::new(input, number(self.output_tokens));
        usage.cache_write_tokens = write;
        usage.cache_read_tokens = read;
        let details = self.output_tokens_details.unwrap_or_default();
        usage.reasoning_tokens = number(details.thinking_tokens);
        let created = self.cache_creation.unwrap_or_default();
        usage.cache_write_1h_tokens = created.ephemeral_1h_input_tokens.0.min(write);
        usage.service_tier = self.service_tier.map_or_else(ServiceTier::default, |tier| tier.0);
        usage
    }
}
