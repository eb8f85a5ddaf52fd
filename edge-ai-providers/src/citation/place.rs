use edge_ai_core::{ContentPart, Extra, RawJson};

use super::{ANNOTATIONS, as_chat};
use crate::openai::CHAT;

/// Follows an answer, to say which of its characters a citation is about: those since the last one.
#[derive(Debug, Default)]
pub(crate) struct Places {
    said: usize,
    last: (usize, usize),
}

impl Places {
    /// More text.
    pub(crate) fn say(&mut self, text: &str) {
        self.said = self.said.saturating_add(text.chars().count());
    }

    /// The annotations of a chat completion for the text so far; empty without citations.
    pub(crate) fn cite(&mut self, extra: &Extra) -> Vec<RawJson> {
        let (_, end) = self.last;
        // More citations of the same text.
        let place = if end == self.said {
            self.last
        } else {
            (end, self.said)
        };
        let annotations = as_chat(extra, place);
        if !annotations.is_empty() {
            self.last = place;
        }
        annotations
    }

    /// The annotations of a whole answer; empty where it has OpenAI's own, or no citations.
    pub(crate) fn annotations(content: &[ContentPart]) -> Vec<RawJson> {
        let own = |part: &ContentPart| matches!(part, ContentPart::Other(extra) if extra.get(&CHAT, ANNOTATIONS).is_some());
        let mut places = Self::default();
        let mut all = Vec::new();
        for part in content {
            match part {
                part if own(part) => return Vec::new(),
                ContentPart::Text(text) => {
                    places.say(&text.text);
                    all.extend(places.cite(&text.extra));
                }
                _ => {}
            }
        }
        all
    }
}
