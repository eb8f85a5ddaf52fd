use edge_ai_core::{RawJson, ToolCallDelta};

use super::super::super::response_encode::call_id;
use super::super::arguments::Arguments;
use super::super::writer::Writer;
use crate::wire::write_object;

/// A block that is not written to its end.
#[derive(Debug)]
pub(crate) enum Block {
    Text {
        pending: String,
        citations: Vec<RawJson>,
        refusal: bool,
        /// Nothing follows in it.
        sealed: bool,
    },
    Thought {
        pending: String,
        signature: Option<String>,
    },
    Call(Call),
    /// The JSON of a block that comes at once.
    Whole(String),
    /// A block of the dialect's own that somebody else has opened: only they know what it holds.
    Foreign,
}

/// A call of a tool.
#[derive(Debug)]
pub(crate) struct Call {
    /// By which its deltas name it; a whole call has none.
    pub(crate) index: Option<u32>,
    id: String,
    name: String,
    /// Arguments that are checked and not yet written.
    pending: String,
    arguments: Arguments,
}

impl Call {
    pub(crate) fn new(index: Option<u32>) -> Self {
        Self {
            index,
            id: String::new(),
            name: String::new(),
            pending: String::new(),
            arguments: Arguments::default(),
        }
    }

    /// Takes a delta. Some vendors repeat id and name in every delta, some send them empty.
    pub(crate) fn more(&mut self, delta: &ToolCallDelta) {
        for (known, new) in [(&mut self.id, &delta.id), (&mut self.name, &delta.name)] {
            if let Some(new) = new.as_ref().filter(|_| known.is_empty()) {
                known.clone_from(new);
            }
        }
        self.pending.push_str(self.arguments.accept(&delta.arguments));
    }

    /// The same for a delta that somebody else has written.
    pub(crate) fn follow(&mut self, delta: &ToolCallDelta) {
        self.more(delta);
        self.pending.clear();
    }
}

impl Block {
    /// A text or thought that somebody else has opened.
    pub(crate) const fn text() -> Self {
        Self::Text {
            pending: String::new(),
            citations: Vec::new(),
            refusal: false,
            sealed: false,
        }
    }

    /// Whether enough is known of it. `waits`: something comes after it.
    pub(super) fn may_open(&self, waits: bool, end: bool) -> bool {
        match self {
            Self::Call(call) => {
                let named = !call.id.is_empty() || !call.arguments.are_empty() || waits;
                end || call.index.is_none() || (!call.name.is_empty() && named)
            }
            _ => true,
        }
    }

    /// Whether nothing more can belong to it.
    pub(super) fn may_close(&self, waits: bool, end: bool) -> bool {
        match self {
            Self::Text { sealed, .. } => *sealed || waits,
            Self::Thought { signature, .. } => signature.is_some() || waits,
            Self::Call(call) => end || call.index.is_none() || call.arguments.are_over(),
            Self::Whole(_) => true,
            Self::Foreign => waits,
        }
    }

    /// Its JSON in `content_block_start`.
    pub(super) fn start(&self, answer: &str, number: u32) -> String {
        let block = match self {
            Self::Whole(block) => return block.clone(),
            Self::Foreign => return String::from("{}"),
            Self::Text { .. } => write_object(|block| {
                block.field("type", "text");
                block.field("text", "");
                Ok(())
            }),
            Self::Thought { .. } => write_object(|block| {
                block.field("type", "thinking");
                block.field("thinking", "");
                block.field("signature", "");
                Ok(())
            }),
            Self::Call(call) => write_object(|block| {
                block.field("type", "tool_use");
                block.field("id", call_id(&call.id, answer, number));
                block.field("name", &call.name);
                block.raw("input", "{}");
                Ok(())
            }),
        };
        // What is written here is JSON, which is UTF-8.
        String::from_utf8(block.unwrap_or_default()).unwrap_or_default()
    }

    /// Writes what has come.
    pub(super) fn write_pending(&mut self, writer: &mut Writer, index: u32) {
        let (kind, name, pending) = match self {
            Self::Text { pending, .. } => ("text_delta", "text", pending),
            Self::Thought { pending, .. } => ("thinking_delta", "thinking", pending),
            Self::Call(call) => ("input_json_delta", "partial_json", &mut call.pending),
            Self::Whole(_) | Self::Foreign => return,
        };
        if !pending.is_empty() {
            writer.block_delta(index, kind, name, pending);
            pending.clear();
        }
    }

    /// Writes what comes last.
    pub(super) fn write_end(&self, writer: &mut Writer, index: u32) {
        match self {
            Self::Text { citations, .. } => citations
                .iter()
                .for_each(|citation| writer.citation(index, citation.get())),
            Self::Thought {
                signature: Some(signature),
                ..
            } => writer.block_delta(index, "signature_delta", "signature", signature),
            // An empty text is not JSON, and some clients parse it.
            Self::Call(call) if call.arguments.are_empty() => {
                writer.block_delta(index, "input_json_delta", "partial_json", "{}");
            }
            _ => {}
        }
    }
}
