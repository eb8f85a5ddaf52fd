use edge_ai_core::{ChatInput, FunctionTool, ResponseFormat, Result, Tool, ToolChoice};

use super::unsupported;
use crate::openai::CHAT;
use crate::openai::responses::{RESPONSES, nested};
use crate::wire::ObjectWriter;

/// Writes the tools, how to choose among them, and the form of the answer.
pub(super) fn write(object: &mut ObjectWriter<'_>, input: &ChatInput) -> Result<()> {
    if !input.tools.is_empty() {
        object.array("tools", |array| {
            for (index, tool) in input.tools.iter().enumerate() {
                array.object(|object| match tool {
                    Tool::Function(tool) => {
                        write_function(object, tool);
                        Ok(())
                    }
                    Tool::Vendor(extra) if extra.fields_for(&RESPONSES).next().is_some() => {
                        object.extra(extra, &RESPONSES);
                        Ok(())
                    }
                    _ => Err(unsupported(
                        &format!("tools[{index}].type"),
                        "a tool of another vendor",
                    )),
                })?;
            }
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
            choice.field("name", name);
            Ok(())
        })?,
        Some(_) => return Err(unsupported("tool_choice", "this choice of tools")),
    }
    object.optional("parallel_tool_calls", input.parallel_tool_calls);
    let verbosity = input.extra.get(&CHAT, "verbosity");
    if input.response_format.is_some() || verbosity.is_some() || nested::any(&input.extra, "text") {
        object.object("text", |text| {
            if let Some(format) = &input.response_format {
                text.object("format", |object| write_format(object, format))?;
            }
            text.optional("verbosity", verbosity);
            nested::write(text, &input.extra, "text");
            Ok(())
        })?;
    }
    Ok(())
}

fn write_function(object: &mut ObjectWriter<'_>, tool: &FunctionTool) {
    object.field("type", "function");
    object.field("name", &tool.name);
    object.optional("description", tool.description.as_deref());
    match &tool.parameters {
        Some(schema) => object.field("parameters", schema),
        // The field must be there, and a function without any takes nothing.
        None => object.raw("parameters", r#"{"type":"object","properties":{}}"#),
    }
    // Unsaid, it would be strict here and is not in the other dialects.
    object.field("strict", tool.strict.unwrap_or(false));
    object.extra(&tool.extra, &RESPONSES);
}

fn write_format(object: &mut ObjectWriter<'_>, format: &ResponseFormat) -> Result<()> {
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
            object.field("name", name);
            object.optional("description", description.as_deref());
            object.field("schema", schema);
            object.optional("strict", *strict);
        }
        _ => return Err(unsupported("text.format", "this form of answer")),
    }
    Ok(())
}
