use bytes::{Bytes, BytesMut};
use edge_ai_core::Result;

use crate::wire::{Fields, ObjectWriter, Path, write_object};

/// Writes events, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: BytesMut,
    next: u64,
}

impl Writer {
    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    /// Numbers the next event `next`.
    pub(super) const fn go_on(&mut self, next: u64) {
        self.next = next;
    }

    /// An event with its own fields after its type and number.
    pub(super) fn event(&mut self, kind: &str, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        // Nothing that is written here fails.
        let data = write_object(|event| {
            event.field("type", kind);
            event.field("sequence_number", number);
            fields(event)
        })
        .unwrap_or_default();
        for piece in [b"event: ", kind.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
            self.out.extend_from_slice(piece);
        }
    }

    /// An event about a whole item.
    pub(super) fn item(&mut self, kind: &str, index: usize, item: &[u8]) {
        self.event(kind, |event| {
            event.field("output_index", index);
            event.json("item", item);
            Ok(())
        });
    }

    /// An error, in the two shapes that clients look for: `message` and `code` of the event itself, and of an `error` in it.
    pub(super) fn error(&mut self, body: &[u8]) {
        let error = std::str::from_utf8(body)
            .ok()
            .and_then(|body| Fields::parse(body, Path::ROOT).ok()?.take_raw("error"))
            .filter(|error| error.starts_with('{'))
            .unwrap_or("{}")
            // A body of several lines is one line of data.
            .replace(['\r', '\n'], " ");
        self.event("error", |event| {
            let mut fields = Fields::parse(&error, Path::ROOT)?;
            for name in ["code", "message", "param"] {
                event.raw(name, fields.take_raw(name).unwrap_or("null"));
            }
            event.raw("error", &error);
            Ok(())
        });
    }
}
