use std::fmt;

use edge_ai_core::{AudioPart, ContentPart, FilePart, ImagePart, Media, RawJson, Result, TextPart};

use super::tools::unsupported;
use crate::anthropic::MESSAGES;
use crate::openai::params::{nested, own};
use crate::openai::{CHAT, Compatibility};
use crate::wire::{ArrayWriter, ObjectWriter};

/// Where a part stands, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) message: usize,
    pub(super) part: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "messages[{}].content[{}]", self.message, self.part)
    }
}

/// Writes the field `content`: a string where one text is all there is.
pub(super) fn write<'a, I: Iterator<Item = (usize, &'a ContentPart)>>(
    object: &mut ObjectWriter<'_>,
    message: usize,
    server: &Compatibility,
    parts: impl Fn() -> I,
) -> Result<()> {
    let (mut first, mut rest) = (parts(), parts().skip(1));
    match (first.next(), rest.next()) {
        (None, _) => object.field("content", ""),
        (Some((_, ContentPart::Text(text))), None)
            if text.extra.fields_for(&CHAT).next().is_none() && mark(text, server).is_none() =>
        {
            object.field("content", &text.text);
        }
        _ => object.array("content", |array| {
            parts()
                .try_for_each(|(part, content)| write_part(array, Place { message, part }, content, server))
        })?,
    }
    Ok(())
}

/// The end of what may be cached, where an Anthropic client has marked it and the server knows such marks.
fn mark<'a>(text: &'a TextPart, server: &Compatibility) -> Option<&'a RawJson> {
    const NAME: &str = "cache_control";
    let mark = text.extra.get(&MESSAGES, NAME);
    mark.filter(|_| server.cache_marks && text.extra.get(&CHAT, NAME).is_none())
}

/// Writes one part.
pub(super) fn write_part(
    array: &mut ArrayWriter<'_>,
    place: Place,
    part: &ContentPart,
    server: &Compatibility,
) -> Result<()> {
    array.object(|object| match part {
        ContentPart::Text(part) => {
            object.field("type", "text");
            object.field("text", &part.text);
            object.extra(&part.extra, &CHAT);
            object.optional("cache_control", mark(part, server));
            Ok(())
        }
        ContentPart::Image(part) => image(object, place, part),
        ContentPart::Audio(part) => audio(object, part),
        ContentPart::File(part) => file(object, place, part),
        ContentPart::Other(extra) if extra.get(&CHAT, "type").is_some() => {
            object.extra(extra, &CHAT);
            Ok(())
        }
        ContentPart::Reasoning(_) => Err(refuse(place, "a thought outside the assistant's turn")),
        ContentPart::ToolCall(_) => Err(refuse(place, "a tool call outside the assistant's turn")),
        ContentPart::ToolResult(_) => Err(refuse(place, "a tool result within another part")),
        ContentPart::Refusal(_) => Err(refuse(place, "a refusal outside the assistant's turn")),
        _ => Err(refuse(place, "a content part of another vendor")),
    })
}

fn image(object: &mut ObjectWriter<'_>, place: Place, part: &ImagePart) -> Result<()> {
    let Some(url) = part.source.to_url() else {
        return Err(refuse(
            place,
            "an image by a file's id; give its bytes or its address",
        ));
    };
    object.field("type", "image_url");
    object.object("image_url", |image| {
        image.field("url", url);
        image.optional("detail", part.detail.as_deref());
        nested(&part.extra, "image_url").for_each(|(name, value)| image.raw(name, value.get()));
        Ok(())
    })?;
    own(&part.extra, "image_url").for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn audio(object: &mut ObjectWriter<'_>, part: &AudioPart) -> Result<()> {
    object.field("type", "input_audio");
    object.object("input_audio", |audio| {
        audio.field("data", &part.data);
        audio.field("format", &part.format);
        nested(&part.extra, "input_audio").for_each(|(name, value)| audio.raw(name, value.get()));
        Ok(())
    })?;
    own(&part.extra, "input_audio").for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn file(object: &mut ObjectWriter<'_>, place: Place, part: &FilePart) -> Result<()> {
    object.field("type", "file");
    object.object("file", |file| {
        match &part.source {
            Media::FileId(id) => file.field("file_id", id),
            Media::Base64 { .. } => {
                file.optional("file_data", part.source.to_url());
                if part.filename.is_none() {
                    // Required beside the bytes.
                    file.field("filename", "file");
                }
            }
            _ => return Err(refuse(place, "a file by its address; give its bytes or its id")),
        }
        file.optional("filename", part.filename.as_deref());
        nested(&part.extra, "file").for_each(|(name, value)| file.raw(name, value.get()));
        Ok(())
    })?;
    own(&part.extra, "file").for_each(|(name, value)| object.raw(name, value.get()));
    Ok(())
}

fn refuse(place: Place, what: &str) -> edge_ai_core::Error {
    unsupported(&place.to_string(), what)
}
