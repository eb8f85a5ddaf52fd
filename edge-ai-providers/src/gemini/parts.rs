//! The parts of an answer as events.

use edge_ai_core::{ChatEvent, ContentPart, Extra, ImagePart, Media, ReasoningDelta, Result, ToolCallDelta};

use super::GENERATE;
use super::signature::{beside_call, mark};
use crate::wire::{Fields, Path};

/// Reads parts in their order, and numbers the calls among them.
#[derive(Debug, Default)]
pub(super) struct PartReader {
    calls: u32,
}

impl PartReader {
    /// Whether there were calls.
    pub(super) const fn has_calls(&self) -> bool {
        self.calls > 0
    }

    /// The events of one part. `answer` is the answer's id, of which calls without one of their own get theirs.
    pub(super) fn read(&mut self, part: &str, path: Path<'_>, answer: &str) -> Result<Vec<ChatEvent>> {
        let mut fields = Fields::parse(part, path)?;
        let signature: Option<String> = fields.take("thoughtSignature")?;
        let signature = signature.filter(|signature| !signature.is_empty());
        let signed = signature.as_deref().map(mark);
        let mut events = Vec::new();
        if let Some(text) = fields.take::<String>("text")? {
            if fields.take("thought")?.unwrap_or(false) {
                let mut delta = ReasoningDelta::text(text);
                delta.signature = signed;
                return Ok(vec![ChatEvent::Reasoning(delta)]);
            }
            if !text.is_empty() {
                events.push(ChatEvent::Text(text));
            }
            // After the text: it is the last thing to come, and closes what was said.
            events.extend(signed.map(|signature| ChatEvent::Reasoning(ReasoningDelta::signature(signature))));
        } else if let Some(call) = fields.take_raw("functionCall") {
            // Before the call, so that it closes the thought that led there.
            events.extend(signed.map(|signature| ChatEvent::Reasoning(ReasoningDelta::signature(signature))));
            let call = Fields::parse(call, fields.path().field("functionCall"))?;
            let mut delta = self.call(call, answer)?;
            delta.extra = signature.as_deref().map_or_else(Extra::default, beside_call);
            events.push(ChatEvent::ToolCall(delta));
        } else {
            events.push(ChatEvent::Part(other(part, path)?));
        }
        Ok(events)
    }

    fn call(&mut self, mut call: Fields<'_>, answer: &str) -> Result<ToolCallDelta> {
        let index = self.calls;
        self.calls = self.calls.saturating_add(1);
        let id: Option<String> = call.take("id")?;
        let id = id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| format!("call_{answer}_{index}"));
        let name: String = call.require("name")?;
        let mut delta = ToolCallDelta::start(index, id, name);
        call.take_raw("args")
            .unwrap_or("{}")
            .clone_into(&mut delta.arguments);
        Ok(delta)
    }
}

/// A picture, or what only this dialect knows, such as code that Google ran: it goes back as it came.
fn other(part: &str, path: Path<'_>) -> Result<ContentPart> {
    let mut fields = Fields::parse(part, path)?;
    if let Some(text) = fields.peek_raw("inlineData") {
        let mut data = Fields::parse(text, path.field("inlineData"))?;
        let media_type: String = data.take("mimeType")?.unwrap_or_default();
        if media_type.starts_with("image/") {
            let source = Media::Base64 {
                media_type,
                data: data.take("data")?.unwrap_or_default(),
            };
            let _ = fields.take_raw("inlineData");
            return Ok(ContentPart::Image(ImagePart::new(
                source,
                None,
                fields.rest(&GENERATE),
            )));
        }
    }
    Ok(ContentPart::Other(fields.rest(&GENERATE)))
}
