use edge_ai_core::{Error, ErrorKind, Media, Result};

use crate::wire::ObjectWriter;

/// The pictures that Gemini reads (<https://ai.google.dev/gemini-api/docs/image-understanding#supported-formats>).
const IMAGES: [&str; 5] = [
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/heic",
    "image/heif",
];

/// Where files that were uploaded to Google are.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// The media types of what addresses end in.
const ENDINGS: [(&str, &str); 16] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("mov", "video/mov"),
    ("webm", "video/webm"),
];

/// Writes `inlineData` or `fileData`; `at` is where it stands in the request.
pub(super) fn write(object: &mut ObjectWriter<'_>, media: &Media, at: &str) -> Result<()> {
    match media {
        Media::Base64 { media_type, data } => {
            // Not a registered type, but a frequent one.
            let media_type = if media_type == "image/jpg" {
                "image/jpeg"
            } else {
                media_type
            };
            if media_type.starts_with("image/") && !IMAGES.contains(&media_type) {
                let message = format!("Gemini reads {}, not `{media_type}`", IMAGES.join(", "));
                return Err(Error::invalid(at, message));
            }
            inline(object, media_type, data)
        }
        Media::Url(url)
            if ["https://", "http://", "gs://"]
                .iter()
                .any(|start| url.starts_with(start)) =>
        {
            file(object, url)
        }
        Media::Url(_) => {
            let problem = "the address must start with https://, http://, gs:// or `data:<type>;base64,`";
            Err(Error::invalid(at, problem))
        }
        Media::FileId(id) if id.starts_with("files/") => file(object, &format!("{FILES}{id}")),
        Media::FileId(id) if id.starts_with("https://") || id.starts_with("gs://") => file(object, id),
        Media::FileId(_) => Err(Error::invalid(
            at,
            "another vendor's file; those of Gemini are named `files/…`",
        )),
        _ => Err(Error::new(ErrorKind::Unsupported, "Gemini does not take media from there").with_param(at)),
    }
}

/// Writes `inlineData`.
pub(super) fn inline(object: &mut ObjectWriter<'_>, media_type: &str, data: &str) -> Result<()> {
    object.object("inlineData", |inline| {
        inline.field("mimeType", media_type);
        inline.field("data", data);
        Ok(())
    })
}

fn file(object: &mut ObjectWriter<'_>, uri: &str) -> Result<()> {
    object.object("fileData", |file| {
        file.optional("mimeType", media_type(uri));
        file.field("fileUri", uri);
        Ok(())
    })
}

/// The media type by the end of an address's path; Google finds others out by itself.
fn media_type(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    ENDINGS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending))
        .map(|(_, media_type)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_media_types() {
        assert_eq!(
            media_type("https://example.com/a/b.PNG?x=1.pdf"),
            Some("image/png")
        );
        assert_eq!(media_type("gs://bucket/doc.pdf"), Some("application/pdf"));
        assert_eq!(media_type("https://example.png/watch"), None);
    }
}
