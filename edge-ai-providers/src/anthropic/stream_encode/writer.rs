use bytes::Bytes;
use edge_ai_core::{Result, Usage};

use super::super::usage_encode::write_usage;
use crate::openai::Head;
use crate::wire::{ObjectWriter, write_object};

/// Writes the events of the dialect, each with its name and its data.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// What has been written.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0).into()
    }

    pub(super) fn message_start(&mut self, head: &Head, usage: Option<&Usage>) {
        let unknown = Usage::default();
        self.event("message_start", |event| {
            event.object("message", |message| {
                message.field("id", &head.id);
                message.field("type", "message");
                message.field("role", "assistant");
                message.field("model", &head.model);
                message.raw("content", "[]");
                message.raw("stop_reason", "null");
                message.raw("stop_sequence", "null");
                message.object("usage", |object| write_usage(object, usage.unwrap_or(&unknown)))
            })
        });
    }

    /// A block whose JSON is `block` opens.
    pub(super) fn block_start(&mut self, index: u32, block: &str) {
        self.event("content_block_start", |event| {
            event.field("index", index);
            event.raw("content_block", block);
            Ok(())
        });
    }

    /// More of a block: the `kind` of delta, and its one field.
    pub(super) fn block_delta(&mut self, index: u32, kind: &str, name: &str, text: &str) {
        self.delta(index, kind, |delta| delta.field(name, text));
    }

    /// A citation of a text, as its JSON.
    pub(super) fn citation(&mut self, index: u32, citation: &str) {
        self.delta(index, "citations_delta", |delta| delta.raw("citation", citation));
    }

    pub(super) fn block_stop(&mut self, index: u32) {
        self.event("content_block_stop", |event| {
            event.field("index", index);
            Ok(())
        });
    }

    pub(super) fn message_delta(&mut self, stop_reason: &str, usage: Option<&Usage>) {
        let unknown = Usage::default();
        self.event("message_delta", |event| {
            event.object("delta", |delta| {
                delta.field("stop_reason", stop_reason);
                delta.raw("stop_sequence", "null");
                Ok(())
            })?;
            event.object("usage", |object| write_usage(object, usage.unwrap_or(&unknown)))
        });
    }

    pub(super) fn message_stop(&mut self) {
        self.event("message_stop", |_| Ok(()));
    }

    /// An error as its body. A body of several lines is data of several lines.
    pub(super) fn error(&mut self, body: &[u8]) {
        self.0.extend_from_slice(b"event: error\n");
        let lines = body.split(|byte| matches!(byte, b'\n' | b'\r'));
        for line in lines.filter(|line| !line.is_empty()) {
            self.0.extend_from_slice(b"data: ");
            self.0.extend_from_slice(line);
            self.0.push(b'\n');
        }
        self.0.push(b'\n');
    }

    fn delta(&mut self, index: u32, kind: &str, field: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.event("content_block_delta", |event| {
            event.field("index", index);
            event.object("delta", |delta| {
                delta.field("type", kind);
                field(delta);
                Ok(())
            })
        });
    }

    fn event(&mut self, name: &str, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) {
        let data = write_object(|object| {
            object.field("type", name);
            fields(object)
        });
        // Nothing that is written here fails.
        let Ok(data) = data else { return };
        self.0.extend_from_slice(b"event: ");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\ndata: ");
        self.0.extend_from_slice(&data);
        self.0.extend_from_slice(b"\n\n");
    }
}
