use edge_ai_core::{ChatInput, Error, ErrorKind, FunctionTool, Result, Tool, ToolChoice};

use crate::gemini::GENERATE;
use crate::wire::ObjectWriter;

/// Writes `tools` and `toolConfig`.
pub(super) fn write(body: &mut ObjectWriter<'_>, input: &ChatInput) -> Result<()> {
    if input.tools.is_empty() {
        return match input.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Function(_)) => Err(Error::invalid(
                "tool_choice",
                "a tool must be called, and there are none in `tools`",
            )),
            _ => Ok(()),
        };
    }
    let functions = || {
        input.tools.iter().filter_map(|tool| match tool {
            Tool::Function(function) => Some(function),
            _ => None,
        })
    };
    body.array("tools", |tools| {
        if functions().next().is_some() {
            tools.object(|tool| {
                tool.array("functionDeclarations", |list| {
                    functions().try_for_each(|function| list.object(|object| declare(object, function)))
                })
            })?;
        }
        for (index, tool) in input.tools.iter().enumerate() {
            match tool {
                Tool::Function(_) => {}
                Tool::Vendor(extra) if extra.fields_for(&GENERATE).next().is_some() => {
                    tools.object(|object| {
                        object.extra(extra, &GENERATE);
                        Ok(())
                    })?;
                }
                _ => {
                    let message = "another vendor's tool; Gemini does not have it";
                    return Err(
                        Error::new(ErrorKind::Unsupported, message).with_param(format!("tools[{index}]"))
                    );
                }
            }
        }
        Ok(())
    })?;
    write_choice(body, input)
}

fn declare(object: &mut ObjectWriter<'_>, function: &FunctionTool) -> Result<()> {
    object.field("name", &function.name);
    // Google wants one, and the name says as much as nothing does.
    object.field(
        "description",
        function.description.as_deref().unwrap_or(&function.name),
    );
    if let Some(parameters) = &function.parameters {
        object.raw("parametersJsonSchema", parameters.get());
    }
    object.extra(&function.extra, &GENERATE);
    Ok(())
}

fn write_choice(body: &mut ObjectWriter<'_>, input: &ChatInput) -> Result<()> {
    let Some(choice) = &input.tool_choice else {
        return Ok(());
    };
    if input.extra.get(&GENERATE, "toolConfig").is_some() {
        return Ok(());
    }
    let (mode, only) = match choice {
        ToolChoice::Auto => ("AUTO", None),
        ToolChoice::None => ("NONE", None),
        ToolChoice::Required => ("ANY", None),
        ToolChoice::Function(name) => ("ANY", Some(name)),
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, "an unknown choice").with_param("tool_choice"));
        }
    };
    body.object("toolConfig", |config| {
        config.object("functionCallingConfig", |config| {
            config.field("mode", mode);
            config.optional("allowedFunctionNames", only.map(|name| [name]));
            Ok(())
        })
    })
}
