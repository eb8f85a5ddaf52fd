use edge_ai_core::{ChatInput, Error, ErrorKind, FunctionTool, Result, Tool, ToolChoice};
use serde::de::IgnoredAny;

use super::block::cache_control;
use crate::anthropic::MESSAGES;
use crate::anthropic::model::Accepts;
use crate::anthropic::schema::close_objects;
use crate::wire::{Fields, ObjectWriter, Path};

/// Writes `tools` and `tool_choice`.
pub(super) fn write(body: &mut ObjectWriter<'_>, input: &ChatInput, accepts: Accepts) -> Result<()> {
    let forced = matches!(
        input.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    );
    if input.tools.is_empty() {
        if forced {
            return Err(Error::invalid(
                "tool_choice",
                "a tool must be called, and there are none in `tools`",
            ));
        }
        return Ok(());
    }
    if forced && !accepts.forced_tools {
        let message = "this model decides by itself whether it calls a tool; use `auto`";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("tool_choice"));
    }
    body.array("tools", |tools| {
        for (index, tool) in input.tools.iter().enumerate() {
            tools.object(|object| write_tool(object, tool, index, accepts))?;
        }
        Ok(())
    })?;
    write_choice(body, input)
}

fn write_tool(object: &mut ObjectWriter<'_>, tool: &Tool, index: usize, accepts: Accepts) -> Result<()> {
    match tool {
        Tool::Function(function) => write_function(object, function, index, accepts),
        Tool::Vendor(extra) if extra.fields_for(&MESSAGES).next().is_some() => {
            object.extra(extra, &MESSAGES);
            Ok(())
        }
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "another vendor's tool; Anthropic does not have it",
        )
        .with_param(format!("tools[{index}].type"))),
    }
}

fn write_function(
    object: &mut ObjectWriter<'_>,
    tool: &FunctionTool,
    index: usize,
    accepts: Accepts,
) -> Result<()> {
    object.field("name", &tool.name);
    object.optional("description", tool.description.as_deref());
    let strict = tool.strict == Some(true) && accepts.schemas;
    let schema = input_schema(tool)
        .map_err(|error| error.with_param(format!("tools[{index}].function.parameters")))?;
    let schema = if strict { close_objects(&schema)? } else { schema };
    object.raw("input_schema", &schema);
    object.optional("strict", strict.then_some(true));
    object.extra(&tool.extra, &MESSAGES);
    object.optional("cache_control", cache_control(&tool.extra));
    Ok(())
}

/// The schema with `"type": "object"`, on which Anthropic insists.
pub(crate) fn input_schema(tool: &FunctionTool) -> Result<String> {
    let Some(parameters) = &tool.parameters else {
        return Ok(r#"{"type":"object","properties":{}}"#.to_owned());
    };
    let fields = Fields::parse(parameters.get(), Path::ROOT).map_err(|error| {
        Error::invalid("", "the schema of the arguments must be an object").with_source(error)
    })?;
    if fields.peek::<IgnoredAny>("type").is_some() {
        return Ok(parameters.get().to_owned());
    }
    let rest = parameters
        .get()
        .trim()
        .strip_prefix('{')
        .unwrap_or_default()
        .trim_start();
    Ok(match rest {
        "}" => r#"{"type":"object","properties":{}}"#.to_owned(),
        rest => format!(r#"{{"type":"object",{rest}"#),
    })
}

fn write_choice(body: &mut ObjectWriter<'_>, input: &ChatInput) -> Result<()> {
    let one_at_a_time = (input.parallel_tool_calls == Some(false)).then_some(true);
    let choice = match (&input.tool_choice, one_at_a_time) {
        (None, None) => return Ok(()),
        (None, Some(_)) => &ToolChoice::Auto,
        (Some(choice), _) => choice,
    };
    body.object("tool_choice", |object| {
        match choice {
            ToolChoice::None => {
                object.field("type", "none");
                return Ok(());
            }
            ToolChoice::Auto => object.field("type", "auto"),
            ToolChoice::Required => object.field("type", "any"),
            ToolChoice::Function(name) => {
                object.field("type", "tool");
                object.field("name", name);
            }
            _ => {
                return Err(Error::new(ErrorKind::Unsupported, "an unknown choice").with_param("tool_choice"));
            }
        }
        object.optional("disable_parallel_tool_use", one_at_a_time);
        Ok(())
    })
}
