use edge_ai_core::Usage;
use serde::Deserialize;

/// Tokens as Anthropic counts them: the input's three parts stand side by side. In a stream later counts replace earlier ones.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl Counts {
    /// These counts, with those of `later` where it has some.
    pub(super) fn updated(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .or(self.cache_creation_input_tokens),
            cache_read_input_tokens: later.cache_read_input_tokens.or(self.cache_read_input_tokens),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
        }
    }

    /// In the vocabulary's sense, in which the parts are contained in their whole.
    pub(super) fn usage(self) -> Usage {
        let write = self.cache_creation_input_tokens.unwrap_or_default();
        let read = self.cache_read_input_tokens.unwrap_or_default();
        let input = self
            .input_tokens
            .unwrap_or_default()
            .saturating_add(write)
            .saturating_add(read);
        let mut usage = Usage::new(input, self.output_tokens.unwrap_or_default());
        usage.cache_write_tokens = write;
        usage.cache_read_tokens = read;
        let details = self.output_tokens_details.unwrap_or_default();
        usage.reasoning_tokens = details.thinking_tokens.unwrap_or_default();
        usage
    }
}
