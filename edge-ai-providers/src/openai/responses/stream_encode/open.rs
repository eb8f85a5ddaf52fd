use edge_ai_core::{Extra, RawJson, ReasoningDelta, ReasoningPart, Result, TextPart};

use super::Items;
use super::writer::Writer;
use crate::citation::ANNOTATIONS;
use crate::openai::responses::RESPONSES;
use crate::openai::responses::answer::{self, Said};
use crate::openai::responses::seal;
use crate::wire::ObjectWriter;

/// The item that is being written, of the kinds of which there is one at a time.
#[derive(Debug)]
pub(super) enum Open {
    Nothing,
    Message {
        index: usize,
        id: String,
        parts: Vec<Said>,
    },
    Thought {
        index: usize,
        id: String,
        part: ReasoningPart,
    },
}

impl Open {
    /// Begins a message.
    pub(super) fn message(items: &mut Items, writer: &mut Writer) -> Self {
        let index = items.begin();
        let id = items.ids.item("msg", index);
        let item = answer::message(&id, "in_progress", &[]);
        writer.item("response.output_item.added", index, &item);
        Self::Message {
            index,
            id,
            parts: Vec::new(),
        }
    }

    /// Begins a thought, under its own name where that is known.
    pub(super) fn thought(items: &mut Items, writer: &mut Writer, delta: &ReasoningDelta) -> Self {
        let index = items.begin();
        let id = seal::id(delta.signature.as_deref()).map(str::to_owned);
        let id = id
            .filter(|id| items.thoughts.insert(id.clone()))
            .unwrap_or_else(|| items.ids.item("rs", index));
        let part = ReasoningPart::default();
        writer.item("response.output_item.added", index, &answer::thought(&id, &part));
        Self::Thought { index, id, part }
    }

    pub(super) const fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    pub(super) const fn is_thought(&self) -> bool {
        matches!(self, Self::Thought { .. })
    }

    /// More text or refusal of a message.
    pub(super) fn say(&mut self, writer: &mut Writer, more: &str, refusal: bool) {
        let Self::Message { index, id, parts } = self else {
            return;
        };
        let fits = match parts.last() {
            // A text with something beside it is whole.
            Some(Said::Text(part)) => !refusal && part.extra.is_empty(),
            Some(Said::Refusal(_)) => refusal,
            None => false,
        };
        if !fits {
            close_part(writer, *index, id, parts);
            let part = if refusal {
                Said::Refusal(String::new())
            } else {
                Said::Text(TextPart::default())
            };
            let at = parts.len();
            writer.event("response.content_part.added", |event| {
                place(event, id, *index, at);
                event.object("part", |object| part.write(object))
            });
            parts.push(part);
        }
        let at = parts.len().saturating_sub(1);
        let kind = if refusal {
            "response.refusal.delta"
        } else {
            "response.output_text.delta"
        };
        writer.event(kind, |event| {
            place(event, id, *index, at);
            event.field("delta", more);
            if !refusal {
                event.raw("logprobs", "[]");
            }
            Ok(())
        });
        match parts.last_mut() {
            Some(Said::Text(part)) => part.text.push_str(more),
            Some(Said::Refusal(text)) => text.push_str(more),
            None => {}
        }
    }

    /// What the last text has beside it, such as citations.
    pub(super) fn annotate(&mut self, writer: &mut Writer, extra: &Extra) {
        let Self::Message { index, id, parts } = self else {
            return;
        };
        let at = parts.len().saturating_sub(1);
        let Some(Said::Text(part)) = parts.last_mut() else {
            return;
        };
        part.extra.extend(extra.clone());
        Said::annotate(part);
        let annotations = part.extra.get(&RESPONSES, ANNOTATIONS);
        let annotations: Vec<RawJson> = annotations.and_then(|list| list.to().ok()).unwrap_or_default();
        for (number, annotation) in annotations.iter().enumerate() {
            writer.event("response.output_text.annotation.added", |event| {
                place(event, id, *index, at);
                event.field("annotation_index", number);
                event.field("annotation", annotation);
                Ok(())
            });
        }
    }

    /// More of a thought; whether it is whole now.
    pub(super) fn think(&mut self, writer: &mut Writer, delta: &ReasoningDelta) -> bool {
        let Self::Thought { index, id, part } = self else {
            return false;
        };
        if let Some(data) = &delta.redacted {
            part.redacted = Some(data.clone());
            return true;
        }
        if !delta.text.is_empty() {
            if part.text.is_empty() {
                writer.event("response.reasoning_summary_part.added", |event| {
                    summary(event, id, *index);
                    summary_part(event, "")
                });
            }
            part.text.push_str(&delta.text);
            writer.event("response.reasoning_summary_text.delta", |event| {
                summary(event, id, *index);
                event.field("delta", &delta.text);
                Ok(())
            });
        }
        part.signature.clone_from(&delta.signature);
        part.signature.is_some()
    }

    /// Closes it.
    pub(super) fn close(self, items: &mut Items, writer: &mut Writer, status: &str) {
        match self {
            Self::Nothing => {}
            Self::Message { index, id, parts } => {
                close_part(writer, index, &id, &parts);
                items.end(writer, index, answer::message(&id, status, &parts));
            }
            Self::Thought { index, id, part } => {
                if !part.text.is_empty() {
                    writer.event("response.reasoning_summary_text.done", |event| {
                        summary(event, &id, index);
                        event.field("text", &part.text);
                        Ok(())
                    });
                    writer.event("response.reasoning_summary_part.done", |event| {
                        summary(event, &id, index);
                        summary_part(event, &part.text)
                    });
                }
                items.end(writer, index, answer::thought(&id, &part));
            }
        }
    }
}

/// Closes the last part of a message, if there is one.
fn close_part(writer: &mut Writer, index: usize, id: &str, parts: &[Said]) {
    let Some(part) = parts.last() else { return };
    let at = parts.len() - 1;
    let (kind, name, text) = match part {
        Said::Text(part) => ("response.output_text.done", "text", &part.text),
        Said::Refusal(text) => ("response.refusal.done", "refusal", text),
    };
    writer.event(kind, |event| {
        place(event, id, index, at);
        event.field(name, text);
        if name == "text" {
            event.raw("logprobs", "[]");
        }
        Ok(())
    });
    writer.event("response.content_part.done", |event| {
        place(event, id, index, at);
        event.object("part", |object| part.write(object))
    });
}

fn place(event: &mut ObjectWriter<'_>, id: &str, index: usize, part: usize) {
    event.field("item_id", id);
    event.field("output_index", index);
    event.field("content_index", part);
}

fn summary(event: &mut ObjectWriter<'_>, id: &str, index: usize) {
    event.field("item_id", id);
    event.field("output_index", index);
    event.field("summary_index", 0);
}

fn summary_part(event: &mut ObjectWriter<'_>, text: &str) -> Result<()> {
    event.object("part", |part| {
        part.field("type", "summary_text");
        part.field("text", text);
        Ok(())
    })
}
