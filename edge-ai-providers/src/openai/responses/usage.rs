use edge_ai_core::{Result, Usage};
use serde::Deserialize;

use crate::openai::Count;
use crate::wire::ObjectWriter;

/// `usage`, as this API writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageFields {
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Count,
}

impl From<UsageFields> for Usage {
    fn from(fields: UsageFields) -> Self {
        let input = fields.input_tokens_details.unwrap_or_default();
        let output = fields.output_tokens_details.unwrap_or_default();
        let mut usage = Self::new(fields.input_tokens.0, fields.output_tokens.0);
        usage.cache_read_tokens = input.cached_tokens.0;
        usage.cache_write_tokens = input.cache_write_tokens.0;
        usage.reasoning_tokens = output.reasoning_tokens.0;
        usage
    }
}

/// Writes the fields of `usage`.
pub(super) fn write_usage(object: &mut ObjectWriter<'_>, usage: &Usage) -> Result<()> {
    object.field("input_tokens", usage.input_tokens);
    object.object("input_tokens_details", |details| {
        details.field("cached_tokens", usage.cache_read_tokens);
        details.field("cache_write_tokens", usage.cache_write_tokens);
        Ok(())
    })?;
    object.field("output_tokens", usage.output_tokens);
    object.object("output_tokens_details", |details| {
        details.field("reasoning_tokens", usage.reasoning_tokens);
        Ok(())
    })?;
    object.field("total_tokens", usage.total_tokens());
    Ok(())
}
