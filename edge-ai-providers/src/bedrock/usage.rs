use edge_ai_core::Usage;
use serde::Deserialize;

use crate::openai::Count;

/// Tokens as Converse counts them: what came from and went to the prompt cache stands beside the input.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TokenUsage {
    input_tokens: Option<Count>,
    output_tokens: Option<Count>,
    cache_read_input_tokens: Option<Count>,
    cache_write_input_tokens: Option<Count>,
}

impl From<TokenUsage> for Usage {
    /// In the vocabulary's sense, in which the parts are contained in their whole.
    fn from(counts: TokenUsage) -> Self {
        let number = |count: Option<Count>| count.unwrap_or_default().0;
        let read = number(counts.cache_read_input_tokens);
        let write = number(counts.cache_write_input_tokens);
        let input = number(counts.input_tokens)
            .saturating_add(read)
            .saturating_add(write);
        let mut usage = Self::new(input, number(counts.output_tokens));
        usage.cache_read_tokens = read;
        usage.cache_write_tokens = write;
        usage
    }
}
