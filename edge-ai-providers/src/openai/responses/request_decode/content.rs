use std::borrow::Cow;

use edge_ai_core::{AudioPart, ContentPart, Error, FilePart, ImagePart, Media, Result, TextPart};

use crate::openai::invalid;
use crate::openai::responses::nested::{rest, rest_with};
use crate::wire::{Fields, Path, elements, read};

/// Takes a content that must be there, a string or an array of parts.
pub(super) fn require(fields: &mut Fields<'_>, name: &str) -> Result<Vec<ContentPart>> {
    let text = fields.require_raw(name)?;
    let path = fields.path().field(name);
    if text.starts_with('"') {
        return Ok(vec![ContentPart::text(read::<String>(text, &path)?)]);
    }
    let parts = elements(text, &path).map_err(|error| {
        Error::invalid(path.to_string(), "must be a string or an array of content parts").with_source(error)
    })?;
    parts
        .into_iter()
        .enumerate()
        .map(|(index, text)| part(text, path.index(index)))
        .collect()
}

fn part(text: &str, path: Path<'_>) -> Result<ContentPart> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.require("type")?;
    match &*kind {
        "input_text" | "output_text" | "text" => {
            let text: String = fields.require("text")?;
            Ok(ContentPart::Text(TextPart::new(text, rest(fields))))
        }
        "refusal" => Ok(ContentPart::Refusal(fields.require("refusal")?)),
        "input_image" => image(fields),
        "input_file" => file(fields),
        "input_audio" => audio(fields),
        _ => Ok(ContentPart::Other(rest(Fields::parse(text, path)?))),
    }
}

fn image(mut fields: Fields<'_>) -> Result<ContentPart> {
    let source = match (
        fields.take::<String>("file_id")?,
        fields.take::<String>("image_url")?,
    ) {
        (Some(id), _) => Media::FileId(id),
        (None, Some(url)) if !url.is_empty() => Media::from_url(url),
        (None, _) => {
            let message = "must be an address or a `data:` URL, or have `file_id` beside it";
            return Err(invalid(&fields, "image_url", message));
        }
    };
    let detail = fields.take("detail")?;
    Ok(ContentPart::Image(ImagePart::new(source, detail, rest(fields))))
}

fn file(mut fields: Fields<'_>) -> Result<ContentPart> {
    let source = match (
        fields.take::<String>("file_id")?,
        fields.take::<String>("file_data")?,
        fields.take::<String>("file_url")?,
    ) {
        (Some(id), ..) => Media::FileId(id),
        (None, Some(data), _) => Media::from_url(data),
        (None, None, Some(url)) => Media::Url(url),
        (None, None, None) => {
            let message = "must have `file_id`, `file_data` or `file_url`";
            return Err(Error::invalid(fields.path().to_string(), message));
        }
    };
    let filename = fields.take("filename")?;
    Ok(ContentPart::File(FilePart::new(source, filename, rest(fields))))
}

fn audio(mut fields: Fields<'_>) -> Result<ContentPart> {
    let text = fields.require_raw("input_audio")?;
    let path = fields.path().field("input_audio");
    let mut inner = Fields::parse(text, path)?;
    let data = inner.require("data")?;
    let format = inner.require("format")?;
    // Its own path ends before the part's fields are read to their end.
    let inner = rest(inner);
    let mut part = AudioPart::new(data, format, rest_with(fields, Vec::new()));
    part.extra.extend(inner);
    Ok(ContentPart::Audio(part))
}
