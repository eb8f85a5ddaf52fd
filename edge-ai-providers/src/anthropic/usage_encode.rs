use edge_ai_core::{Result, Usage};

use crate::wire::ObjectWriter;

/// Writes the fields of a `usage`, in which the input's three parts stand side by side.
///
/// # Errors
/// None: nothing that is written here fails.
pub(super) fn write_usage(object: &mut ObjectWriter<'_>, usage: &Usage) -> Result<()> {
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    object.field("input_tokens", usage.input_tokens.saturating_sub(cached));
    object.field("cache_creation_input_tokens", usage.cache_write_tokens);
    object.field("cache_read_input_tokens", usage.cache_read_tokens);
    if usage.cache_write_1h_tokens > 0 {
        object.object("cache_creation", |creation| {
            let minutes = usage
                .cache_write_tokens
                .saturating_sub(usage.cache_write_1h_tokens);
            creation.field("ephemeral_5m_input_tokens", minutes);
            creation.field("ephemeral_1h_input_tokens", usage.cache_write_1h_tokens);
            Ok(())
        })?;
    }
    object.field("output_tokens", usage.output_tokens);
    object.object("output_tokens_details", |details| {
        details.field("thinking_tokens", usage.reasoning_tokens);
        Ok(())
    })
}
