//! Texts are replaced.

use std::ops::Range;

use edge_ai_core::RawJson;

use super::texts::Slot;
use crate::scan::{Encoding, escaped};

/// A part of a passage to replace.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) passage: usize,
    pub(super) span: Range<usize>,
    /// As it is written there.
    pub(super) replacement: String,
}

/// A replacement as it is written at its place: in JSON within a string, or in place of a number.
pub(super) fn written(replacement: &str, encoding: Encoding, bare: bool) -> String {
    match (encoding, bare) {
        (Encoding::Plain, _) => replacement.to_owned(),
        (Encoding::Json, false) => escaped(replacement),
        (Encoding::Json, true) => format!("\"{}\"", escaped(replacement)),
    }
}

/// Makes the edits. Of edits that overlap, the first is made.
pub(super) fn apply(slots: Vec<Slot<'_>>, mut edits: Vec<Edit>) {
    edits.sort_by_key(|edit| (edit.passage, edit.span.start));
    let mut edits = edits.into_iter().peekable();
    for (index, slot) in slots.into_iter().enumerate() {
        let mut own = Vec::new();
        while let Some(edit) = edits.next_if(|edit| edit.passage == index) {
            own.push(edit);
        }
        if own.is_empty() {
            continue;
        }
        match slot {
            Slot::Text(text) => *text = replaced(text, own),
            Slot::Thought(part) => {
                part.text = replaced(&part.text, own);
                part.signature = None;
            }
            Slot::Json(value) => {
                let text = replaced(value.get(), own);
                // Whatever is replaced, it stays JSON.
                if let Ok(json) = RawJson::parse(text).or_else(|_| RawJson::parse("\"[REDACTED]\"")) {
                    *value = json;
                }
            }
        }
    }
}

fn replaced(text: &str, edits: Vec<Edit>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let Some(before) = text.get(at..edit.span.start) else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.replacement);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
