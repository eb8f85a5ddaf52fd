use bytes::Bytes;
use edge_ai_core::{
    ChatInput, ChatRequest, ContentPart, Error, ErrorKind, FunctionTool, Message, ResponseFormat, Result,
    Role, Tool, ToolChoice,
};

use super::TEXT;
use crate::openai::{effort, tell_failure};
use crate::wire::{ArrayWriter, ObjectWriter, splice, write_object};

/// The `max_tokens` of requests that name none: Workers AI would cut the answer after 256.
pub const DEFAULT_MAX_TOKENS: u32 = 2_048;

/// The range of `seed` that Workers AI takes.
const SEEDS: std::ops::RangeInclusive<i64> = 1..=9_999_999_999;

/// The highest `top_k` that Workers AI takes.
const MAX_TOP_K: u32 = 50;

/// Writes the inputs of a model of text generation.
///
/// The same inputs do for the models that answer in Workers AI's own shape and for those that answer in OpenAI's.
///
/// - The content of a message is text, or parts where there is a picture. Developers speak as `system`. Thoughts do not go back.
/// - `max_tokens` is always set, to `default_max_tokens` where the request has no limit.
/// - To call one certain tool, the others are left out: there is no other way to say it.
/// - A JSON schema stands in `response_format.json_schema` bare, without a name around it.
/// - Sampling hints outside of Workers AI's ranges are left out, or cut for `top_k`.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for sound, documents, other vendors' tools and several choices; [`ErrorKind::InvalidRequest`] for a
/// conversation that cannot be written; both name the field.
pub fn encode_text_request(request: &ChatRequest, stream: bool, default_max_tokens: u32) -> Result<Bytes> {
    if let Some(native) = request.input.native_in(&TEXT) {
        return splice(native, &[("stream", stream.then_some("true"))]);
    }
    let input: &ChatInput = request;
    if input.messages.is_empty() {
        return Err(Error::invalid("messages", "at least one message is needed"));
    }
    if input.choices.is_some_and(|choices| choices > 1) {
        let message = "Workers AI gives one answer for a request; ask again for more";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
    }
    let body = write_object(|body| {
        body.array("messages", |messages| {
            let mut each = input.messages.iter().enumerate();
            each.try_for_each(|(index, message)| write_message(messages, index, message))
        })?;
        write_tools(body, input)?;
        write_format(body, input.response_format.as_ref())?;
        body.field(
            "max_tokens",
            input.max_output_tokens.unwrap_or(default_max_tokens),
        );
        body.optional("temperature", finite(input.temperature));
        body.optional("top_p", finite(input.top_p));
        body.optional("top_k", input.top_k.map(|top_k| top_k.min(MAX_TOP_K)));
        body.optional("seed", input.seed.filter(|seed| SEEDS.contains(seed)));
        body.optional("presence_penalty", finite(input.presence_penalty));
        body.optional("frequency_penalty", finite(input.frequency_penalty));
        if !input.stop.is_empty() {
            body.field("stop", &input.stop);
        }
        body.optional("reasoning_effort", input.reasoning.as_ref().and_then(effort));
        body.extra(&input.extra, &TEXT);
        if stream {
            body.field("stream", true);
        }
        Ok(())
    })?;
    Ok(body.into())
}

fn write_message(messages: &mut ArrayWriter<'_>, index: usize, message: &Message) -> Result<()> {
    if message.role == Role::Tool {
        return write_results(messages, index, message);
    }
    messages.object(|object| {
        let role = if message.role == Role::Developer {
            Role::System
        } else {
            message.role
        };
        object.field("role", role.as_str());
        object.optional("name", message.name.as_deref());
        write_content(object, index, message)?;
        if message.tool_calls().next().is_some() {
            object.array("tool_calls", |calls| {
                message.tool_calls().try_for_each(|call| {
                    calls.object(|object| {
                        object.field("id", &call.id);
                        object.field("type", "function");
                        object.object("function", |function| {
                            function.field("name", &call.name);
                            function.field("arguments", call.arguments_json());
                            Ok(())
                        })
                    })
                })
            })?;
        }
        Ok(())
    })
}

/// The content: one text, as all models take it, or parts as soon as there is a picture. It is never `null`, which the binding refuses.
fn write_content<'a>(object: &mut ObjectWriter<'_>, index: usize, message: &'a Message) -> Result<()> {
    let content = &message.content;
    let text_of = |part: &'a ContentPart, at| match part {
        // What another vendor's model said in a form of its own.
        ContentPart::Other(_) if message.role == Role::Assistant => Ok(None),
        part => text_of(part, index, at),
    };
    if !content.iter().any(|part| matches!(part, ContentPart::Image(_))) {
        let mut text = String::new();
        for (at, part) in content.iter().enumerate() {
            text.push_str(text_of(part, at)?.unwrap_or_default());
        }
        object.field("content", text);
        return Ok(());
    }
    object.array("content", |parts| {
        for (at, part) in content.iter().enumerate() {
            if let ContentPart::Image(image) = part {
                let url = image.source.to_url().ok_or_else(|| {
                    let message = "Workers AI keeps no files; send the picture itself";
                    Error::new(ErrorKind::Unsupported, message).with_param(path(index, at))
                })?;
                parts.object(|object| {
                    object.field("type", "image_url");
                    object.object("image_url", |image| {
                        image.field("url", url);
                        Ok(())
                    })
                })?;
            } else if let Some(text) = text_of(part, at)? {
                parts.object(|object| {
                    object.field("type", "text");
                    object.field("text", text);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })
}

/// The text of a part; `None` for one that stands elsewhere or does not go back.
fn text_of(part: &ContentPart, index: usize, at: usize) -> Result<Option<&str>> {
    match part {
        ContentPart::Text(part) => Ok(Some(&part.text)),
        ContentPart::Refusal(text) => Ok(Some(text)),
        ContentPart::Reasoning(_) | ContentPart::ToolCall(_) => Ok(None),
        ContentPart::ToolResult(_) => Err(Error::invalid(
            path(index, at),
            "a result of a tool stands in a message of the tool",
        )),
        _ => {
            let message = "Workers AI's text generation takes text and pictures";
            Err(Error::new(ErrorKind::Unsupported, message).with_param(path(index, at)))
        }
    }
}

/// One message for each result.
fn write_results(messages: &mut ArrayWriter<'_>, index: usize, message: &Message) -> Result<()> {
    for (at, part) in message.content.iter().enumerate() {
        let ContentPart::ToolResult(result) = part else {
            return Err(Error::invalid(
                path(index, at),
                "a tool's message holds results, each with the id of its call",
            ));
        };
        if !result.content.iter().all(|part| part.as_text().is_some()) {
            let message = "Workers AI takes text as a tool's result";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param(path(index, at)));
        }
        messages.object(|object| {
            object.field("role", "tool");
            object.field("tool_call_id", &result.call_id);
            object.optional("name", message.name.as_deref());
            let mut text = result.text();
            tell_failure(result, &mut text);
            object.field("content", text);
            Ok(())
        })?;
    }
    Ok(())
}

fn write_tools(body: &mut ObjectWriter<'_>, input: &ChatInput) -> Result<()> {
    let only = match &input.tool_choice {
        Some(ToolChoice::Function(name)) => Some(name),
        _ => None,
    };
    let mut tools: Vec<&FunctionTool> = Vec::with_capacity(input.tools.len());
    for (index, tool) in input.tools.iter().enumerate() {
        match tool {
            Tool::Function(tool) if only.is_none_or(|only| *only == tool.name) => tools.push(tool),
            Tool::Function(_) => {}
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "another vendor's tool; Workers AI does not have it",
                )
                .with_param(format!("tools[{index}]")));
            }
        }
    }
    if tools.is_empty() {
        return match input.tool_choice {
            Some(ToolChoice::Function(_) | ToolChoice::Required) => Err(Error::invalid(
                "tool_choice",
                "the tool that must be called is not in `tools`",
            )),
            _ => Ok(()),
        };
    }
    body.array("tools", |array| {
        tools
            .iter()
            .try_for_each(|tool| array.object(|object| write_tool(object, tool)))
    })?;
    body.optional(
        "tool_choice",
        input.tool_choice.as_ref().map(|choice| match choice {
            ToolChoice::None => "none",
            ToolChoice::Required | ToolChoice::Function(_) => "required",
            _ => "auto",
        }),
    );
    body.optional("parallel_tool_calls", input.parallel_tool_calls);
    Ok(())
}

fn write_tool(object: &mut ObjectWriter<'_>, tool: &FunctionTool) -> Result<()> {
    object.field("type", "function");
    object.object("function", |function| {
        function.field("name", &tool.name);
        function.field("description", tool.description.as_deref().unwrap_or_default());
        let schema = tool
            .parameters
            .as_ref()
            .map_or(r#"{"type":"object","properties":{}}"#, |schema| schema.get());
        function.raw("parameters", schema);
        Ok(())
    })
}

fn write_format(body: &mut ObjectWriter<'_>, format: Option<&ResponseFormat>) -> Result<()> {
    let schema = match format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => Some(schema),
        Some(ResponseFormat::JsonObject) => None,
        _ => return Ok(()),
    };
    body.object("response_format", |object| {
        object.field(
            "type",
            if schema.is_some() {
                "json_schema"
            } else {
                "json_object"
            },
        );
        object.optional("json_schema", schema);
        Ok(())
    })
}

fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn path(index: usize, at: usize) -> String {
    format!("messages[{index}].content[{at}]")
}
