use edge_ai_core::{
    AudioPart, ChatInput, ContentPart, Error, Extra, ImagePart, Media, RawJson, ReasoningPart, Result,
    ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::document::Documents;
use crate::anthropic::{MESSAGES, Piece};
use crate::bedrock::CONVERSE;
use crate::bedrock::family::Family;
use crate::bedrock::sigv4::sha256_hex;
use crate::openai::CHAT;
use crate::wire::{ArrayWriter, Fields, ObjectWriter, Path};

/// The longest identifier of a call.
const MAX_ID: usize = 64;

/// Where the prompt is to be cached.
pub(super) struct Marks<'a> {
    pub(super) family: Family,
    /// A mark for the whole of the prompt.
    pub(super) whole: Option<&'a RawJson>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(input: &'a ChatInput, family: Family) -> Self {
        Self {
            family,
            whole: input.extra.get(&MESSAGES, "cache_control"),
        }
    }

    /// The mark of a part, in the words of any client, else its message's.
    pub(super) fn of<'b>(&self, extra: &'b Extra, of_message: Option<&'b RawJson>) -> Option<&'b RawJson> {
        extra
            .get(&CHAT, "cache_control")
            .or_else(|| extra.get(&MESSAGES, "cache_control"))
            .or(of_message)
    }

    /// Writes a cache point for a mark, for models that take one. Five minutes are what is meant without a time.
    pub(super) fn write_point(&self, blocks: &mut ArrayWriter<'_>, mark: Option<&RawJson>) -> Result<()> {
        let Some(mark) = mark.filter(|mark| self.family.caches && mark.get().starts_with('{')) else {
            return Ok(());
        };
        let fields = Fields::parse(mark.get(), Path::ROOT)?;
        let hour = fields.peek::<&str>("ttl") == Some("1h");
        blocks.object(|block| {
            block.object("cachePoint", |point| {
                point.field("type", "default");
                point.optional("ttl", hour.then_some("1h"));
                Ok(())
            })
        })
    }
}

/// Writes a part of a message, and the cache point behind it.
pub(super) fn write_piece(
    blocks: &mut ArrayWriter<'_>,
    piece: &Piece<'_>,
    marks: &Marks<'_>,
    documents: &mut Documents,
) -> Result<()> {
    blocks.object(|block| write_block(block, piece, marks, documents))?;
    let nothing = Extra::default();
    let extra = match piece.part {
        ContentPart::Text(part) => &part.extra,
        ContentPart::Image(part) => &part.extra,
        ContentPart::File(part) => &part.extra,
        ContentPart::ToolCall(call) => &call.extra,
        ContentPart::ToolResult(result) => &result.extra,
        _ => &nothing,
    };
    marks.write_point(blocks, marks.of(extra, piece.cache))
}

fn write_block(
    block: &mut ObjectWriter<'_>,
    piece: &Piece<'_>,
    marks: &Marks<'_>,
    documents: &mut Documents,
) -> Result<()> {
    match piece.part {
        ContentPart::Text(part) if piece.trim_end => block.field("text", part.text.trim_end()),
        ContentPart::Text(part) => block.field("text", &part.text),
        ContentPart::Refusal(text) => block.field("text", text),
        ContentPart::Image(part) => write_image(block, part, piece)?,
        ContentPart::Audio(part) => write_audio(block, part)?,
        ContentPart::File(part) => documents.write(block, part, piece)?,
        ContentPart::Reasoning(part) => write_thought(block, part)?,
        ContentPart::ToolCall(call) => write_call(block, call, piece)?,
        ContentPart::ToolResult(result) => write_result(block, result, piece, marks, documents)?,
        ContentPart::Other(extra) if !piece.is_foreign(&CONVERSE) => block.extra(extra, &CONVERSE),
        _ => return Err(piece.unsupported("a part that only another vendor knows")),
    }
    Ok(())
}

fn write_image(block: &mut ObjectWriter<'_>, part: &ImagePart, piece: &Piece<'_>) -> Result<()> {
    let format = match &part.source {
        Media::Base64 { media_type, .. } => media_type.strip_prefix("image/").unwrap_or(media_type),
        Media::Url(url) if url.starts_with("s3://") => extension(url),
        Media::Url(_) => {
            let message = "Bedrock does not fetch pictures; send them as `data:<type>;base64,` or by an `s3://` address";
            return Err(piece.unsupported(message));
        }
        _ => return Err(piece.unsupported("Bedrock does not take media from there")),
    };
    let format = match format {
        "jpg" | "jpeg" => "jpeg",
        "png" | "gif" | "webp" => format,
        other => {
            let message = format!("Bedrock takes pictures as png, jpeg, gif and webp, not `{other}`");
            return Err(piece.unsupported(&message));
        }
    };
    block.object("image", |image| {
        image.field("format", format);
        write_source(image, &part.source)
    })
}

/// What follows the last dot of an address.
pub(super) fn extension(url: &str) -> &str {
    let name = url.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Writes where the bytes are: here, or in S3.
pub(super) fn write_source(object: &mut ObjectWriter<'_>, media: &Media) -> Result<()> {
    object.object("source", |source| {
        match media {
            Media::Base64 { data, .. } => source.field("bytes", data),
            Media::Url(uri) => source.object("s3Location", |location| {
                location.field("uri", uri);
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })
}

fn write_audio(block: &mut ObjectWriter<'_>, part: &AudioPart) -> Result<()> {
    block.object("audio", |audio| {
        audio.field("format", &part.format);
        audio.object("source", |source| {
            source.field("bytes", &part.data);
            Ok(())
        })
    })
}

fn write_thought(block: &mut ObjectWriter<'_>, part: &ReasoningPart) -> Result<()> {
    block.object("reasoningContent", |content| {
        if let Some(data) = &part.redacted {
            content.field("redactedContent", data);
            return Ok(());
        }
        content.object("reasoningText", |text| {
            text.field("text", &part.text);
            text.optional("signature", part.signature.as_deref());
            Ok(())
        })
    })
}

fn write_call(block: &mut ObjectWriter<'_>, call: &ToolCall, piece: &Piece<'_>) -> Result<()> {
    let arguments = call.arguments_json();
    if !arguments.starts_with('{') || serde_json::from_str::<&RawValue>(arguments).is_err() {
        let problem = format!(
            "the arguments of the call of `{}` are not a JSON object",
            call.name
        );
        return Err(Error::invalid(piece.path(), problem));
    }
    let id = call_id(&call.id, piece)?;
    block.object("toolUse", |tool| {
        tool.field("toolUseId", &id);
        tool.field("name", &call.name);
        tool.raw("input", arguments);
        tool.extra(&call.extra, &CONVERSE);
        Ok(())
    })
}

fn write_result(
    block: &mut ObjectWriter<'_>,
    result: &ToolResult,
    piece: &Piece<'_>,
    marks: &Marks<'_>,
    documents: &mut Documents,
) -> Result<()> {
    let id = call_id(&result.call_id, piece)?;
    block.object("toolResult", |object| {
        object.field("toolUseId", &id);
        object.array("content", |content| {
            for part in &result.content {
                let inner = piece.inner(part);
                if matches!(
                    part,
                    ContentPart::ToolCall(_) | ContentPart::ToolResult(_) | ContentPart::Reasoning(_)
                ) {
                    return Err(Error::invalid(
                        inner.path(),
                        "a result holds texts, images and documents",
                    ));
                }
                if inner.is_sent() {
                    content.object(|block| write_block(block, &inner, marks, documents))?;
                }
            }
            Ok(())
        })?;
        let failed = result.is_error && marks.family.takes_status();
        object.optional("status", failed.then_some("error"));
        Ok(())
    })
}

/// An id in the characters and the length that Bedrock takes; a call and its result change alike.
fn call_id(id: &str, piece: &Piece<'_>) -> Result<String> {
    if id.is_empty() {
        return Err(Error::invalid(piece.path(), "the id of a call is empty"));
    }
    if id.len() > MAX_ID {
        return Ok(sha256_hex(id.as_bytes()));
    }
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    Ok(id
        .chars()
        .map(|char| if allowed(char) { char } else { '_' })
        .collect())
}
