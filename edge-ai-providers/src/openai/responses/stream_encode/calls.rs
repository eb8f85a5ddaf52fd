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
    /// The item's place and name; `None` until the function's name is known.
    item: Option<(usize, String)>,
    call: ToolCall,
    /// Its arguments are out up to here.
    written: usize,
    closed: bool,
}

impl Calls {
    /// Whether the item of a call has begun.
    pub(super) fn has_begun(&self, number: u32) -> bool {
        self.0.get(&number).is_some_and(|call| call.item.is_some())
    }

    /// More of a call.
    pub(super) fn push(&mut self, items: &mut Items, writer: &mut Writer, delta: &ToolCallDelta) {
        let call = self.0.entry(delta.index).or_insert_with(|| Call::new(delta));
        if call.closed {
            return;
        }
        for (known, new) in [(&mut call.call.id, &delta.id), (&mut call.call.name, &delta.name)] {
            if let (Some(new), true) = (new, known.is_empty()) {
                known.clone_from(new);
            }
        }
        call.call.extra.extend(delta.extra.clone());
        call.call.arguments.push_str(&delta.arguments);
        if !call.call.name.is_empty() {
            call.write(items, writer);
        }
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
        for call in self
            .0
            .values_mut()
            .filter(|call| !call.closed && call.item.is_some())
        {
            if serde_json::from_str::<IgnoredAny>(&call.call.arguments).is_ok() {
                call.close(items, writer, "completed");
            }
        }
    }

    /// Closes all.
    pub(super) fn end(&mut self, items: &mut Items, writer: &mut Writer, status: &str) {
        for call in self.0.values_mut().filter(|call| !call.closed) {
            // An empty text is not JSON, and clients parse it.
            if call.call.arguments.trim().is_empty() {
                call.call.arguments.push_str("{}");
            }
            call.write(items, writer);
            call.close(items, writer, status);
        }
    }
}

impl Call {
    fn new(delta: &ToolCallDelta) -> Self {
        let id = delta.id.as_deref().unwrap_or_default();
        let name = delta.name.as_deref().unwrap_or_default();
        Self {
            item: None,
            call: ToolCall::new(id, name, ""),
            written: 0,
            closed: false,
        }
    }

    /// Begins the item if it has not begun, and writes what is new of its arguments.
    fn write(&mut self, items: &mut Items, writer: &mut Writer) {
        let call = &mut self.call;
        let (index, id) = self.item.get_or_insert_with(|| {
            let index = items.begin();
            let id = items.ids.item("fc", index);
            call.id = items.ids.call(&call.id, index);
            let begun = ToolCall::new(call.id.as_str(), call.name.as_str(), "");
            let item = answer::call(&id, "in_progress", &call.id, &begun);
            writer.item("response.output_item.added", index, &item);
            (index, id)
        });
        let new = call.arguments.get(self.written..).unwrap_or_default();
        if !new.is_empty() {
            writer.event("response.function_call_arguments.delta", |event| {
                event.field("item_id", &*id);
                event.field("output_index", *index);
                event.field("delta", new);
                Ok(())
            });
        }
        self.written = call.arguments.len();
    }

    fn close(&mut self, items: &mut Items, writer: &mut Writer, status: &str) {
        self.closed = true;
        let Some((index, id)) = &self.item else { return };
        writer.event("response.function_call_arguments.done", |event| {
            event.field("item_id", id);
            event.field("output_index", *index);
            event.field("name", &self.call.name);
            event.field("arguments", &self.call.arguments);
            Ok(())
        });
        let item = answer::call(id, status, &self.call.id, &self.call);
        items.end(writer, *index, item);
    }
}
