use std::borrow::Cow;
use std::collections::BTreeSet;

use edge_ai_core::{ChatInput, Error, FunctionTool, RawJson, Result, Tool, ToolChoice};

use crate::anthropic::MESSAGES;
use crate::anthropic::response::rest;
use crate::openai::invalid;
use crate::wire::{Fields, Path, elements};

/// The longest name of a tool.
const MAX_NAME: usize = 128;

/// Takes the tools.
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Vec<Tool>> {
    let Some(text) = fields.take_raw("tools") else {
        return Ok(Vec::new());
    };
    let path = fields.path().field("tools");
    let texts = elements(text, &path)
        .map_err(|error| Error::invalid(path.to_string(), "must be an array of tools").with_source(error))?;
    let mut names = BTreeSet::new();
    let mut tools = Vec::with_capacity(texts.len());
    for (index, text) in texts.into_iter().enumerate() {
        let path = path.index(index);
        let tool = tool(text, path)?;
        if let Tool::Function(function) = &tool
            && !names.insert(function.name.clone())
        {
            let problem = format!("`{}` is the name of an earlier tool", function.name);
            return Err(Error::invalid(path.field("name").to_string(), problem));
        }
        tools.push(tool);
    }
    Ok(tools)
}

fn tool(text: &str, path: Path<'_>) -> Result<Tool> {
    let mut fields = Fields::parse(text, path)?;
    if let Some(kind) = fields.peek_raw("type")
        && kind != "\"custom\""
    {
        fields.require::<Cow<'_, str>>("type")?;
        return Ok(Tool::Vendor(Fields::parse(text, path)?.rest(&MESSAGES)));
    }
    let name: String = fields.require("name")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(allowed) {
        let problem = format!("must be 1 to {MAX_NAME} letters, digits, `_` or `-`");
        return Err(invalid(&fields, "name", problem));
    }
    let mut tool = FunctionTool::named(name);
    tool.description = fields.take("description")?;
    let schema = fields.require_raw("input_schema")?;
    if !schema.starts_with('{') {
        return Err(invalid(
            &fields,
            "input_schema",
            "must be a JSON schema, an object",
        ));
    }
    tool.parameters = Some(RawJson::parse(schema)?);
    tool.strict = fields.take("strict")?;
    tool.extra = rest(fields);
    Ok(Tool::Function(tool))
}

/// Takes the choice, and whether several calls may come at once.
pub(super) fn decode_choice(fields: &mut Fields<'_>, input: &mut ChatInput) -> Result<()> {
    let Some(text) = fields.take_raw("tool_choice") else {
        return Ok(());
    };
    let mut choice = Fields::parse(text, fields.path().field("tool_choice"))?;
    let kind: Cow<'_, str> = choice.require("type")?;
    input.tool_choice = Some(match &*kind {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(choice.require("name")?),
        other => {
            let problem = format!("`{other}` is not one of auto, any, tool, none");
            return Err(invalid(&choice, "type", problem));
        }
    });
    if choice.take("disable_parallel_tool_use")? == Some(true) {
        input.parallel_tool_calls = Some(false);
    }
    Ok(())
}
