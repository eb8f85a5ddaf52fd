use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

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
    size: usize,
}

impl ChatAccumulator {
    /// Takes the next event.
    pub fn push(&mut self, event: ChatEvent) {
        match event {
            // A picture is not copied.
            ChatEvent::Part(part) => self.push_part(part),
            event => self.push_ref(&event),
        }
    }

    /// Takes the next event from a stream that goes on to somebody else: only its text is copied.
    pub fn push_ref(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Start(start) => {
                self.size += start.id.len() + start.model.len() + json_len(&start.extra);
                self.output.id.clone_from(&start.id);
                self.output.model.clone_from(&start.model);
                self.output.extra.clone_from(&start.extra);
            }
            ChatEvent::Text(text) => {
                self.size += text.len();
                match self.output.content.last_mut() {
                    Some(ContentPart::Text(part)) if part.extra.is_empty() => part.text.push_str(text),
                    _ if text.is_empty() => {}
                    _ => self.add(ContentPart::text(text)),
                }
            }
            ChatEvent::Refusal(text) => {
                self.size += text.len();
                match self.output.content.last_mut() {
                    Some(ContentPart::Refusal(refusal)) => refusal.push_str(text),
                    _ => self.add(ContentPart::Refusal(text.clone())),
                }
            }
            ChatEvent::Reasoning(delta) => self.push_reasoning(delta),
            ChatEvent::ToolCall(delta) => self.push_call(delta),
            ChatEvent::Part(part) => self.push_part(part.clone()),
            ChatEvent::Extra(extra) => {
                self.size += json_len(extra);
                self.output.extra.extend(extra.clone());
            }
            ChatEvent::Finish(reason) => self.finish = Some(reason.clone()),
            ChatEvent::Usage(usage) => self.output.usage = Some(*usage),
            ChatEvent::Done => self.complete = true,
        }
    }

    /// About how many bytes of memory the answer takes so far; at least as many as its texts have.
    pub const fn size(&self) -> usize {
        self.size
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

    fn push_reasoning(&mut self, delta: &ReasoningDelta) {
        if let Some(data) = &delta.redacted {
            self.size += data.len();
            self.add(ContentPart::Reasoning(ReasoningPart::redacted(data)));
            return;
        }
        self.size += delta.text.len() + delta.signature.as_ref().map_or(0, String::len);
        match self.output.content.last_mut() {
            // A signature closes a thought.
            Some(ContentPart::Reasoning(part)) if part.signature.is_none() && part.redacted.is_none() => {
                part.text.push_str(&delta.text);
                part.signature.clone_from(&delta.signature);
            }
            _ if delta.text.is_empty() && delta.signature.is_none() => {}
            _ => self.add(ContentPart::Reasoning(ReasoningPart::new(
                &delta.text,
                delta.signature.clone(),
            ))),
        }
    }

    fn push_call(&mut self, delta: &ToolCallDelta) {
        let at = match self.calls.get(&delta.index) {
            Some(at) => *at,
            None => {
                let at = self.output.content.len();
                self.calls.insert(delta.index, at);
                self.add(ContentPart::ToolCall(ToolCall::new("", "", "")));
                at
            }
        };
        if let Some(ContentPart::ToolCall(call)) = self.output.content.get_mut(at) {
            // Some vendors repeat id and name in every delta, some send them empty.
            for (known, new) in [(&mut call.id, &delta.id), (&mut call.name, &delta.name)] {
                if let Some(new) = new.as_ref().filter(|_| known.is_empty()) {
                    self.size += new.len();
                    known.clone_from(new);
                }
            }
            self.size += delta.arguments.len();
            call.arguments.push_str(&delta.arguments);
            if !delta.extra.is_empty() {
                self.size += json_len(&delta.extra);
                call.extra.extend(delta.extra.clone());
            }
        }
    }

    fn push_part(&mut self, part: ContentPart) {
        self.size += json_len(&part);
        self.add(part);
    }

    fn add(&mut self, part: ContentPart) {
        self.size += size_of::<ContentPart>();
        self.output.content.push(part);
    }
}

/// The length of a value as JSON: as good a measure of what it holds as any, without a copy of it.
fn json_len(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // What cannot be JSON counts as far as it got.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChatStart, Dialect, Extra, RawJson, Usage};

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
    fn a_borrowed_event_says_the_same_as_an_owned_one() {
        let dialect = Dialect::new("d");
        let extra = Extra::new(dialect, vec![("x".into(), RawJson::parse("[1]").unwrap())]);
        let mut start = ChatStart::new("id", "model");
        start.extra = extra;
        let events = [
            ChatEvent::Start(start),
            ChatEvent::Text("a".into()),
            ChatEvent::Text("b".into()),
            ChatEvent::Reasoning(ReasoningDelta::text("c")),
            ChatEvent::Reasoning(ReasoningDelta::signature("s")),
            ChatEvent::Reasoning(ReasoningDelta::redacted("r")),
            ChatEvent::ToolCall(ToolCallDelta::start(0, "1", "f")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(0, "{}")),
            ChatEvent::Refusal("no".into()),
            ChatEvent::Refusal("!".into()),
            ChatEvent::Part(ContentPart::image_url("https://example.com/a.png")),
            ChatEvent::Extra(Extra::new(
                Dialect::new("d"),
                vec![("y".into(), RawJson::parse("2").unwrap())],
            )),
            ChatEvent::Finish(FinishReason::Length),
            ChatEvent::Usage(Usage::default()),
            ChatEvent::Done,
        ];
        let mut by_ref = ChatAccumulator::default();
        events.iter().for_each(|event| by_ref.push_ref(event));
        assert!(by_ref.is_complete());
        assert_eq!(by_ref.finish(), accumulate(events.to_vec()));
    }

    #[test]
    fn the_size_grows_with_every_kind_of_event() {
        let text = "x".repeat(1_000);
        let image = ContentPart::image_url(text.as_str());
        let field = ("x".into(), RawJson::from_serialize(&text).unwrap());
        let start = ChatStart {
            extra: Extra::new(Dialect::new("d"), vec![field]),
            ..ChatStart::default()
        };
        for event in [
            ChatEvent::Start(ChatStart::new(text.as_str(), "")),
            ChatEvent::Start(start),
            ChatEvent::Text(text.clone()),
            ChatEvent::Refusal(text.clone()),
            ChatEvent::Reasoning(ReasoningDelta::text(text.as_str())),
            ChatEvent::Reasoning(ReasoningDelta::signature(text.as_str())),
            ChatEvent::Reasoning(ReasoningDelta::redacted(text.as_str())),
            ChatEvent::ToolCall(ToolCallDelta::start(0, text.as_str(), "f")),
            ChatEvent::ToolCall(ToolCallDelta::arguments(0, text.as_str())),
            ChatEvent::Part(image),
        ] {
            let mut accumulator = ChatAccumulator::default();
            accumulator.push_ref(&event);
            let size = accumulator.size();
            assert!((1_000..1_500).contains(&size), "{size} for {event:?}");
            accumulator.push(event);
            assert!(accumulator.size() >= size);
        }
        // Many small things are not nothing.
        let mut accumulator = ChatAccumulator::default();
        (0..1_000)
            .for_each(|index| accumulator.push(ChatEvent::ToolCall(ToolCallDelta::arguments(index, ""))));
        assert!(accumulator.size() >= 50_000);
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
