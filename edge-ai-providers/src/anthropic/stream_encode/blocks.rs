mod block;

use std::collections::{BTreeSet, VecDeque};

use edge_ai_core::{ContentPart, ReasoningDelta, ReasoningPart, TextPart, ToolCallDelta};

pub(super) use self::block::{Block, Call};
use super::super::MESSAGES;
use super::super::response_encode::is_own_block;
use super::writer::Writer;
use crate::citation::{alone, as_messages};
use crate::wire::write_object;

/// The message's blocks: the first one may be open, the others wait for it to close.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    queue: VecDeque<Block>,
    open: bool,
    /// The index of the first one.
    index: u32,
    /// The calls whose blocks are closed. More of them can only be white space, or not JSON.
    closed: BTreeSet<u32>,
    /// The message's id, from which calls without one get theirs.
    answer: String,
}

impl Blocks {
    pub(super) fn set_answer(&mut self, id: &str) {
        id.clone_into(&mut self.answer);
    }

    /// More text. What the model says when it declines is a text of its own.
    pub(super) fn text(&mut self, more: &str, refusal: bool) {
        if more.is_empty() {
            return;
        }
        match self.queue.back_mut() {
            Some(Block::Text {
                pending,
                citations,
                refusal: same,
                sealed: false,
            }) if *same == refusal && citations.is_empty() => pending.push_str(more),
            _ => self.queue.push_back(Block::Text {
                pending: more.to_owned(),
                citations: Vec::new(),
                refusal,
                sealed: false,
            }),
        }
    }

    /// More thought. A signature closes it.
    pub(super) fn reasoning(&mut self, delta: &ReasoningDelta) {
        if let Some(data) = &delta.redacted {
            let block = write_object(|block| {
                block.field("type", "redacted_thinking");
                block.field("data", data);
                Ok(())
            });
            self.whole(block);
            return;
        }
        match self.queue.back_mut() {
            Some(Block::Thought {
                pending,
                signature: signature @ None,
            }) => {
                pending.push_str(&delta.text);
                signature.clone_from(&delta.signature);
            }
            _ if delta.text.is_empty() && delta.signature.is_none() => {}
            _ => self.queue.push_back(Block::Thought {
                pending: delta.text.clone(),
                signature: delta.signature.clone(),
            }),
        }
    }

    /// More of a call, which may wait behind others.
    pub(super) fn call(&mut self, delta: &ToolCallDelta) {
        if self.closed.contains(&delta.index) {
            return;
        }
        let known = self.queue.iter_mut().find_map(|block| match block {
            Block::Call(call) if call.index == Some(delta.index) => Some(call),
            _ => None,
        });
        match known {
            Some(call) => call.more(delta),
            None => {
                let mut call = Call::new(Some(delta.index));
                call.more(delta);
                self.queue.push_back(Block::Call(call));
            }
        }
    }

    /// A part that arrives whole.
    pub(super) fn part(&mut self, part: &ContentPart) {
        match part {
            ContentPart::Text(part) => self.text_part(part),
            ContentPart::Other(extra) if alone(part).is_some() => {
                self.text_part(&TextPart::new("", extra.clone()));
            }
            ContentPart::Refusal(text) => self.text(text, true),
            ContentPart::Reasoning(ReasoningPart {
                text,
                signature,
                redacted,
                ..
            }) => {
                let mut delta = ReasoningDelta::text(text.as_str());
                delta.signature.clone_from(signature);
                delta.redacted.clone_from(redacted);
                self.reasoning(&delta);
            }
            ContentPart::ToolCall(call) => {
                let mut whole = Call::new(None);
                let mut delta = ToolCallDelta::start(0, call.id.as_str(), call.name.as_str());
                delta.arguments.clone_from(&call.arguments);
                whole.more(&delta);
                self.queue.push_back(Block::Call(whole));
            }
            ContentPart::Other(extra) if is_own_block(part) => {
                let block = write_object(|block| {
                    block.extra(extra, &MESSAGES);
                    Ok(())
                });
                self.whole(block);
            }
            _ => {}
        }
    }

    /// Writes what can be written; at the `end`, all of it.
    pub(super) fn write(&mut self, writer: &mut Writer, end: bool) {
        loop {
            let waits = end || self.queue.len() > 1;
            let Some(block) = self.queue.front_mut() else {
                return;
            };
            if !self.open {
                if !block.may_open(waits, end) {
                    return;
                }
                writer.block_start(self.index, &block.start(&self.answer, self.index));
                self.open = true;
            }
            block.write_pending(writer, self.index);
            if !block.may_close(waits, end) {
                return;
            }
            block.write_end(writer, self.index);
            writer.block_stop(self.index);
            self.close();
        }
    }

    /// A block that somebody else has opened under `index`.
    pub(super) fn adopt(&mut self, index: u32, block: Block) {
        self.queue.clear();
        self.queue.push_back(block);
        self.index = index;
        self.open = true;
    }

    /// The first block, whose deltas somebody else writes.
    pub(super) fn adopted(&mut self) -> Option<&mut Block> {
        self.queue.front_mut()
    }

    /// Whether the open block is one that only somebody else can go on with.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.queue.front(), Some(Block::Foreign))
    }

    /// The first block is closed.
    pub(super) fn close(&mut self) {
        if let Some(Block::Call(Call {
            index: Some(index), ..
        })) = self.queue.pop_front()
        {
            self.closed.insert(index);
        }
        self.index = self.index.saturating_add(1);
        self.open = false;
    }

    /// A text with citations. In streams they come after it, as an empty text.
    fn text_part(&mut self, part: &TextPart) {
        let cited = as_messages(&part.extra);
        if cited.is_empty() {
            self.text(&part.text, false);
            return;
        }
        match self.queue.back_mut() {
            Some(Block::Text {
                citations,
                refusal: false,
                sealed: sealed @ false,
                ..
            }) if part.text.is_empty() => {
                citations.extend(cited);
                *sealed = true;
            }
            // Another vendor's, and nothing that they could belong to is open any more.
            _ if part.text.is_empty() && part.extra.get(&MESSAGES, "citations").is_none() => {}
            _ => self.queue.push_back(Block::Text {
                pending: part.text.clone(),
                citations: cited,
                refusal: false,
                sealed: true,
            }),
        }
    }

    fn whole(&mut self, block: edge_ai_core::Result<Vec<u8>>) {
        let block = block.ok().and_then(|block| String::from_utf8(block).ok());
        self.queue.extend(block.map(Block::Whole));
    }
}
