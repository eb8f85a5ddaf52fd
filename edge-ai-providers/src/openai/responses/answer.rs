//! The parts of a response as they are written, whole or piece by piece.

use edge_ai_core::{
    ContentPart, Error, Extra, FinishReason, RawJson, ReasoningPart, Result, TextPart, ToolCall, Usage,
};

use super::usage::write_usage;
use super::{Echo, RESPONSES, seal, status};
use crate::citation::{ANNOTATIONS, as_responses};
use crate::openai::Head;
use crate::wire::{ArrayWriter, ObjectWriter, write_object};

/// How far a response is.
pub(super) enum State<'a> {
    InProgress,
    /// It is over, for a reason.
    Ended(&'a FinishReason, Option<&'a Usage>),
}

/// Writes the fields of a response. `output` writes its items.
pub(super) fn write_response(
    object: &mut ObjectWriter<'_>,
    head: &Head,
    echo: &Echo,
    state: &State<'_>,
    output: impl FnOnce(&mut ArrayWriter<'_>) -> Result<()>,
) -> Result<()> {
    object.field("id", &head.id);
    object.field("object", "response");
    object.field("created_at", head.created);
    let (status, incomplete, usage) = match state {
        State::InProgress => ("in_progress", None, None),
        State::Ended(reason, usage) => (status::of(reason), status::incomplete(reason), *usage),
    };
    object.field("status", status);
    // The clock is not asked again: a whole second is seldom over.
    object.field("completed_at", (status == "completed").then_some(head.created));
    object.raw("error", "null");
    match incomplete {
        Some(reason) => object.object("incomplete_details", |details| {
            details.field("reason", reason);
            Ok(())
        })?,
        None => object.raw("incomplete_details", "null"),
    }
    object.field("model", &head.model);
    object.array("output", output)?;
    match usage {
        Some(usage) => object.object("usage", |object| write_usage(object, usage))?,
        None => object.raw("usage", "null"),
    }
    object.raw("user", "null");
    object.rest(echo.as_str());
    Ok(())
}

/// The names of an answer's items.
#[derive(Debug, Default)]
pub(super) struct Ids {
    answer: String,
}

impl Ids {
    /// The names for the answer `id`.
    pub(super) fn of(id: &str) -> Self {
        let answer = id.strip_prefix("resp_").unwrap_or(id).to_owned();
        Self { answer }
    }

    /// The name of the item at a place.
    pub(super) fn item(&self, prefix: &str, index: usize) -> String {
        format!("{prefix}_{}_{index}", self.answer)
    }

    /// The id of a call. Clients need one to answer it; some vendors give none.
    pub(super) fn call(&self, id: &str, index: usize) -> String {
        if id.is_empty() {
            self.item("call", index)
        } else {
            id.to_owned()
        }
    }
}

/// A text or a refusal.
#[derive(Debug)]
pub(super) enum Said {
    Text(TextPart),
    Refusal(String),
}

impl Said {
    /// A text, with its citations in this dialect's words.
    pub(super) fn text(mut part: TextPart) -> Self {
        Self::annotate(&mut part);
        Self::Text(part)
    }

    /// Puts the citations of a text into this dialect's words.
    pub(super) fn annotate(part: &mut TextPart) {
        if part.extra.get(&RESPONSES, ANNOTATIONS).is_some() {
            return;
        }
        let annotations = as_responses(&part.extra, part.text.chars().count());
        if !annotations.is_empty()
            && let Ok(annotations) = RawJson::from_serialize(&annotations)
        {
            part.extra = Extra::new(RESPONSES, vec![(ANNOTATIONS.to_owned(), annotations)]);
        }
    }

    /// Writes the fields of the content part.
    pub(super) fn write(&self, part: &mut ObjectWriter<'_>) -> Result<()> {
        match self {
            Self::Text(text) => {
                part.field("type", "output_text");
                part.field("text", &text.text);
                for name in [ANNOTATIONS, "logprobs"] {
                    if text.extra.get(&RESPONSES, name).is_none() {
                        part.raw(name, "[]");
                    }
                }
                part.extra(&text.extra, &RESPONSES);
            }
            Self::Refusal(text) => {
                part.field("type", "refusal");
                part.field("refusal", text);
            }
        }
        Ok(())
    }
}

/// A message.
pub(super) fn message(id: &str, status: &str, parts: &[Said]) -> Vec<u8> {
    item(|item| {
        item.field("type", "message");
        item.field("id", id);
        item.field("status", status);
        item.field("role", "assistant");
        item.array("content", |array| {
            parts
                .iter()
                .try_for_each(|part| array.object(|object| part.write(object)))
        })
    })
}

/// A call.
pub(super) fn call(id: &str, status: &str, call_id: &str, call: &ToolCall) -> Vec<u8> {
    item(|item| {
        item.field("type", "function_call");
        item.field("id", id);
        item.field("status", status);
        item.field("call_id", call_id);
        item.field("name", &call.name);
        item.field("arguments", &call.arguments);
        item.extra(&call.extra, &RESPONSES);
        Ok(())
    })
}

/// A thought.
pub(super) fn thought(id: &str, part: &ReasoningPart) -> Vec<u8> {
    let encrypted = seal::shown(part, id);
    item(|item| {
        item.field("type", "reasoning");
        item.field("id", id);
        item.array("summary", |summary| {
            if part.text.is_empty() {
                return Ok(());
            }
            summary.object(|text| {
                text.field("type", "summary_text");
                text.field("text", &part.text);
                Ok(())
            })
        })?;
        item.optional("encrypted_content", encrypted);
        Ok(())
    })
}

/// An item of a kind that only this dialect knows; `None` for a part of another.
pub(super) fn own(part: &ContentPart) -> Option<Vec<u8>> {
    let ContentPart::Other(extra) = part else {
        return None;
    };
    extra.get(&RESPONSES, "type")?;
    Some(item(|item| {
        item.extra(extra, &RESPONSES);
        Ok(())
    }))
}

fn item(fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<(), Error>) -> Vec<u8> {
    // Nothing that is written here fails.
    write_object(fields).unwrap_or_default()
}
