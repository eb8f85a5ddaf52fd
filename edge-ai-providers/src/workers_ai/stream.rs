use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::{
    Body, ChatEvent, ChatFrame, ChatStart, ChatStream, Error, ErrorKind, FinishReason, ReasoningDelta,
    Result, SseDecoder, SseEvent, ToolCallDelta, Usage,
};
use futures_util::stream::Stream;
use serde::de::IgnoredAny;

use super::call::WireCall;
use super::response::{finish_reason, no_answer, response_text, unsaid_reason};
use super::{TEXT, TextExchange, error, usage};
use crate::openai::EventDecoder;
use crate::wire::{Fields, FrameDecoder, Held, Path, elements, frames, items};

/// The answer to a streamed request, as it arrives.
pub fn text_stream(exchange: TextExchange, body: Body) -> ChatStream {
    ChatStream::in_dialect(TEXT, text_frames(exchange, body))
}

/// The frames of a body.
pub(super) fn text_frames(
    exchange: TextExchange,
    body: Body,
) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    frames(body.into_stream(), EventReader::new(exchange))
}

/// Turns the bytes of a streamed answer into frames, however they were cut on the way.
///
/// Each frame tells by itself which kind it is: Workers AI's own, with a `response`, or OpenAI's, with `choices`. The answer is
/// complete with `[DONE]`, or with a reason to stop where a model ends there. Calls that come without an id get one, those without arguments `{}`.
#[derive(Debug)]
pub struct TextStreamDecoder(Held<EventReader>);

impl TextStreamDecoder {
    /// A decoder at the beginning of an exchange's answer.
    pub fn new(exchange: TextExchange) -> Self {
        Self(Held::new(EventReader::new(exchange)))
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the
    /// next call.
    ///
    /// # Errors
    /// Workers AI's error, by its code, or [`ErrorKind::BadUpstream`] for bytes that are no frame. Nothing comes after it.
    pub fn push(&mut self, chunk: Bytes) -> Result<Vec<ChatFrame>> {
        self.0.push(chunk)
    }

    /// Ends the stream and returns the frames that are left.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when the answer was not complete.
    pub fn finish(&mut self) -> Result<Vec<ChatFrame>> {
        self.0.finish()
    }
}

#[derive(Debug)]
struct EventReader {
    sse: SseDecoder,
    openai: EventDecoder,
    exchange: TextExchange,
    started: bool,
    calls: Calls,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    done: bool,
}

impl FrameDecoder for EventReader {
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>> {
        items(|frames| self.decode(chunk, frames))
    }

    fn finish(&mut self) -> Vec<Result<ChatFrame>> {
        items(|frames| self.end(frames))
    }
}

impl EventReader {
    fn decode(&mut self, chunk: Bytes, frames: &mut Vec<ChatFrame>) -> Result<()> {
        for event in self.sse.push(chunk)? {
            if self.done {
                break;
            }
            let raw = event.raw.clone();
            let events = match event.data.trim() {
                "" => Vec::new(),
                "[DONE]" => self.complete(),
                _ => self.events(event)?,
            };
            frames.push(ChatFrame::with_native(events, raw));
        }
        Ok(())
    }

    fn end(&mut self, frames: &mut Vec<ChatFrame>) -> Result<()> {
        // A last frame whose empty line is missing.
        if self.sse.rest().iter().any(|byte| !byte.is_ascii_whitespace()) {
            let cut = |error: Error| match error.kind() {
                ErrorKind::BadUpstream => interrupted(),
                _ => error,
            };
            self.decode(Bytes::from_static(b"\n\n"), frames).map_err(cut)?;
        }
        match (self.done, &self.finish) {
            (true, _) => Ok(()),
            (false, Some(_)) => {
                frames.push(ChatFrame::new(self.complete()));
                Ok(())
            }
            (false, None) => Err(interrupted()),
        }
    }

    fn new(exchange: TextExchange) -> Self {
        Self {
            sse: SseDecoder::new(),
            openai: EventDecoder::default(),
            exchange,
            started: false,
            calls: Calls::default(),
            finish: None,
            usage: None,
            done: false,
        }
    }

    fn events(&mut self, event: SseEvent) -> Result<Vec<ChatEvent>> {
        let fields = Fields::parse(&event.data, Path::ROOT).map_err(no_answer)?;
        if fields.peek::<IgnoredAny>("choices").is_some() {
            return self.openai_events(event);
        }
        error::check(&event.data)?;
        self.own_events(fields).map_err(no_answer)
    }

    fn openai_events(&mut self, event: SseEvent) -> Result<Vec<ChatEvent>> {
        let mut events = Vec::new();
        for event in self.openai.decode(event)?.unwrap_or_default().events {
            match event {
                ChatEvent::Start(_) if self.started => {}
                ChatEvent::Start(start) => {
                    self.started = true;
                    events.push(ChatEvent::Start(start));
                }
                ChatEvent::ToolCall(delta) => events.push(self.calls.check(&self.exchange, delta)),
                ChatEvent::Finish(reason) => {
                    self.finish = Some(reason.clone());
                    events.push(ChatEvent::Finish(reason));
                }
                event => {
                    if let ChatEvent::Usage(usage) = &event {
                        self.usage = Some(*usage);
                    }
                    events.push(event);
                }
            }
        }
        Ok(events)
    }

    fn own_events(&mut self, mut fields: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let mut events = Vec::new();
        if !std::mem::replace(&mut self.started, true) {
            events.push(ChatEvent::Start(ChatStart::new("", self.exchange.model())));
        }
        let thought = fields
            .take::<String>("reasoning_content")?
            .filter(|text| !text.is_empty());
        events.extend(thought.map(|text| ChatEvent::Reasoning(ReasoningDelta::text(text))));
        let text = fields.take_raw("response").map(response_text).transpose()?;
        events.extend(text.filter(|text| !text.is_empty()).map(ChatEvent::Text));
        if let Some(calls) = fields.take_raw("tool_calls") {
            let path = Path::ROOT.field("tool_calls");
            for call in elements(calls, &path)? {
                events.extend(self.calls.piece(&self.exchange, WireCall::read(call, path)?));
            }
        }
        if let Some(reason) = fields.take::<String>("finish_reason")? {
            let reason = finish_reason(&reason);
            self.finish = Some(reason.clone());
            events.push(ChatEvent::Finish(reason));
        }
        if let Some(usage) = fields.take_raw("usage").and_then(usage::read) {
            self.usage = Some(usage);
            events.push(ChatEvent::Usage(usage));
        }
        Ok(events)
    }

    /// The end mark, and before it what Workers AI leaves unsaid.
    fn complete(&mut self) -> Vec<ChatEvent> {
        self.done = true;
        let mut events: Vec<_> = self.calls.without_arguments().collect();
        if self.finish.is_none() {
            let called = !self.calls.known.is_empty();
            events.push(ChatEvent::Finish(unsaid_reason(
                &self.exchange,
                called,
                self.usage,
            )));
        }
        events.push(ChatEvent::Done);
        events
    }
}

/// The calls so far.
#[derive(Debug, Default)]
struct Calls {
    /// The number of the call that stands under an index of the service's.
    places: BTreeMap<u64, u32>,
    /// For each call, whether it has arguments yet.
    known: Vec<bool>,
}

impl Calls {
    /// A piece in Workers AI's own frames: of the call of its index, or a whole call of its own, or more of the last one.
    fn piece(&mut self, exchange: &TextExchange, piece: WireCall) -> Option<ChatEvent> {
        if piece.is_end() {
            return None;
        }
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let index = match piece.index {
            Some(index) => *self.places.entry(index).or_insert(next),
            None if piece.name.is_none() && piece.id.is_none() => next.saturating_sub(1),
            None => next,
        };
        let mut delta = ToolCallDelta::arguments(index, piece.arguments);
        delta.id = piece.id;
        delta.name = piece.name;
        Some(self.check(exchange, delta))
    }

    /// Gives a call that begins without an id its own, and remembers whether arguments came.
    fn check(&mut self, exchange: &TextExchange, mut delta: ToolCallDelta) -> ChatEvent {
        let at = delta.index as usize;
        if at >= self.known.len() {
            // Indexes count up; one that leaps names nothing in between.
            delta.index = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
            self.known.push(false);
            if delta.id.as_ref().is_none_or(String::is_empty) {
                delta.id = Some(exchange.call_id(delta.index));
            }
        }
        if let Some(known) = self.known.get_mut(delta.index as usize) {
            *known |= !delta.arguments.is_empty();
        }
        ChatEvent::ToolCall(delta)
    }

    fn without_arguments(&self) -> impl Iterator<Item = ChatEvent> {
        let bare = (0..).zip(&self.known).filter(|(_, has)| !**has);
        bare.map(|(index, _)| ChatEvent::ToolCall(ToolCallDelta::arguments(index, "{}")))
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "the stream ended before `[DONE]`")
}
