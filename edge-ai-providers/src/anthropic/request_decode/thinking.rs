use std::borrow::Cow;

use edge_ai_core::{ChatInput, RawJson, ReasoningConfig, ResponseFormat, Result};

use crate::openai::{invalid, positive};
use crate::wire::Fields;

/// The name of a schema where a vendor wants one; this dialect's have none.
const SCHEMA_NAME: &str = "answer";

/// Reads `thinking` and `output_config` for vendors of other dialects; the fields themselves are not taken.
pub(super) fn decode(fields: &Fields<'_>, input: &mut ChatInput) -> Result<()> {
    if let Some(text) = fields.peek_raw("thinking") {
        input.reasoning = thinking(Fields::parse(text, fields.path().field("thinking"))?)?;
    }
    let Some(text) = fields.peek_raw("output_config") else {
        return Ok(());
    };
    let mut config = Fields::parse(text, fields.path().field("output_config"))?;
    let off = ReasoningConfig::effort("none");
    if let Some(effort) = config.take::<String>("effort")?
        && input.reasoning.as_ref() != Some(&off)
    {
        input.reasoning.get_or_insert_default().effort = Some(effort);
    }
    if let Some(text) = config.take_raw("format") {
        input.response_format = Some(format(Fields::parse(text, config.path().field("format"))?)?);
    }
    Ok(())
}

fn thinking(mut fields: Fields<'_>) -> Result<Option<ReasoningConfig>> {
    let kind: Cow<'_, str> = fields.require("type")?;
    match &*kind {
        "enabled" => match positive(&mut fields, "budget_tokens", u32::MAX)? {
            Some(budget) => Ok(Some(ReasoningConfig::max_tokens(budget))),
            None => Err(invalid(&fields, "budget_tokens", "`budget_tokens` is required")),
        },
        "disabled" => Ok(Some(ReasoningConfig::effort("none"))),
        // As much as the model finds right.
        "adaptive" | "between_tools" => Ok(None),
        other => {
            let problem = format!("`{other}` is not one of enabled, disabled, adaptive, between_tools");
            Err(invalid(&fields, "type", problem))
        }
    }
}

/// Not strict: this dialect's schemas may have fields that need not be there, which OpenAI's strict ones may not.
fn format(mut fields: Fields<'_>) -> Result<ResponseFormat> {
    let kind: Cow<'_, str> = fields.require("type")?;
    if kind != "json_schema" {
        return Err(invalid(&fields, "type", format!("`{kind}` is not json_schema")));
    }
    let schema = fields.require_raw("schema")?;
    if !schema.starts_with('{') {
        return Err(invalid(&fields, "schema", "must be a JSON schema, an object"));
    }
    Ok(ResponseFormat::JsonSchema {
        name: SCHEMA_NAME.to_owned(),
        description: None,
        schema: RawJson::parse(schema)?,
        strict: None,
    })
}
