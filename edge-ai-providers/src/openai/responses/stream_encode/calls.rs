use std::collections::BTreeMap;

use edge_ai_core::{ToolCall, ToolCallDelta};
use serde::de::IgnoredAny;

use super::Items;
use super::writer::Writer;
use crate::openai::responses::answer;

/// The calls of an answer by their numbers in the stream.
#[derive(Debug, Default)]
pub(super) struct Calls(BTreeMap<u32, Call>);

#[derive(Debug)]
struct Call {
    /// The item's place and name.
    index: usize,
    id: String,
    call: ToolCall,
    open: bool,
}

impl Calls {
    /// Whether a call has begun.
    pub(super) fn knows(&self, number: u32) -> bool {
        self.0.contains_key(&number)
    }

    /// More of a call.
    pub(super) fn push(&mut self, items: &mut Items, writer: &mut Writer, delta: &ToolCallDelta) {
        let call = self
            .0
            .entry(delta.index)
            .or_insert_with(|| Call::begin(items, writer, delta));
        if !call.open {
            return;
        }
        if let (Some(name), true) = (&delta.name, call.call.name.is_empty()) {
            call.call.name.clone_from(name);
        }
        if call.call.extra.is_empty() {
            call.call.extra = delta.extra.clone();
        } else {
            call.call.extra.extend(delta.extra.clone());
        }
        call.more(writer, &delta.arguments);
    }

    /// A call that arrives whole.
    pub(super) fn push_whole(&mut self, items: &mut Items, writer: &mut Writer, call: &ToolCall) {
        let number = self.0.keys().next_back().map_or(0, |last| last.saturating_add(1));
        let mut delta = ToolCallDelta::start(number, call.id.as_str(), call.name.as_str());
        call.arguments_json().clone_into(&mut delta.arguments);
        delta.extra = call.extra.clone();
        self.push(items, writer, &delta);
    }

    /// Closes those whose arguments are whole.
    pub(super) fn settle(&mut self, items: &mut Items, writer: &mut Writer) {
        for call in self.0.values_mut().filter(|call| call.open) {
            if serde_json::from_str::<IgnoredAny>(&call.call.arguments).is_ok() {
                call.close(items, writer, "completed");
            }
        }
    }

    /// Closes all.
    pub(super) fn end(&mut self, items: &mut Items, writer: &mut Writer, status: &str) {
        for call in self.0.values_mut().filter(|call| call.open) {
            // An empty text is not JSON, and clients parse it.
            if call.call.arguments.trim().is_empty() {
                call.more(writer, "{}");
            }
            call.close(items, writer, status);
        }
    }
}

impl Call {
    fn begin(items: &mut Items, writer: &mut Writer, delta: &ToolCallDelta) -> Self {
        let index = items.begin();
        let id = items.ids.item("fc", index);
        let call_id = items.ids.call(delta.id.as_deref().unwrap_or_default(), index);
        let name = delta.name.as_deref().unwrap_or_default();
        let call = ToolCall::new(call_id, name, "");
        writer.item(
            "response.output_item.added",
            index,
            &answer::call(&id, "in_progress", &call.id, &call),
        );
        Self {
            index,
            id,
            call,
            open: true,
        }
    }

    fn more(&mut self, writer: &mut Writer, arguments: &str) {
        if arguments.is_empty() {
            return;
        }
        self.call.arguments.push_str(arguments);
        writer.event("response.function_call_arguments.delta", |event| {
            event.field("item_id", &self.id);
            event.field("output_index", self.index);
            event.field("delta", arguments);
            Ok(())
        });
    }

    fn close(&mut self, items: &mut Items, writer: &mut Writer, status: &str) {
        self.open = false;
        writer.event("response.function_call_arguments.done", |event| {
            event.field("item_id", &self.id);
            event.field("output_index", self.index);
            event.field("name", &self.call.name);
            event.field("arguments", &self.call.arguments);
            Ok(())
        });
        items.end(
            writer,
            self.index,
            answer::call(&self.id, status, &self.call.id, &self.call),
        );
    }
}
