use std::borrow::Cow;

use edge_ai_core::{AudioPart, ContentPart, Error, Extra, FilePart, ImagePart, Media, Result, TextPart};

use crate::openai::CHAT;
use crate::openai::params::{invalid, with_nested};
use crate::wire::{Fields, Path, elements, read};

/// Takes the content of a message that must have one.
pub(super) fn require(fields: &mut Fields<'_>) -> Result<Vec<ContentPart>> {
    match optional(fields)? {
        Some(parts) => Ok(parts),
        None => Err(invalid(fields, "content", "`content` is required")),
    }
}

/// Takes the content of a message, a string or an array of parts.
pub(super) fn optional(fields: &mut Fields<'_>) -> Result<Option<Vec<ContentPart>>> {
    let Some(text) = fields.take_raw("content") else {
        return Ok(None);
    };
    let path = fields.path().field("content");
    if text.starts_with('"') {
        return Ok(Some(vec![ContentPart::text(read::<String>(text, &path)?)]));
    }
    if !text.starts_with('[') {
        return Err(Error::invalid(
            path.to_string(),
            "must be a string or an array of content parts",
        ));
    }
    let texts = elements(text, &path)?;
    if texts.is_empty() {
        return Err(Error::invalid(
            path.to_string(),
            "must have at least one content part",
        ));
    }
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| part(text, path.index(index)))
        .collect::<Result<_>>()
        .map(Some)
}

fn part(text: &str, path: Path<'_>) -> Result<ContentPart> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.require("type")?;
    match &*kind {
        "text" => {
            let text: String = fields.require("text")?;
            Ok(ContentPart::Text(TextPart::new(text, fields.rest(&CHAT))))
        }
        "refusal" => Ok(ContentPart::Refusal(fields.require("refusal")?)),
        "image_url" => image(fields),
        "input_audio" => audio(fields),
        "file" => file(fields),
        // Compatible servers have further kinds, such as `video_url`.
        _ => Ok(ContentPart::Other(Fields::parse(text, path)?.rest(&CHAT))),
    }
}

fn image(mut fields: Fields<'_>) -> Result<ContentPart> {
    let text = fields.require_raw("image_url")?;
    let (url, detail, inner) = if text.starts_with('"') {
        // Not OpenAI's shape, but that of many clients and servers.
        (
            read(text, &fields.path().field("image_url"))?,
            None,
            Extra::default(),
        )
    } else {
        let path = fields.path().field("image_url");
        let mut inner = Fields::parse(text, path)?;
        let url: String = inner.require("url")?;
        if url.is_empty() {
            return Err(invalid(&inner, "url", "must be an address or a `data:` URL"));
        }
        let detail = inner.take("detail")?;
        (url, detail, inner.rest(&CHAT))
    };
    let extra = with_nested(fields, "image_url", inner);
    Ok(ContentPart::Image(ImagePart::new(
        Media::from_url(url),
        detail,
        extra,
    )))
}

fn audio(mut fields: Fields<'_>) -> Result<ContentPart> {
    let text = fields.require_raw("input_audio")?;
    let path = fields.path().field("input_audio");
    let mut inner = Fields::parse(text, path)?;
    let data = inner.require("data")?;
    let format = inner.require("format")?;
    let inner = inner.rest(&CHAT);
    Ok(ContentPart::Audio(AudioPart::new(
        data,
        format,
        with_nested(fields, "input_audio", inner),
    )))
}

fn file(mut fields: Fields<'_>) -> Result<ContentPart> {
    let text = fields.require_raw("file")?;
    let path = fields.path().field("file");
    let mut inner = Fields::parse(text, path)?;
    let source = match (
        inner.take::<String>("file_id")?,
        inner.take::<String>("file_data")?,
    ) {
        (Some(id), _) => Media::FileId(id),
        (None, Some(data)) => Media::from_url(data),
        (None, None) => {
            return Err(Error::invalid(
                path.to_string(),
                "must have `file_id` or `file_data`",
            ));
        }
    };
    let filename = inner.take("filename")?;
    let inner = inner.rest(&CHAT);
    Ok(ContentPart::File(FilePart::new(
        source,
        filename,
        with_nested(fields, "file", inner),
    )))
}
