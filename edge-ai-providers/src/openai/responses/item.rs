//! Items of an answer or of a conversation that are read the same everywhere.

use std::borrow::Cow;

use edge_ai_core::{ContentPart, ReasoningPart, Result, TextPart, ToolCall};
use serde::Deserialize;

use super::nested::rest;
use super::seal::kept;
use crate::wire::{Fields, Path, elements, read};

/// A paragraph of a summary, or a text that is the thought itself.
#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

/// Reads a thought.
pub(super) fn reasoning(fields: &mut Fields<'_>) -> Result<ReasoningPart> {
    let id: Cow<'_, str> = fields.take("id")?.unwrap_or_default();
    let encrypted: Option<Cow<'_, str>> = fields.take("encrypted_content")?;
    let summary: Option<Vec<Text>> = fields.take("summary")?;
    // Models with open weights show the thought itself.
    let content: Option<Vec<Text>> = fields.take("content")?;
    let paragraphs = summary.filter(|texts| !texts.is_empty()).or(content);
    let texts: Vec<_> = paragraphs
        .unwrap_or_default()
        .into_iter()
        .map(|Text { text }| text)
        .collect();
    Ok(kept(
        texts.join("\n\n"),
        &id,
        encrypted.as_deref().filter(|text| !text.is_empty()),
    ))
}

/// Reads an item of an answer to the parts that it holds.
pub(super) fn output(text: &str, path: Path<'_>, parts: &mut Vec<ContentPart>) -> Result<()> {
    let mut fields = Fields::parse(text, path)?;
    let kind: Cow<'_, str> = fields.take("type")?.unwrap_or_default();
    match &*kind {
        "message" => return message(&mut fields, parts),
        "function_call" => {
            fields.take_raw("id");
            fields.take_raw("status");
            let id: String = fields.take("call_id")?.unwrap_or_default();
            let name: String = fields.require("name")?;
            let arguments: String = fields.take("arguments")?.unwrap_or_default();
            let mut call = ToolCall::new(id, name, arguments);
            call.extra = rest(fields);
            parts.push(ContentPart::ToolCall(call));
        }
        "reasoning" => {
            let thought = reasoning(&mut fields)?;
            // One with nothing but an id is of use to the vendor alone, while it keeps the answer.
            if !thought.text.is_empty() || thought.signature.is_some() || thought.redacted.is_some() {
                parts.push(ContentPart::Reasoning(thought));
            }
        }
        _ => parts.push(ContentPart::Other(rest(Fields::parse(text, path)?))),
    }
    Ok(())
}

fn message(fields: &mut Fields<'_>, parts: &mut Vec<ContentPart>) -> Result<()> {
    let Some(text) = fields.take_raw("content") else {
        return Ok(());
    };
    let path = fields.path().field("content");
    for (index, text) in elements(text, &path)?.into_iter().enumerate() {
        let mut part = Fields::parse(text, path.index(index))?;
        let kind: Cow<'_, str> = part.peek("type").unwrap_or_default();
        match &*kind {
            "output_text" | "text" => {
                part.take_raw("type");
                let text: String = part.require("text")?;
                let extra = rest(part);
                if !text.is_empty() || !extra.is_empty() {
                    parts.push(ContentPart::Text(TextPart::new(text, extra)));
                }
            }
            "refusal" => parts.push(ContentPart::Refusal(part.require("refusal")?)),
            _ => {}
        }
    }
    Ok(())
}

/// What kind of item a text is.
pub(super) fn kind(text: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Cow<'a, str>,
    }
    read::<Kind<'_>>(text, &Path::ROOT).map_or(Cow::Borrowed(""), |item| item.kind)
}
