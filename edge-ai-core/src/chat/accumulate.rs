use std::collections::BTreeMap;

use super::{
    ChatEvent, ChatOutput, ContentPart, FinishReason, ReasoningDelta, ReasoningPart, ToolCall, ToolCallDelta,
};

/// Puts the events of a stream together to the answer they make.
///
/// ```
/// use edge_ai_core::{ChatAccumulator, ChatEvent};
///
/// let mut accumulator = ChatAccumulator::default();
/// for event in [ChatEvent::Text("Par".into()), ChatEvent::Text("is".into()), ChatEvent::Done] {
///     accumulator.push(event);
/// }
/// assert!(accumulator.is_complete());
/// assert_eq!(accumulator.finish().text(), "Paris");
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChatAccumulator {
    output: ChatOutput,
    /// Where the call of an index stands in the content.
    calls: BTreeMap<u32, usize>,
    finish: Option<FinishReason>,
    complete: bool,
}

impl ChatAccumulator {
    /// Takes the next event.
    pub fn push(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Start(start) => {
                self.output.id = start.id;
                self.output.model = start.model;
                self.output.extra = start.extra;
            }
            ChatEvent::Text(text) => match self.output.content.last_mut() {
                Some(ContentPart::Text(part)) if part.extra.is_empty() => part.text.push_str(&text),
                _ if text.is_empty() => {}
                _ => self.output.content.push(ContentPart::text(text)),
            },
            ChatEvent::Refusal(text) => match self.output.content.last_mut() {
                Some(ContentPart::Refusal(refusal)) => refusal.push_str(&text),
                _ => self.output.content.push(ContentPart::Refusal(text)),
            },
            ChatEvent::Reasoning(delta) => self.push_reasoning(delta),
            ChatEvent::ToolCall(delta) => self.push_call(delta),
            ChatEvent::Part(part) => self.output.content.push(part),
            ChatEvent::Finish(reason) => self.finish = Some(reason),
            ChatEvent::Usage(usage) => self.output.usage = Some(usage),
            ChatEvent::Done => self.complete = true,
        }
    }

    /// Whether the end mark has come.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// What has come so far.
    pub fn output(&self) -> &ChatOutput {
        &self.output
    }

    /// The answer. Where the vendor gave no reason to stop, calls mean that it waits for their results.
    pub fn finish(mut self) -> ChatOutput {
        self.output.finish_reason = match self.finish {
            Some(reason) => reason,
            None if self.calls.is_empty() => FinishReason::Stop,
            None => FinishReason::ToolCalls,
        };
        self.output
    }

    fn push_reasoning(&mut self, delta: ReasoningDelta) {
        if let Some(data) = delta.redacted {
            self.output
                .content
                .push(ContentPart::Reasoning(ReasoningPart::redacted(data)));
            return;
        }
        match self.output.content.last_mut() {
            // A signature closes a thought.
            Some(ContentPart::Reasoning(part)) if part.signature.is_none() && part.redacted.is_none() => {
                part.text.push_str(&delta.text);
                part.signature = delta.signature;
            }
            _ if delta.text.is_empty() && delta.signature.is_none() => {}
            _ => self
                .output
                .content
                .push(ContentPart::Reasoning(ReasoningPart::new(
                    delta.text,
                    delta.signature,
                ))),
        }
    }

    fn push_call(&mut self, delta: ToolCallDelta) {
        let at = *self.calls.entry(delta.index).or_insert_with(|| {
            self.output
                .content
                .push(ContentPart::ToolCall(ToolCall::new("", "", "")));
            self.output.content.len() - 1
        });
        if let Some(ContentPart::ToolCall(call)) = self.output.content.get_mut(at) {
            // Some vendors repeat id and name in every delta, some send them empty.
            if let Some(id) = delta.id.filter(|_| call.id.is_empty()) {
                call.id = id;
            }
            if let Some(name) = delta.name.filter(|_| call.name.is_empty()) {
                call.name = name;
            }
            call.arguments.push_str(&delta.arguments);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accumulate(events: Vec<ChatEvent>) -> ChatOutput {
        let mut accumulator = ChatAccumulator::default();
        events.into_iter().for_each(|event| accumulator.push(event));
        accumulator.finish()
    }

    #[test]
    fn interleaved_calls_stay_apart() {
        let output = accumulate(vec![
            ChatEvent::ToolCall(ToolCallDelta::start(0, "1", "f")),
            ChatEvent::ToolCall(ToolCallDelta::start(1, "2", "g")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(0, "{\"a\"")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(1, "{}")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(0, ":1}")),
        ]);
        let calls: Vec<_> = output.tool_calls().cloned().collect();
        assert_eq!(
            calls,
            [
                ToolCall::new("1", "f", "{\"a\":1}"),
                ToolCall::new("2", "g", "{}")
            ]
        );
        assert_eq!(output.finish_reason, FinishReason::ToolCalls);
    }

    #[test]
    fn a_signature_closes_a_thought() {
        let output = accumulate(vec![
            ChatEvent::Reasoning(ReasoningDelta::text("a")),
            ChatEvent::Reasoning(ReasoningDelta::text("b")),
            ChatEvent::Reasoning(ReasoningDelta::signature("s")),
            ChatEvent::Reasoning(ReasoningDelta::text("c")),
            ChatEvent::Reasoning(ReasoningDelta::redacted("x")),
        ]);
        assert_eq!(
            output.content,
            [
                ContentPart::Reasoning(ReasoningPart::new("ab", Some("s".into()))),
                ContentPart::Reasoning(ReasoningPart::new("c", None)),
                ContentPart::Reasoning(ReasoningPart::redacted("x")),
            ]
        );
    }
}
