//! A stream in the dialect itself: its bytes go through, and the encoder keeps track of what they say, so that it can go on by itself.

use edge_ai_core::ChatEvent;

use super::blocks::{Block, Call};
use super::{MessagesStreamEncoder, Progress};
use crate::wire::{Fields, Path};

impl MessagesStreamEncoder {
    /// Keeps track of a frame that goes out as it is.
    pub(super) fn follow(&mut self, native: &[u8], events: &[ChatEvent]) {
        for event in events {
            self.note(event);
            let progress = match event {
                ChatEvent::Start(_) => Progress::Started,
                ChatEvent::Finish(_) => Progress::Stopping,
                ChatEvent::Done => Progress::Ended,
                _ => continue,
            };
            self.progress = self.progress.max(progress);
        }
        match Step::read(native) {
            Some(Step::Opens { index, kind }) => self.blocks.adopt(index, block(&kind, events)),
            Some(Step::Closes) => self.blocks.close(),
            None => {
                if let Some(Block::Call(call)) = self.blocks.adopted() {
                    deltas(events).for_each(|delta| call.follow(delta));
                }
            }
        }
    }

    /// Whether a frame belongs to an open block that only its vendor can go on with.
    pub(super) fn is_of_foreign_block(&self, native: &[u8], events: &[ChatEvent]) -> bool {
        self.blocks.is_foreign()
            && match Step::read(native) {
                Some(Step::Closes) => true,
                Some(Step::Opens { .. }) => false,
                None => events.is_empty(),
            }
    }
}

fn deltas(events: &[ChatEvent]) -> impl Iterator<Item = &edge_ai_core::ToolCallDelta> {
    events.iter().filter_map(|event| match event {
        ChatEvent::ToolCall(delta) => Some(delta),
        _ => None,
    })
}

fn block(kind: &str, events: &[ChatEvent]) -> Block {
    match kind {
        "text" => Block::text(),
        "thinking" => Block::Thought {
            pending: String::new(),
            signature: None,
        },
        "tool_use" => {
            let mut call = Call::new(deltas(events).next().map(|delta| delta.index));
            deltas(events).for_each(|delta| call.follow(delta));
            Block::Call(call)
        }
        _ => Block::Foreign,
    }
}

/// What a frame does to the blocks.
enum Step {
    Opens { index: u32, kind: String },
    Closes,
}

impl Step {
    fn read(native: &[u8]) -> Option<Self> {
        // Nearly all frames are these.
        if native.starts_with(b"event: content_block_delta") {
            return None;
        }
        let text = std::str::from_utf8(native).ok()?;
        let data = text.lines().find_map(|line| line.strip_prefix("data:"))?;
        let mut fields = Fields::parse(data, Path::ROOT).ok()?;
        match fields.peek::<&str>("type")? {
            "content_block_stop" => Some(Self::Closes),
            "content_block_start" => {
                let block = Fields::parse(fields.take_raw("content_block")?, Path::ROOT).ok()?;
                Some(Self::Opens {
                    index: fields.peek("index")?,
                    kind: block.peek("type")?,
                })
            }
            _ => None,
        }
    }
}
