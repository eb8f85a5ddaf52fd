use bytes::{Bytes, BytesMut};
use edge_ai_core::{ChatStart, Extra, RawJson, ReasoningDelta, ReasoningPart, Result, Usage};

use crate::citation::ANNOTATIONS;
use crate::openai::params::own;
use crate::openai::usage::write_usage;
use crate::openai::{CHAT, Head, thinking};
use crate::wire::{ObjectWriter, shown_id, write_object};

/// Writes chunks.
#[derive(Debug)]
pub(super) struct Writer {
    head: Head,
    /// What the answer says of itself beside id and model, such as `system_fingerprint`.
    extra: Extra,
    /// The fields before `choices`, the same in every chunk. Written with the first one.
    prefix: Vec<u8>,
    pub(super) include_usage: bool,
    out: BytesMut,
}

impl Writer {
    pub(super) fn new(head: Head, include_usage: bool) -> Self {
        Self {
            head,
            extra: Extra::default(),
            prefix: Vec::new(),
            include_usage,
            out: BytesMut::new(),
        }
    }

    /// Takes the answer's own head, where it has one.
    pub(super) fn set_head(&mut self, start: &ChatStart) {
        self.head.id = shown_id("chatcmpl-", &start.id, &self.head.id);
        if !start.model.is_empty() {
            self.head.model.clone_from(&start.model);
        }
        self.extra.clone_from(&start.extra);
        self.prefix.clear();
    }

    /// Takes what the answer says of itself later; the chunks from here on say it.
    pub(super) fn add_to_head(&mut self, extra: &Extra) {
        self.extra.extend(extra.clone());
        self.prefix.clear();
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    pub(super) fn role(&mut self) {
        self.delta(|delta| {
            delta.field("role", "assistant");
            delta.field("content", "");
            delta.raw("refusal", "null");
            Ok(())
        });
    }

    pub(super) fn text(&mut self, field: &str, text: &str) {
        self.delta(|delta| {
            delta.field(field, text);
            Ok(())
        });
    }

    /// A thought with its signature, or one that only the vendor can read.
    pub(super) fn thought(&mut self, text: String, end: &ReasoningDelta) {
        let part = match &end.redacted {
            Some(data) => ReasoningPart::redacted(data.as_str()),
            None => ReasoningPart::new(text, end.signature.clone()),
        };
        self.delta(|delta| delta.array(thinking::BLOCKS, |array| thinking::write_block(array, &part)));
    }

    pub(super) fn call_start(&mut self, number: usize, id: &str, name: &str, arguments: &str, extra: &Extra) {
        self.call(|call| {
            call.field("index", number);
            call.field("id", id);
            call.field("type", "function");
            call.object("function", |function| {
                function.field("name", name);
                function.field("arguments", arguments);
                Ok(())
            })?;
            own(extra, "function").for_each(|(name, value)| call.raw(name, value.get()));
            Ok(())
        });
    }

    pub(super) fn call_more(&mut self, number: usize, name: Option<&str>, arguments: &str, extra: &Extra) {
        self.call(|call| {
            call.field("index", number);
            call.object("function", |function| {
                function.optional("name", name);
                function.field("arguments", arguments);
                Ok(())
            })?;
            own(extra, "function").for_each(|(name, value)| call.raw(name, value.get()));
            Ok(())
        });
    }

    pub(super) fn fields(&mut self, extra: &Extra) {
        self.delta(|delta| {
            delta.extra(extra, &CHAT);
            Ok(())
        });
    }

    pub(super) fn annotations(&mut self, annotations: &[RawJson]) {
        self.delta(|delta| {
            delta.field(ANNOTATIONS, annotations);
            Ok(())
        });
    }

    pub(super) fn finish(&mut self, reason: &str) {
        self.chunk(|chunk| {
            chunk.array("choices", |choices| {
                choices.object(|choice| {
                    choice.field("index", 0);
                    choice.raw("delta", "{}");
                    choice.raw("logprobs", "null");
                    choice.field("finish_reason", reason);
                    Ok(())
                })
            })?;
            Ok(())
        });
    }

    /// The chunk of usage, if the client asked for it and the vendor told.
    pub(super) fn usage(&mut self, usage: Option<&Usage>) {
        let Some(usage) = usage.filter(|_| self.include_usage) else {
            return;
        };
        // The other chunks say that theirs is not it.
        self.include_usage = false;
        self.chunk(|chunk| {
            chunk.raw("choices", "[]");
            chunk.object("usage", |object| write_usage(object, usage))
        });
        self.include_usage = true;
    }

    pub(super) fn done(&mut self) {
        self.out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn call(&mut self, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) {
        self.delta(|delta| delta.array("tool_calls", |calls| calls.object(fields)));
    }

    fn delta(&mut self, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) {
        self.chunk(|chunk| {
            chunk.array("choices", |choices| {
                choices.object(|choice| {
                    choice.field("index", 0);
                    choice.object("delta", fields)?;
                    choice.raw("logprobs", "null");
                    choice.raw("finish_reason", "null");
                    Ok(())
                })
            })
        });
    }

    fn chunk(&mut self, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) {
        if self.prefix.is_empty() {
            self.prefix = write_object(|object| self.write_head(object)).unwrap_or_default();
            self.prefix.pop();
            self.prefix.push(b',');
        }
        let include_usage = self.include_usage;
        // Nothing that is written here fails.
        let rest = write_object(|object| {
            fields(object)?;
            if include_usage {
                object.raw("usage", "null");
            }
            Ok(())
        });
        let rest = rest.unwrap_or_default();
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(&self.prefix);
        self.out
            .extend_from_slice(rest.strip_prefix(b"{").unwrap_or(&rest));
        self.out.extend_from_slice(b"\n\n");
    }

    fn write_head(&self, object: &mut ObjectWriter<'_>) -> Result<()> {
        object.field("id", &self.head.id);
        object.field("object", "chat.completion.chunk");
        if self.extra.get(&CHAT, "created").is_none() {
            object.field("created", self.head.created);
        }
        object.field("model", &self.head.model);
        object.extra(&self.extra, &CHAT);
        Ok(())
    }
}
