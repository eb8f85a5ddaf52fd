use std::collections::BTreeMap;

use edge_ai_core::ChatEvent;

use super::RunEvent;
use super::state::CallIds;

/// Turns a model's stream into the events of a step.
#[derive(Clone, Debug)]
pub struct StepDeltas {
    step: u32,
    ids: CallIds,
    open: Open,
    count: u32,
    calls: BTreeMap<u32, Option<String>>,
}

#[derive(Clone, Debug)]
enum Open {
    Nothing,
    Text(String),
    Reasoning(String),
}

impl StepDeltas {
    pub(super) const fn new(step: u32, ids: CallIds) -> Self {
        Self {
            step,
            ids,
            open: Open::Nothing,
            count: 0,
            calls: BTreeMap::new(),
        }
    }

    /// Takes the stream's next event.
    pub fn push(&mut self, event: &ChatEvent, out: &mut Vec<RunEvent>) {
        match event {
            ChatEvent::Text(text) | ChatEvent::Refusal(text) if !text.is_empty() => {
                if !matches!(self.open, Open::Text(_)) {
                    self.close(out);
                    self.open = Open::Text(self.next_id());
                }
                if let Open::Text(id) = &self.open {
                    out.push(RunEvent::Text {
                        id: id.clone(),
                        delta: text.clone(),
                    });
                }
            }
            ChatEvent::Reasoning(delta) if delta.redacted.is_none() => {
                if !delta.text.is_empty() {
                    if !matches!(self.open, Open::Reasoning(_)) {
                        self.close(out);
                        self.open = Open::Reasoning(self.next_id());
                    }
                    if let Open::Reasoning(id) = &self.open {
                        out.push(RunEvent::Reasoning {
                            id: id.clone(),
                            delta: delta.text.clone(),
                        });
                    }
                }
                if let (Some(signature), Open::Reasoning(id)) = (&delta.signature, &self.open) {
                    let signature = Some(signature.clone());
                    out.push(RunEvent::ReasoningEnded {
                        id: id.clone(),
                        signature,
                    });
                    self.open = Open::Nothing;
                }
            }
            ChatEvent::ToolCall(delta) => {
                self.close(out);
                let known = self.calls.entry(delta.index).or_insert(None);
                // A vendor may name a call after its first delta; what came before is in the whole call.
                if let (None, Some(tool)) = (&known, delta.name.as_ref().filter(|name| !name.is_empty())) {
                    let call = self.ids.take(delta.id.as_deref().unwrap_or_default());
                    out.push(RunEvent::ToolInputStarted {
                        call: call.clone(),
                        tool: tool.clone(),
                    });
                    *known = Some(call);
                }
                if let (Some(call), false) = (known, delta.arguments.is_empty()) {
                    out.push(RunEvent::ToolInput {
                        call: call.clone(),
                        delta: delta.arguments.clone(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Ends what is open.
    pub fn close(&mut self, out: &mut Vec<RunEvent>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Text(id) => out.push(RunEvent::TextEnded { id }),
            Open::Reasoning(id) => out.push(RunEvent::ReasoningEnded { id, signature: None }),
        }
    }

    fn next_id(&mut self) -> String {
        self.count += 1;
        format!("{}.{}", self.step, self.count)
    }
}
