mod writer;

use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::{
    ChatEvent, ChatFrame, ContentPart, Dialect, Error, Extra, FinishReason, ReasoningDelta, ToolCallDelta,
    Usage,
};

use writer::Writer;

use super::finish::encode_finish_reason;
use super::response_encode::call_id;
use super::{CHAT, Head, encode_error};
use crate::citation::Places;

/// Writes a stream for a client of OpenAI's dialect.
///
/// Frames that came in this dialect go out as they are, and one among them without bytes of its own, changed on its way, becomes a chunk of the
/// same answer; a frame of usage alone only when the client asked for it. Others become
/// chunks: the first one with the role, calls numbered from 0, arguments of a call without any as `{}`, then the reason to stop, the
/// usage if asked for, and the end mark. Thoughts are written as by [`encode_chat_response`](super::encode_chat_response).
#[derive(Debug)]
pub struct ChatStreamEncoder {
    writer: Writer,
    answer: String,
    started: bool,
    calls: BTreeMap<u32, Call>,
    /// The thought that may get a signature yet.
    thought: String,
    /// What citations are about.
    places: Places,
    finished: bool,
    usage: Option<Usage>,
    /// `[DONE]` or an error is out.
    ended: bool,
}

#[derive(Debug)]
struct Call {
    number: usize,
    empty: bool,
}

impl ChatStreamEncoder {
    /// An encoder at a stream's beginning. `head` stands in where the stream does not say its id and model; with
    /// `include_usage`, the client asked for the usage.
    pub fn new(head: Head, include_usage: bool) -> Self {
        Self {
            answer: head.id.clone(),
            writer: Writer::new(head, include_usage),
            started: false,
            calls: BTreeMap::new(),
            thought: String::new(),
            places: Places::default(),
            finished: false,
            usage: None,
            ended: false,
        }
    }

    /// The bytes of the next frame of a stream in `dialect`; may be none.
    pub fn encode(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes {
        if self.ended {
            return Bytes::new();
        }
        if let Some(native) = frame.native.as_ref().filter(|_| dialect == Some(&CHAT)) {
            self.follow(&frame.events);
            let usage_alone = matches!(frame.events.as_slice(), [ChatEvent::Usage(_)]);
            return if usage_alone && !self.writer.include_usage {
                Bytes::new()
            } else {
                native.clone()
            };
        }
        for event in &frame.events {
            self.event(event);
        }
        self.writer.take()
    }

    /// The bytes of an error in the stream. It is the last that the client hears: no end mark follows, so that the answer cannot be taken
    /// for a complete one.
    pub fn error(&mut self, error: &Error) -> Bytes {
        if std::mem::replace(&mut self.ended, true) {
            return Bytes::new();
        }
        let body = encode_error(error);
        let mut out = Vec::with_capacity(body.len() + 16);
        // A body of several lines is data of several lines.
        for line in body
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .filter(|line| !line.is_empty())
        {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        out.push(b'\n');
        out.into()
    }

    /// Keeps track of a frame that goes out as it is, so that the next may be one without bytes: one that was changed on its way.
    fn follow(&mut self, events: &[ChatEvent]) {
        for event in events {
            match event {
                ChatEvent::Start(start) => {
                    self.started = true;
                    self.writer.set_head(start);
                }
                ChatEvent::Extra(extra) => self.writer.add_to_head(extra),
                ChatEvent::Text(text) => self.places.say(text),
                ChatEvent::Reasoning(delta) => {
                    self.thought.push_str(&delta.text);
                    if delta.signature.is_some() {
                        self.thought.clear();
                    }
                }
                ChatEvent::ToolCall(delta) => {
                    let number = usize::try_from(delta.index).unwrap_or(usize::MAX);
                    let call = self.calls.entry(delta.index);
                    let call = call.or_insert(Call { number, empty: true });
                    call.empty &= delta.arguments.trim().is_empty();
                }
                ChatEvent::Finish(_) => self.finished = true,
                ChatEvent::Done => self.ended = true,
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &ChatEvent) {
        if let ChatEvent::Start(start) = event {
            if !start.id.is_empty() {
                self.answer.clone_from(&start.id);
            }
            self.writer.set_head(start);
            self.start();
            return;
        }
        if !matches!(event, ChatEvent::Usage(_)) {
            self.start();
        }
        match event {
            ChatEvent::Text(text) => self.text(text),
            ChatEvent::Refusal(text) => self.writer.text("refusal", text),
            ChatEvent::Reasoning(delta) => self.reasoning(delta),
            ChatEvent::ToolCall(delta) => self.call(delta),
            ChatEvent::Part(part) => self.part(part),
            ChatEvent::Extra(extra) => self.writer.add_to_head(extra),
            ChatEvent::Finish(reason) => self.finish(reason),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::Done => self.done(),
            _ => {}
        }
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.started, true) {
            self.writer.role();
        }
    }

    fn text(&mut self, text: &str) {
        self.places.say(text);
        self.writer.text("content", text);
    }

    fn reasoning(&mut self, delta: &ReasoningDelta) {
        if !delta.text.is_empty() {
            self.thought.push_str(&delta.text);
            self.writer.text("reasoning_content", &delta.text);
        }
        if delta.signature.is_some() || delta.redacted.is_some() {
            let text = if delta.redacted.is_some() {
                String::new()
            } else {
                std::mem::take(&mut self.thought)
            };
            self.writer.thought(text, delta);
        }
    }

    fn call(&mut self, delta: &ToolCallDelta) {
        let number = self.calls.len();
        let new = !self.calls.contains_key(&delta.index);
        let call = self
            .calls
            .entry(delta.index)
            .or_insert(Call { number, empty: true });
        call.empty &= delta.arguments.trim().is_empty();
        let number = call.number;
        if new {
            let id = call_id(delta.id.as_deref().unwrap_or_default(), &self.answer, number);
            self.writer.call_start(
                number,
                &id,
                delta.name.as_deref().unwrap_or_default(),
                &delta.arguments,
                &delta.extra,
            );
        } else {
            self.writer
                .call_more(number, delta.name.as_deref(), &delta.arguments, &delta.extra);
        }
    }

    /// Parts that arrive whole.
    fn part(&mut self, part: &ContentPart) {
        match part {
            ContentPart::Text(part) => {
                if !part.text.is_empty() {
                    self.text(&part.text);
                }
                let annotations = self.places.cite(&part.extra);
                if !annotations.is_empty() {
                    self.writer.annotations(&annotations);
                }
            }
            ContentPart::Refusal(text) => self.writer.text("refusal", text),
            ContentPart::Reasoning(part) => {
                let mut delta = ReasoningDelta::text(part.text.as_str());
                delta.signature.clone_from(&part.signature);
                delta.redacted.clone_from(&part.redacted);
                self.reasoning(&delta);
            }
            ContentPart::ToolCall(call) => {
                let index = self
                    .calls
                    .keys()
                    .next_back()
                    .map_or(0, |last| last.saturating_add(1));
                let mut delta = ToolCallDelta::start(index, call.id.as_str(), call.name.as_str());
                call.arguments_json().clone_into(&mut delta.arguments);
                delta.extra.clone_from(&call.extra);
                self.call(&delta);
            }
            ContentPart::Other(extra) if extra.get(&CHAT, "type").is_none() => self.writer.fields(extra),
            _ => {}
        }
    }

    fn finish(&mut self, reason: &FinishReason) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        // An empty text is not JSON, and clients parse it.
        for call in self.calls.values().filter(|call| call.empty) {
            self.writer.call_more(call.number, None, "{}", &Extra::default());
        }
        self.writer.finish(&encode_finish_reason(reason));
    }

    fn done(&mut self) {
        let reason = if self.calls.is_empty() {
            FinishReason::Stop
        } else {
            FinishReason::ToolCalls
        };
        self.finish(&reason);
        self.writer.usage(self.usage.as_ref());
        self.writer.done();
        self.ended = true;
    }
}
