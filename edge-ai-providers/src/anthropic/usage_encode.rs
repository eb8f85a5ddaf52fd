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
    object.field("output_tokens", usage.output_tokens);
    object.object("output_tokens_details", |details| {
        details.field("thinking_tokens", usage.reasoning_tokens);
        Ok(())
    })
}
