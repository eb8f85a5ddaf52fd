use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use edge_ai_core::{
    ContentPart, Error, FilePart, ImagePart, Media, ReasoningPart, Result, Role, TextPart, ToolCall,
    ToolResult,
};

use crate::anthropic::MESSAGES;
use crate::anthropic::response::rest;
use crate::openai::invalid;
use crate::wire::{Fields, Path, elements, read};

/// Takes a field that is a string or an array of content blocks.
pub(super) fn optional(fields: &mut Fields<'_>, name: &str, role: Role) -> Result<Option<Vec<ContentPart>>> {
    let Some(text) = fields.take_raw(name) else {
        return Ok(None);
    };
    let path = fields.path().field(name);
    if text.starts_with('"') {
        return Ok(Some(vec![ContentPart::text(read::<String>(text, &path)?)]));
    }
    if !text.starts_with('[') {
        return Err(Error::invalid(
            path.to_string(),
            "must be a string or an array of content blocks",
        ));
    }
    elements(text, &path)?
        .into_iter()
        .enumerate()
        .map(|(index, text)| block(text, path.index(index), role))
        .collect::<Result<_>>()
        .map(Some)
}

fn block(text: &str, path: Path<'_>, role: Role) -> Result<ContentPart> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.require("type")?;
    check_speaker(&fields, &kind, role)?;
    match &*kind {
        "text" => {
            let text: String = fields.require("text")?;
            Ok(ContentPart::Text(TextPart::new(text, rest(fields))))
        }
        "image" => image(fields, text),
        "document" => document(fields, text),
        "thinking" => {
            let thought: String = fields.require("thinking")?;
            // Ours are empty where the vendor signs nothing.
            let signature = fields
                .take::<String>("signature")?
                .filter(|signature| !signature.is_empty());
            let mut part = ReasoningPart::new(thought, signature);
            part.extra = rest(fields);
            Ok(ContentPart::Reasoning(part))
        }
        "redacted_thinking" => {
            let mut part = ReasoningPart::redacted(fields.require::<String>("data")?);
            part.extra = rest(fields);
            Ok(ContentPart::Reasoning(part))
        }
        "tool_use" => tool_use(fields),
        "tool_result" => tool_result(fields),
        _ => Ok(whole(text, path)),
    }
}

/// Whether one who has `role` may say it. What is not known here is for the vendor to judge.
fn check_speaker(fields: &Fields<'_>, kind: &str, role: Role) -> Result<()> {
    let problem = match (role, kind) {
        (
            Role::System,
            "image" | "document" | "thinking" | "redacted_thinking" | "tool_use" | "tool_result",
        ) => "instructions are text",
        (Role::User, "tool_use") => "a call of a tool belongs to the assistant",
        (Role::User, "thinking" | "redacted_thinking") => "a thought belongs to the assistant",
        (Role::Assistant, "tool_result") => "a result of a tool belongs to the user",
        (Role::Tool, "tool_use" | "tool_result" | "thinking" | "redacted_thinking") => {
            "a result holds texts, images and documents"
        }
        _ => return Ok(()),
    };
    Err(invalid(fields, "type", problem))
}

/// A block that only this dialect knows.
fn whole(text: &str, path: Path<'_>) -> ContentPart {
    let extra =
        Fields::parse(text, path).map_or_else(|_| Default::default(), |fields| fields.rest(&MESSAGES));
    ContentPart::Other(extra)
}

fn image(mut fields: Fields<'_>, text: &str) -> Result<ContentPart> {
    let path = *fields.path();
    match source(&mut fields)? {
        Some(media) => Ok(ContentPart::Image(ImagePart::new(media, None, rest(fields)))),
        None => Ok(whole(text, path)),
    }
}

fn document(mut fields: Fields<'_>, text: &str) -> Result<ContentPart> {
    let path = *fields.path();
    let Some(media) = source(&mut fields)? else {
        return Ok(whole(text, path));
    };
    let title = fields.take("title")?;
    Ok(ContentPart::File(FilePart::new(media, title, rest(fields))))
}

/// Takes where the bytes are; `None` for kinds that only this dialect has, such as a document of blocks.
fn source(fields: &mut Fields<'_>) -> Result<Option<Media>> {
    let text = fields.require_raw("source")?;
    let path = fields.path().field("source");
    let mut source = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = source.require("type")?;
    Ok(match &*kind {
        "base64" => Some(Media::Base64 {
            media_type: source.require("media_type")?,
            data: source.require("data")?,
        }),
        "text" => Some(Media::Base64 {
            media_type: source
                .take("media_type")?
                .unwrap_or_else(|| "text/plain".to_owned()),
            data: BASE64_STANDARD.encode(source.require::<Cow<'_, str>>("data")?.as_bytes()),
        }),
        "url" => Some(Media::Url(source.require("url")?)),
        "file" => Some(Media::FileId(source.require("file_id")?)),
        _ => None,
    })
}

fn tool_use(mut fields: Fields<'_>) -> Result<ContentPart> {
    let id = non_empty(&mut fields, "id")?;
    let name = non_empty(&mut fields, "name")?;
    let input = fields.require_raw("input")?;
    if !input.starts_with('{') {
        return Err(invalid(&fields, "input", "must be an object"));
    }
    let mut call = ToolCall::new(id, name, input);
    call.extra = rest(fields);
    Ok(ContentPart::ToolCall(call))
}

fn tool_result(mut fields: Fields<'_>) -> Result<ContentPart> {
    let id = non_empty(&mut fields, "tool_use_id")?;
    let content = optional(&mut fields, "content", Role::Tool)?;
    let mut result = ToolResult::new(id, content.unwrap_or_default());
    result.is_error = fields.take("is_error")?.unwrap_or(false);
    result.extra = rest(fields);
    Ok(ContentPart::ToolResult(result))
}

fn non_empty(fields: &mut Fields<'_>, name: &str) -> Result<String> {
    let text: String = fields.require(name)?;
    if text.is_empty() {
        return Err(invalid(fields, name, "must not be empty"));
    }
    Ok(text)
}
