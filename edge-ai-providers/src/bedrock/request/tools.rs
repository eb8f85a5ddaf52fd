use edge_ai_core::{ChatInput, ContentPart, Error, ErrorKind, FunctionTool, Result, Tool, ToolChoice};

use super::block::Marks;
use crate::anthropic::{close_objects, input_schema};
use crate::bedrock::CONVERSE;
use crate::bedrock::family::{Family, Kind};
use crate::wire::{ArrayWriter, ObjectWriter};

/// Writes `toolConfig`.
pub(super) fn write(body: &mut ObjectWriter<'_>, input: &ChatInput, marks: &Marks<'_>) -> Result<()> {
    let family = marks.family;
    let choice = Choice::new(input, family)?;
    if input.tools.is_empty() || choice == Choice::NoTools {
        return Ok(());
    }
    body.object("toolConfig", |config| {
        config.array("tools", |tools| {
            for (index, tool) in input.tools.iter().enumerate() {
                write_tool(tools, tool, index, marks)?;
            }
            Ok(())
        })?;
        if let Choice::Common(choice) = choice {
            config.object("toolChoice", |object| {
                let (name, tool) = match choice {
                    ToolChoice::Required => ("any", None),
                    ToolChoice::Function(name) => ("tool", Some(name)),
                    _ => ("auto", None),
                };
                object.object(name, |object| {
                    object.optional("name", tool);
                    Ok(())
                })
            })?;
        }
        Ok(())
    })
}

/// Writes Claude's own `tool_choice`, for what Converse has no word for.
pub(super) fn write_own_choice(
    fields: &mut ObjectWriter<'_>,
    input: &ChatInput,
    family: Family,
) -> Result<()> {
    let Choice::Own(choice) = Choice::new(input, family)? else {
        return Ok(());
    };
    fields.object("tool_choice", |object| {
        match choice {
            Some(ToolChoice::None) => {
                object.field("type", "none");
                return Ok(());
            }
            Some(ToolChoice::Required) => object.field("type", "any"),
            Some(ToolChoice::Function(name)) => {
                object.field("type", "tool");
                object.field("name", name);
            }
            _ => object.field("type", "auto"),
        }
        object.field("disable_parallel_tool_use", true);
        Ok(())
    })
}

/// How the choice of tools is told.
#[derive(Debug, PartialEq)]
enum Choice<'a> {
    /// There is nothing to say.
    Unsaid,
    /// By leaving the tools out.
    NoTools,
    /// In `toolChoice`.
    Common(&'a ToolChoice),
    /// In the model's own field.
    Own(Option<&'a ToolChoice>),
}

impl<'a> Choice<'a> {
    fn new(input: &'a ChatInput, family: Family) -> Result<Self> {
        let choice = input.tool_choice.as_ref();
        let forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Function(_)));
        let unsupported =
            |param: &str, message: &str| Error::new(ErrorKind::Unsupported, message).with_param(param);
        let has_called =
            input.any_part(|part| matches!(part, ContentPart::ToolCall(_) | ContentPart::ToolResult(_)));
        if input.tools.is_empty() {
            if forced {
                let message = "a tool must be called, and there are none in `tools`";
                return Err(Error::invalid("tool_choice", message));
            }
            if has_called {
                let message =
                    "Bedrock wants the tools of a conversation that has called some; send them in `tools`";
                return Err(unsupported("tools", message));
            }
            return Ok(Self::Unsaid);
        }
        let one_at_a_time = input.parallel_tool_calls == Some(false);
        match (family.kind, choice) {
            (Kind::Claude(accepts), _) if forced && !accepts.forced_tools => Err(unsupported(
                "tool_choice",
                "this model decides by itself whether it calls a tool; use `auto`",
            )),
            (_, Some(ToolChoice::None)) if !has_called => Ok(Self::NoTools),
            (Kind::Claude(_), Some(ToolChoice::None)) => Ok(Self::Own(choice)),
            (_, Some(ToolChoice::None)) => Err(unsupported(
                "tool_choice",
                "Bedrock cannot keep this model from calling tools in a conversation that has called some",
            )),
            (Kind::Claude(_), _) if one_at_a_time => Ok(Self::Own(choice)),
            (_, Some(choice)) => Ok(Self::Common(choice)),
            (_, None) => Ok(Self::Unsaid),
        }
    }
}

fn write_tool(tools: &mut ArrayWriter<'_>, tool: &Tool, index: usize, marks: &Marks<'_>) -> Result<()> {
    match tool {
        Tool::Function(function) => {
            tools.object(|object| {
                object.object("toolSpec", |spec| {
                    write_function(spec, function, index, marks.family)
                })
            })?;
            // Nova caches instructions and messages alone.
            let mark = marks.of(&function.extra, None);
            marks.write_point(tools, mark.filter(|_| marks.family.claude().is_some()))
        }
        Tool::Vendor(extra) if extra.fields_for(&CONVERSE).next().is_some() => tools.object(|object| {
            object.extra(extra, &CONVERSE);
            Ok(())
        }),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "another vendor's tool; Bedrock does not have it",
        )
        .with_param(format!("tools[{index}]"))),
    }
}

fn write_function(
    spec: &mut ObjectWriter<'_>,
    tool: &FunctionTool,
    index: usize,
    family: Family,
) -> Result<()> {
    spec.field("name", &tool.name);
    spec.optional(
        "description",
        tool.description.as_deref().filter(|text| !text.is_empty()),
    );
    let strict = tool.strict == Some(true) && family.schemas;
    let at = |error: Error| error.with_param(format!("tools[{index}].function.parameters"));
    let schema = input_schema(tool).map_err(at)?;
    let schema = if strict {
        close_objects(&schema).map_err(at)?
    } else {
        schema
    };
    spec.object("inputSchema", |object| {
        object.raw("json", &schema);
        Ok(())
    })?;
    spec.optional("strict", strict.then_some(true));
    Ok(())
}
