use std::borrow::Cow;

use edge_ai_core::{
    ContentPart, Error, Extra, FunctionTool, RawJson, ResponseFormat, Result, Tool, ToolCall, ToolChoice,
};

use crate::openai::CHAT;
use crate::openai::params::{invalid, with_nested};
use crate::wire::{Fields, Path, elements};

/// Takes the tools, and the functions of the deprecated kind as tools that only this dialect knows.
pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Vec<Tool>> {
    let mut tools = each(fields, "tools", tool)?;
    tools.extend(each(fields, "functions", |text, path| {
        Fields::parse(text, path)?.require::<Cow<'_, str>>("name")?;
        Ok(Tool::Vendor(Extra::new(
            CHAT,
            vec![("functions".into(), RawJson::parse(text)?)],
        )))
    })?);
    Ok(tools)
}

fn tool(text: &str, path: Path<'_>) -> Result<Tool> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.require("type")?;
    if kind != "function" {
        return Ok(Tool::Vendor(Fields::parse(text, path)?.rest(&CHAT)));
    }
    let function = fields.require_raw("function")?;
    let path = fields.path().field("function");
    let mut inner = Fields::parse(function, path)?;
    let name: String = inner.require("name")?;
    if name.is_empty() {
        return Err(invalid(&inner, "name", "must not be empty"));
    }
    let mut tool = FunctionTool::named(name);
    tool.description = inner.take("description")?;
    tool.parameters = schema(&mut inner, "parameters")?;
    tool.strict = inner.take("strict")?;
    let inner = inner.rest(&CHAT);
    tool.extra = with_nested(fields, "function", inner);
    Ok(Tool::Function(tool))
}

/// Takes the choice. Kinds that only this dialect knows (`allowed_tools`, `custom`) stay unknown fields.
pub(super) fn decode_choice(fields: &mut Fields<'_>) -> Result<Option<ToolChoice>> {
    let Some(text) = fields.peek_raw("tool_choice") else {
        fields.take_raw("tool_choice");
        return Ok(None);
    };
    let choice = if text.starts_with('{') {
        let path = fields.path().field("tool_choice");
        let mut choice = Fields::parse(text, path)?;
        let kind: Cow<'_, str> = choice.require("type")?;
        match &*kind {
            "function" => {
                let function = choice.require_raw("function")?;
                let path = choice.path().field("function");
                ToolChoice::Function(Fields::parse(function, path)?.require("name")?)
            }
            "allowed_tools" | "custom" => return Ok(None),
            other => {
                let message = format!("`{other}` is not one of function, allowed_tools, custom");
                return Err(invalid(&choice, "type", message));
            }
        }
    } else {
        word_of_choice(fields, text)?
    };
    fields.take_raw("tool_choice");
    Ok(Some(choice))
}

/// A choice that is a word.
pub(in crate::openai) fn word_of_choice(fields: &Fields<'_>, text: &str) -> Result<ToolChoice> {
    match text {
        "\"auto\"" => Ok(ToolChoice::Auto),
        "\"none\"" => Ok(ToolChoice::None),
        "\"required\"" => Ok(ToolChoice::Required),
        _ => {
            let message = "must be none, auto, required or name a tool";
            Err(invalid(fields, "tool_choice", message))
        }
    }
}

/// Takes the form of the answer.
pub(super) fn decode_response_format(fields: &mut Fields<'_>) -> Result<Option<ResponseFormat>> {
    let Some(text) = fields.take_raw("response_format") else {
        return Ok(None);
    };
    let path = fields.path().field("response_format");
    let mut format = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = format.require("type")?;
    Ok(Some(match &*kind {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => {
            let schema_text = format.require_raw("json_schema")?;
            let path = format.path().field("json_schema");
            let mut inner = Fields::parse(schema_text, path)?;
            ResponseFormat::JsonSchema {
                name: inner.require("name")?,
                description: inner.take("description")?,
                schema: match schema(&mut inner, "schema")? {
                    Some(schema) => schema,
                    // Without one any object will do.
                    None => RawJson::parse("{}")?,
                },
                strict: inner.take("strict")?,
            }
        }
        other => {
            let message = format!("`{other}` is not one of text, json_object, json_schema");
            return Err(invalid(&format, "type", message));
        }
    }))
}

/// Takes an assistant's calls.
pub(super) fn decode_calls(fields: &mut Fields<'_>) -> Result<Vec<ContentPart>> {
    each(fields, "tool_calls", |text, path| {
        let mut fields = Fields::parse(text, path)?;
        let kind: Option<Cow<'_, str>> = fields.take("type")?;
        if kind.is_some_and(|kind| kind != "function") {
            return Ok(ContentPart::Other(Fields::parse(text, path)?.rest(&CHAT)));
        }
        let id: String = fields.require("id")?;
        let function = fields.require_raw("function")?;
        let path = fields.path().field("function");
        let mut inner = Fields::parse(function, path)?;
        let mut call = ToolCall::new(
            id,
            inner.require::<String>("name")?,
            inner.require::<String>("arguments")?,
        );
        let inner = inner.rest(&CHAT);
        call.extra = with_nested(fields, "function", inner);
        Ok(ContentPart::ToolCall(call))
    })
}

/// Takes a JSON schema, as its text.
pub(in crate::openai) fn schema(fields: &mut Fields<'_>, name: &str) -> Result<Option<RawJson>> {
    let Some(text) = fields.take_raw(name) else {
        return Ok(None);
    };
    if !text.starts_with('{') {
        return Err(invalid(fields, name, "must be a JSON schema, an object"));
    }
    RawJson::parse(text).map(Some)
}

/// Takes the elements of a list; without the list, there are none.
pub(in crate::openai) fn each<T>(
    fields: &mut Fields<'_>,
    name: &str,
    read: impl Fn(&str, Path<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let Some(text) = fields.take_raw(name) else {
        return Ok(Vec::new());
    };
    let path = fields.path().field(name);
    let texts = elements(text, &path)
        .map_err(|error| Error::invalid(path.to_string(), "must be an array").with_source(error))?;
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| read(text, path.index(index)))
        .collect()
}
