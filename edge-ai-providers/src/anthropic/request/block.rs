use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use edge_ai_core::{
    ContentPart, Dialect, Error, ErrorKind, Extra, FilePart, Media, RawJson, ReasoningPart, Result, Role,
    ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use crate::anthropic::MESSAGES;
use crate::citation::is_foreign;
use crate::gemini::is_geminis;
use crate::openai::CHAT;
use crate::openai::responses::is_sealed;
use crate::wire::ObjectWriter;

/// A part of a message, with its place in the request.
pub(crate) struct Piece<'a> {
    message: usize,
    at: usize,
    pub(crate) part: &'a ContentPart,
    /// The mark that its message gives it.
    pub(crate) cache: Option<&'a RawJson>,
    /// Whether a text loses the white space at its end.
    pub(crate) trim_end: bool,
}

impl<'a> Piece<'a> {
    /// The part `at` of `message`; `cache` is a mark that its message gives it.
    pub(crate) fn new(message: usize, at: usize, part: &'a ContentPart, cache: Option<&'a RawJson>) -> Self {
        Self {
            message,
            at,
            part,
            cache,
            trim_end: false,
        }
    }

    /// Whether it is sent: not a text of white space alone, which Anthropic refuses, nor a thought without its signature.
    pub(crate) fn is_sent(&self) -> bool {
        match self.part {
            ContentPart::Text(part) => !part.text.trim().is_empty(),
            ContentPart::Refusal(text) => !text.trim().is_empty(),
            ContentPart::Reasoning(part) => {
                part.signature.as_deref().is_some_and(is_own) || part.redacted.is_some()
            }
            _ => true,
        }
    }

    /// Whether it is something that `dialect` does not know.
    pub(crate) fn is_foreign(&self, dialect: &Dialect) -> bool {
        matches!(self.part, ContentPart::Other(extra) if extra.fields_for(dialect).next().is_none())
    }

    /// The same place with a part that is inside of this one.
    pub(crate) fn inner<'b>(&self, part: &'b ContentPart) -> Piece<'b> {
        Piece::new(self.message, self.at, part, None)
    }

    /// Whether one who has `role` may say it.
    pub(super) fn check_speaker(&self, role: Role) -> Result<()> {
        let problem = match (role, self.part) {
            (Role::Tool, ContentPart::ToolResult(_)) => return Ok(()),
            (Role::Tool, _) => "a tool's message holds results, each with the id of its call",
            (Role::Assistant, ContentPart::ToolResult(_)) => {
                "a result of a tool does not belong to the assistant"
            }
            (Role::User, ContentPart::ToolCall(_)) => "a call of a tool belongs to the assistant",
            (Role::User, ContentPart::Reasoning(_)) => "a thought belongs to the assistant",
            _ => return Ok(()),
        };
        Err(Error::invalid(self.path(), problem))
    }

    pub(crate) fn path(&self) -> String {
        format!("messages[{}].content[{}]", self.message, self.at)
    }

    pub(crate) fn unsupported(&self, message: &str) -> Error {
        Error::new(ErrorKind::Unsupported, message).with_param(self.path())
    }
}

/// Whether a signature may be Anthropic's: it refuses those of others.
pub(super) fn is_own(signature: &str) -> bool {
    !is_geminis(signature) && !is_sealed(signature)
}

/// A cache mark that came in OpenAI's dialect, as clients of Anthropic models behind a gateway send it.
pub(super) fn cache_control(extra: &Extra) -> Option<&RawJson> {
    extra.get(&CHAT, "cache_control")
}

/// Writes one content block.
pub(super) fn write_block(object: &mut ObjectWriter<'_>, piece: &Piece<'_>) -> Result<()> {
    match piece.part {
        ContentPart::Text(part) => {
            let text = if piece.trim_end {
                part.text.trim_end()
            } else {
                &part.text
            };
            let mut extra = Cow::Borrowed(&part.extra);
            if is_foreign(piece.part) {
                extra.to_mut().retain(|name| name != "citations");
            }
            write_text(object, text, &extra, cache_control(&part.extra).or(piece.cache));
            return Ok(());
        }
        ContentPart::Refusal(text) => write_text(object, text, &Extra::default(), piece.cache),
        ContentPart::Image(part) => {
            object.field("type", "image");
            write_source(object, &part.source, piece)?;
            object.extra(&part.extra, &MESSAGES);
            object.optional("cache_control", cache_control(&part.extra).or(piece.cache));
        }
        ContentPart::File(part) => {
            write_document(object, part, piece)?;
            object.optional("cache_control", cache_control(&part.extra).or(piece.cache));
        }
        ContentPart::Reasoning(part) => write_thought(object, part),
        ContentPart::ToolCall(call) => {
            write_call(object, call, piece)?;
            object.optional("cache_control", piece.cache);
        }
        ContentPart::ToolResult(result) => {
            write_result(object, result, piece)?;
            object.optional("cache_control", cache_control(&result.extra).or(piece.cache));
        }
        ContentPart::Other(extra) if !piece.is_foreign(&MESSAGES) => object.extra(extra, &MESSAGES),
        ContentPart::Audio(_) => return Err(piece.unsupported("Anthropic's models do not hear")),
        _ => return Err(piece.unsupported("a part that only another vendor knows")),
    }
    Ok(())
}

/// Writes a text block.
pub(super) fn write_text(object: &mut ObjectWriter<'_>, text: &str, extra: &Extra, cache: Option<&RawJson>) {
    object.field("type", "text");
    object.field("text", text);
    object.extra(extra, &MESSAGES);
    object.optional("cache_control", cache);
}

fn write_source(object: &mut ObjectWriter<'_>, media: &Media, piece: &Piece<'_>) -> Result<()> {
    object.object("source", |source| {
        match media {
            Media::Base64 { media_type, data } => {
                source.field("type", "base64");
                // Not a registered type, but a frequent one.
                source.field(
                    "media_type",
                    if media_type == "image/jpg" {
                        "image/jpeg"
                    } else {
                        media_type
                    },
                );
                source.field("data", data);
            }
            Media::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
                source.field("type", "url");
                source.field("url", url);
            }
            Media::Url(_) => {
                let problem = "the address must start with https://, http:// or `data:<type>;base64,`";
                return Err(Error::invalid(piece.path(), problem));
            }
            Media::FileId(id) => {
                source.field("type", "file");
                source.field("file_id", id);
            }
            _ => return Err(piece.unsupported("Anthropic does not take media from there")),
        }
        Ok(())
    })
}

fn write_document(object: &mut ObjectWriter<'_>, file: &FilePart, piece: &Piece<'_>) -> Result<()> {
    object.field("type", "document");
    match &file.source {
        Media::Base64 { media_type, data } if media_type.starts_with("text/") => {
            let text = BASE64_STANDARD
                .decode(data)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or_else(|| Error::invalid(piece.path(), "the text is not UTF-8 in base64"))?;
            object.object("source", |source| {
                source.field("type", "text");
                source.field("media_type", "text/plain");
                source.field("data", text);
                Ok(())
            })?;
        }
        Media::Base64 { media_type, .. } if media_type != "application/pdf" => {
            return Err(piece.unsupported(&format!("Anthropic reads PDF and text, not `{media_type}`")));
        }
        source => write_source(object, source, piece)?,
    }
    if file.extra.get(&MESSAGES, "title").is_none() {
        object.optional("title", file.filename.as_deref());
    }
    object.extra(&file.extra, &MESSAGES);
    Ok(())
}

fn write_thought(object: &mut ObjectWriter<'_>, part: &ReasoningPart) {
    if let Some(data) = &part.redacted {
        object.field("type", "redacted_thinking");
        object.field("data", data);
    } else {
        object.field("type", "thinking");
        object.field("thinking", &part.text);
        object.optional("signature", part.signature.as_deref());
    }
    object.extra(&part.extra, &MESSAGES);
}

fn write_call(object: &mut ObjectWriter<'_>, call: &ToolCall, piece: &Piece<'_>) -> Result<()> {
    let arguments = call.arguments_json();
    if !arguments.starts_with('{') || serde_json::from_str::<&RawValue>(arguments).is_err() {
        let problem = format!(
            "the arguments of the call of `{}` are not a JSON object",
            call.name
        );
        return Err(Error::invalid(piece.path(), problem));
    }
    object.field("type", "tool_use");
    object.field("id", call_id(&call.id, piece)?);
    object.field("name", &call.name);
    object.raw("input", arguments);
    object.extra(&call.extra, &MESSAGES);
    Ok(())
}

fn write_result(object: &mut ObjectWriter<'_>, result: &ToolResult, piece: &Piece<'_>) -> Result<()> {
    object.field("type", "tool_result");
    object.field("tool_use_id", call_id(&result.call_id, piece)?);
    match result.content.as_slice() {
        [ContentPart::Text(part)] if part.extra.is_empty() => object.field("content", &part.text),
        parts => object.array("content", |blocks| {
            for part in parts {
                let piece = piece.inner(part);
                if matches!(
                    part,
                    ContentPart::ToolCall(_) | ContentPart::ToolResult(_) | ContentPart::Reasoning(_)
                ) {
                    return Err(Error::invalid(
                        piece.path(),
                        "a result holds texts, images and documents",
                    ));
                }
                if piece.is_sent() {
                    blocks.object(|object| write_block(object, &piece))?;
                }
            }
            Ok(())
        })?,
    }
    object.optional("is_error", result.is_error.then_some(true));
    object.extra(&result.extra, &MESSAGES);
    Ok(())
}

/// An id in the characters that Anthropic takes. Other vendors use more, as in `functions.search:0`; call and result change alike.
fn call_id(id: &str, piece: &Piece<'_>) -> Result<String> {
    if id.is_empty() {
        return Err(Error::invalid(piece.path(), "the id of a call is empty"));
    }
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    Ok(id
        .chars()
        .map(|char| if allowed(char) { char } else { '_' })
        .collect())
}
