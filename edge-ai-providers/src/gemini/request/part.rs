use edge_ai_core::{
    AudioPart, ContentPart, Error, ErrorKind, Extra, FilePart, ImagePart, Media, Result, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::media;
use crate::gemini::GENERATE;
use crate::wire::ObjectWriter;

/// A part as Gemini has it, with its place in the request.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) kind: Kind<'a>,
    /// Gemini's signature that stands on it.
    pub(super) signature: Option<String>,
    pub(super) at: String,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Text(&'a str, Option<&'a Extra>),
    Image(&'a ImagePart),
    Audio(&'a AudioPart),
    File(&'a FilePart),
    Call(&'a ToolCall),
    /// With the name of the function that was called.
    Result(&'a ToolResult, &'a str),
    /// One that only this dialect knows.
    Own(&'a Extra),
}

/// Writes one part; with `ids`, calls and results have theirs.
pub(super) fn write(object: &mut ObjectWriter<'_>, part: &Part<'_>, ids: bool) -> Result<()> {
    match &part.kind {
        Kind::Text(text, extra) => {
            object.field("text", text);
            if let Some(extra) = extra {
                object.extra(extra, &GENERATE);
            }
        }
        Kind::Image(image) => {
            media::write(object, &image.source, &part.at)?;
            object.extra(&image.extra, &GENERATE);
        }
        Kind::Audio(audio) => {
            media::inline(object, &format!("audio/{}", audio.format), &audio.data)?;
            object.extra(&audio.extra, &GENERATE);
        }
        Kind::File(file) => {
            media::write(object, &file.source, &part.at)?;
            object.extra(&file.extra, &GENERATE);
        }
        Kind::Call(call) => write_call(object, call, ids, &part.at)?,
        Kind::Result(result, name) => write_result(object, result, name, ids, &part.at)?,
        Kind::Own(extra) => object.extra(extra, &GENERATE),
    }
    object.optional("thoughtSignature", part.signature.as_deref());
    Ok(())
}

fn write_call(object: &mut ObjectWriter<'_>, call: &ToolCall, ids: bool, at: &str) -> Result<()> {
    let arguments = call.arguments_json();
    if !is_object(arguments) {
        let problem = format!(
            "the arguments of the call of `{}` are not a JSON object",
            call.name
        );
        return Err(Error::invalid(at, problem));
    }
    object.object("functionCall", |object| {
        object.optional("id", ids.then_some(&call.id));
        object.field("name", &call.name);
        object.raw("args", arguments);
        object.extra(&call.extra, &GENERATE);
        Ok(())
    })
}

fn write_result(
    object: &mut ObjectWriter<'_>,
    result: &ToolResult,
    name: &str,
    ids: bool,
    at: &str,
) -> Result<()> {
    let text = result.text();
    object.object("functionResponse", |response| {
        response.optional("id", ids.then_some(&result.call_id));
        response.field("name", name);
        if result.is_error {
            response.object("response", |object| {
                object.field("error", &text);
                Ok(())
            })?;
        } else if is_object(text.trim()) {
            response.raw("response", text.trim());
        } else {
            response.object("response", |object| {
                object.field("output", &text);
                Ok(())
            })?;
        }
        write_media(response, result, at)
    })
}

/// The pictures and documents of a result
/// (<https://ai.google.dev/gemini-api/docs/function-calling#multimodal>).
fn write_media(response: &mut ObjectWriter<'_>, result: &ToolResult, at: &str) -> Result<()> {
    let sources = || {
        result.content.iter().filter_map(|part| match part {
            ContentPart::Image(image) => Some(&image.source),
            ContentPart::File(file) => Some(&file.source),
            _ => None,
        })
    };
    let known = |part: &ContentPart| {
        matches!(
            part,
            ContentPart::Text(_) | ContentPart::Image(_) | ContentPart::File(_)
        )
    };
    if !result.content.iter().all(known) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a result holds texts, images and documents",
        )
        .with_param(at));
    }
    if sources().next().is_none() {
        return Ok(());
    }
    response.array("parts", |parts| {
        sources().try_for_each(|source: &Media| parts.object(|object| media::write(object, source, at)))
    })
}

fn is_object(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}
