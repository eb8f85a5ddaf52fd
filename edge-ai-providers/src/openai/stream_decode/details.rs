use edge_ai_core::{ContentPart, Extra, RawJson};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::openai::CHAT;

/// OpenRouter's field for thoughts with what their vendor needs to have them back: signatures, encrypted ones, their order.
pub(super) const FIELD: &str = "reasoning_details";

/// The pieces of the thoughts, put together: sent back in pieces, a signature would not be that of its text.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Map<String, Value>>);

impl Details {
    /// Takes the pieces of a chunk. What is no list of objects says nothing.
    pub(super) fn push(&mut self, pieces: &RawValue) {
        let pieces: Vec<Map<String, Value>> = serde_json::from_str(pieces.get()).unwrap_or_default();
        for piece in pieces {
            match self.0.last_mut().filter(|known| continues(known, &piece)) {
                Some(known) => extend(known, piece),
                None => self.0.push(piece),
            }
        }
    }

    /// The thoughts as a field of the message, once.
    pub(super) fn take(&mut self) -> Option<ContentPart> {
        let details = std::mem::take(&mut self.0);
        if details.is_empty() {
            return None;
        }
        let field = (FIELD.to_owned(), RawJson::from_serialize(&details).ok()?);
        Some(ContentPart::Other(Extra::new(CHAT, vec![field])))
    }
}

/// Whether a piece is more of the thought before it.
fn continues(known: &Map<String, Value>, piece: &Map<String, Value>) -> bool {
    ["type", "index"]
        .iter()
        .all(|name| known.get(*name) == piece.get(*name))
}

fn extend(known: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (name, value) in piece {
        match (known.get_mut(&name), value) {
            (Some(Value::String(text)), Value::String(more))
                if matches!(name.as_str(), "text" | "summary" | "data") =>
            {
                text.push_str(&more);
            }
            (Some(_), Value::Null) => {}
            (_, value) => {
                known.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_are_put_together_by_index() {
        let mut details = Details::default();
        for pieces in [
            json!([{"type": "reasoning.text", "text": "Compare", "format": "anthropic-claude-v1", "index": 0}]),
            json!([{"type": "reasoning.text", "text": " the tenths.", "index": 0}]),
            json!([{"type": "reasoning.text", "signature": "c2ln", "index": 0, "format": null}]),
            json!([{"type": "reasoning.encrypted", "data": "EmwK", "index": 1}]),
            json!("not a list"),
        ] {
            let pieces = serde_json::value::to_raw_value(&pieces).unwrap();
            details.push(&pieces);
        }
        let Some(ContentPart::Other(extra)) = details.take() else {
            panic!("nothing was kept");
        };
        let kept: Value = extra.get(&CHAT, FIELD).unwrap().to().unwrap();
        assert_eq!(
            kept,
            json!([
                {"type": "reasoning.text", "text": "Compare the tenths.", "format": "anthropic-claude-v1", "index": 0,
                    "signature": "c2ln"},
                {"type": "reasoning.encrypted", "data": "EmwK", "index": 1},
            ])
        );
        assert_eq!(details.take(), None);
    }
}
