use std::borrow::Cow;

use edge_ai_core::{Error, FunctionTool, ResponseFormat, Result, Tool, ToolChoice};

use super::unsupported;
use crate::openai::chat_request::{each, schema, word_of_choice};
use crate::openai::invalid;
use crate::openai::responses::nested::rest;
use crate::wire::{Fields, Path};

/// Takes the tools.
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Vec<Tool>> {
    each(fields, "tools", tool)
}

fn tool(text: &str, path: Path<'_>) -> Result<Tool> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.require("type")?;
    if kind != "function" {
        return Ok(Tool::Vendor(rest(Fields::parse(text, path)?)));
    }
    if fields
        .peek_raw("function")
        .is_some_and(|text| text.starts_with('{'))
        && fields.peek_raw("name").is_none()
    {
        let message =
            "`name` is required; this API has it beside `type`, not in a `function` as chat completions do";
        return Err(invalid(&fields, "name", message));
    }
    let name: String = fields.require("name")?;
    if name.is_empty() {
        return Err(invalid(&fields, "name", "must not be empty"));
    }
    let mut tool = FunctionTool::named(name);
    tool.description = fields.take("description")?;
    tool.parameters = schema(&mut fields, "parameters")?;
    tool.strict = fields.take("strict")?;
    tool.extra = rest(fields);
    Ok(Tool::Function(tool))
}

/// Takes the choice. One of a kind that only this dialect knows stays an unknown field.
pub(super) fn decode_choice(
    fields: &mut Fields<'_>,
    bound: &mut Option<Error>,
) -> Result<Option<ToolChoice>> {
    let Some(text) = fields.peek_raw("tool_choice") else {
        return Ok(None);
    };
    let choice = if text.starts_with('{') {
        let path = fields.path().field("tool_choice");
        let mut choice = Fields::parse(text, path)?;
        let kind: Cow<'_, str> = choice.require("type")?;
        if kind != "function" {
            if bound.is_none() {
                let message = format!("a choice of `{kind}` is OpenAI's own; choose a function, or none");
                *bound = Some(unsupported(path.field("type").to_string(), &message));
            }
            return Ok(None);
        }
        ToolChoice::Function(choice.require("name")?)
    } else {
        word_of_choice(fields, text)?
    };
    fields.take_raw("tool_choice");
    Ok(Some(choice))
}

/// Takes the form of the answer from `text`.
pub(super) fn decode_format(text: &mut Fields<'_>) -> Result<Option<ResponseFormat>> {
    let Some(format) = text.take_raw("format") else {
        return Ok(None);
    };
    let path = text.path().field("format");
    let mut format = Fields::parse(format, path)?;
    let kind: Cow<'_, str> = format.require("type")?;
    Ok(match &*kind {
        // It is what an answer has unsaid.
        "text" => None,
        "json_object" => Some(ResponseFormat::JsonObject),
        "json_schema" => Some(ResponseFormat::JsonSchema {
            name: format.require("name")?,
            description: format.take("description")?,
            schema: match schema(&mut format, "schema")? {
                Some(schema) => schema,
                None => return Err(invalid(&format, "schema", "`schema` is required")),
            },
            strict: format.take("strict")?,
        }),
        other => {
            let message = format!("`{other}` is not one of text, json_object, json_schema");
            return Err(invalid(&format, "type", message));
        }
    })
}
