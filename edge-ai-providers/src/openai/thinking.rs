//! What the model thought: a field that OpenAI does not have and compatible servers write in three ways.
//!
//! `reasoning_content` (DeepSeek, and most others) and `reasoning` (OpenRouter, vLLM) hold the text. `thinking_blocks`
//! (LiteLLM) holds the thoughts with the vendor's signatures, without which Anthropic refuses the next turn.

use edge_ai_core::{ContentPart, Extra, RawJson, ReasoningPart, Result};
use serde::Deserialize;

use super::CHAT;
use crate::wire::{ArrayWriter, Fields, elements, read};

/// The fields of the text alone, by precedence.
pub(super) const TEXT_FIELDS: [&str; 2] = ["reasoning_content", "reasoning"];

/// The field of the thoughts with signatures.
pub(super) const BLOCKS: &str = "thinking_blocks";

/// One of the blocks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block {
    pub(super) thinking: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) data: Option<String>,
}

impl Block {
    fn into_part(self) -> Option<ReasoningPart> {
        match (self.data, self.thinking, self.signature) {
            (Some(data), ..) => Some(ReasoningPart::redacted(data)),
            (None, None, None) => None,
            (None, thinking, signature) => Some(ReasoningPart::new(thinking.unwrap_or_default(), signature)),
        }
    }
}

/// Takes the blocks; `None` where there is none.
pub(super) fn take_blocks(fields: &mut Fields<'_>) -> Result<Option<Vec<ContentPart>>> {
    let Some(text) = fields.take_raw(BLOCKS) else {
        return Ok(None);
    };
    let path = fields.path().field(BLOCKS);
    let mut parts = Vec::new();
    for (index, text) in elements(text, &path)?.into_iter().enumerate() {
        let block: Block = read(text, &path.index(index))?;
        parts.extend(block.into_part().map(ContentPart::Reasoning));
    }
    Ok(if parts.is_empty() { None } else { Some(parts) })
}

/// Writes the thoughts that have a signature or are redacted.
pub(super) fn write_block(array: &mut ArrayWriter<'_>, part: &ReasoningPart) -> Result<()> {
    if let Some(data) = &part.redacted {
        return array.object(|block| {
            block.field("type", "redacted_thinking");
            block.field("data", data);
            Ok(())
        });
    }
    array.object(|block| {
        block.field("type", "thinking");
        block.field("thinking", &part.text);
        block.optional("signature", part.signature.as_deref());
        Ok(())
    })
}

/// Whether a thought has more than its text.
pub(super) fn is_sealed(part: &ReasoningPart) -> bool {
    part.signature.is_some() || part.redacted.is_some()
}

/// A thought from one of the [text fields](TEXT_FIELDS), which it remembers.
pub(super) fn from_field(name: &str, text: String) -> ContentPart {
    let mut part = ReasoningPart::new(text, None);
    // The value is not read again: the name is all that has to be known.
    part.extra = RawJson::parse("true").map_or_else(
        |_| Extra::default(),
        |mark| Extra::new(CHAT, vec![(name.to_owned(), mark)]),
    );
    ContentPart::Reasoning(part)
}

/// The field that a thought of a request was read from.
pub(super) fn field_of(part: &ReasoningPart) -> Option<&'static str> {
    TEXT_FIELDS
        .into_iter()
        .find(|name| part.extra.get(&CHAT, name).is_some())
}
