use edge_ai_core::{ChatInput, Error, ErrorKind, FunctionTool, ResponseFormat, Result, Tool, ToolChoice};

use super::Compatibility;
use crate::openai::CHAT;
use crate::openai::params::{nested, own};
use crate::wire::ObjectWriter;

/// Writes the tools, how to choose among them, and the form of the answer.
pub(super) fn write(object: &mut ObjectWriter<'_>, input: &ChatInput, server: &Compatibility) -> Result<()> {
    if input.tools.iter().any(|tool| deprecated(tool).is_none()) {
        object.array("tools", |array| {
            for (index, tool) in input
                .tools
                .iter()
                .enumerate()
                .filter(|(_, tool)| deprecated(tool).is_none())
            {
                array.object(|object| write_tool(object, index, tool))?;
            }
            Ok(())
        })?;
    }
    if input.tools.iter().any(|tool| deprecated(tool).is_some()) {
        object.array("functions", |array| {
            input
                .tools
                .iter()
                .filter_map(deprecated)
                .for_each(|function| array.value(function));
            Ok(())
        })?;
    }
    match &input.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => object.field("tool_choice", "auto"),
        Some(ToolChoice::None) => object.field("tool_choice", "none"),
        Some(ToolChoice::Required) => object.field("tool_choice", "required"),
        Some(ToolChoice::Function(name)) => object.object("tool_choice", |choice| {
            choice.field("type", "function");
            choice.object("function", |function| {
                function.field("name", name);
                Ok(())
            })
        })?,
        Some(_) => return Err(unsupported("tool_choice", "this choice of tools")),
    }
    if let Some(name) = server.field("parallel_tool_calls") {
        object.optional(name, input.parallel_tool_calls);
    }
    input
        .response_format
        .as_ref()
        .map_or(Ok(()), |format| write_format(object, format))
}

/// A function of the deprecated kind.
fn deprecated(tool: &Tool) -> Option<&edge_ai_core::RawJson> {
    match tool {
        Tool::Vendor(extra) => extra.get(&CHAT, "functions"),
        _ => None,
    }
}

fn write_tool(object: &mut ObjectWriter<'_>, index: usize, tool: &Tool) -> Result<()> {
    match tool {
        Tool::Function(tool) => write_function(object, tool),
        Tool::Vendor(extra) if extra.fields_for(&CHAT).next().is_some() => {
            object.extra(extra, &CHAT);
            Ok(())
        }
        _ => Err(unsupported(
            &format!("tools[{index}].type"),
            "a tool of another vendor",
        )),
    }
}

fn write_function(object: &mut ObjectWriter<'_>, tool: &FunctionTool) -> Result<()> {
    object.field("type", "function");
    object.object("function", |function| {
        function.field("name", &tool.name);
        function.optional("description", tool.description.as_deref());
        function.optional("parameters", tool.parameters.as_ref());
        function.optional("strict", tool.strict);
        nested(&tool.extra, "function").for_each(|(name, value)| function.raw(name, value.get()));
        Ok(())
    })?;
    own(&tool.extra, "function").for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn write_format(object: &mut ObjectWriter<'_>, format: &ResponseFormat) -> Result<()> {
    object.object("response_format", |object| {
        match format {
            ResponseFormat::Text => object.field("type", "text"),
            ResponseFormat::JsonObject => object.field("type", "json_object"),
            ResponseFormat::JsonSchema {
                name,
                description,
                schema,
                strict,
            } => {
                object.field("type", "json_schema");
                object.object("json_schema", |object| {
                    object.field("name", name);
                    object.optional("description", description.as_deref());
                    object.field("schema", schema);
                    object.optional("strict", *strict);
                    Ok(())
                })?;
            }
            _ => return Err(unsupported("response_format", "this form of answer")),
        }
        Ok(())
    })
}

/// What the dialect cannot say.
pub(super) fn unsupported(param: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("OpenAI's chat completions cannot carry {what}"),
    )
    .with_param(param)
}
