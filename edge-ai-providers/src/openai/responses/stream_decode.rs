use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::{
    Body, ChatEvent, ChatFrame, ChatStart, ChatStream, ContentPart, Error, ErrorKind, ReasoningDelta, Result,
    SseDecoder, SseEvent, ToolCallDelta,
};
use futures_util::stream::Stream;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{RESPONSES, error, item, response_decode};
use crate::citation;
use crate::openai::Count;
use crate::wire::{self, FrameDecoder, Held, Path, items};

/// Reads a stream as it arrives.
///
/// The frames keep their bytes. The stream ends with an error when the body breaks off, when the response fails, or when the body ends before
/// the response does.
pub fn responses_stream(body: Body) -> ChatStream {
    ChatStream::in_dialect(RESPONSES, frames(body))
}

/// The frames of a body.
pub(in crate::openai) fn frames(body: Body) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    wire::frames(body.into_stream(), FrameReader::default())
}

/// Reads the bytes of a stream, however they were cut on the way.
///
/// Every frame keeps its bytes, those without a meaning for others included. The answer is complete with `response.completed` or
/// `response.incomplete`.
///
/// ```
/// use edge_ai_core::ChatEvent;
/// use edge_ai_providers::openai::responses::ResponsesStreamDecoder;
///
/// let mut decoder = ResponsesStreamDecoder::new();
/// let frames = decoder.push("data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Paris\"}\n\n".into())?;
/// assert_eq!(frames[0].events, [ChatEvent::Text("Paris".into())]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ResponsesStreamDecoder(Held<FrameReader>);

impl ResponsesStreamDecoder {
    /// A decoder at a stream's beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the next call.
    ///
    /// # Errors
    /// The server's own error, or [`ErrorKind::BadUpstream`] for a frame that is no event. Nothing is to be expected after it.
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

#[derive(Debug, Default)]
struct FrameReader {
    sse: SseDecoder,
    events: EventDecoder,
}

impl FrameDecoder for FrameReader {
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>> {
        items(|frames| {
            for event in self.sse.push(chunk)? {
                frames.extend(self.events.decode(event)?);
            }
            Ok(())
        })
    }

    fn finish(&mut self) -> Vec<Result<ChatFrame>> {
        items(|frames| {
            // A server that leaves out the last empty line.
            if self.sse.rest().iter().any(|byte| !byte.is_ascii_whitespace()) {
                for event in self.sse.push(Bytes::from_static(b"\n\n"))? {
                    let frame = self.events.decode(event).map_err(|error| match error.kind() {
                        ErrorKind::BadUpstream => interrupted().with_source(error),
                        _ => error,
                    });
                    // A line cut before its data says nothing, and would be an event without data to a client.
                    frames.extend(frame?.into_iter().filter(|frame| !frame.events.is_empty()));
                }
            }
            if self.events.done {
                Ok(())
            } else {
                Err(interrupted())
            }
        })
    }
}

/// An event, with what is looked at of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    output_index: Count,
    summary_index: Count,
    delta: Option<String>,
    arguments: Option<String>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Turns server-sent events into frames.
#[derive(Debug, Default)]
struct EventDecoder {
    started: bool,
    /// Items that have begun or said something.
    items: BTreeMap<u64, Item>,
    calls: u32,
    done: bool,
}

#[derive(Debug, Default)]
struct Item {
    /// The number of the call that it is.
    call: Option<u32>,
    /// Something of it is out.
    said: bool,
}

impl EventDecoder {
    /// The frame of an event; `None` for whatever follows the end.
    fn decode(&mut self, event: SseEvent) -> Result<Option<ChatFrame>> {
        if self.done {
            return Ok(None);
        }
        let data = event.data.trim();
        let events = match data {
            // The end mark of servers that took it over from chat completions, before the end of the response.
            "" | "[DONE]" => Vec::new(),
            _ => self.read(data)?,
        };
        Ok(Some(ChatFrame::with_native(events, event.raw)))
    }

    fn read(&mut self, data: &str) -> Result<Vec<ChatEvent>> {
        // Serde would read an array as an event's fields in their order.
        if !data.starts_with('{') {
            return Err(junk(&"it is not an object"));
        }
        let event: Event<'_> = serde_json::from_str(data).map_err(|error| junk(&error).with_source(error))?;
        let index = event.output_index.0;
        let mut events = Vec::new();
        match &*event.kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                events.extend(self.start(event.response));
            }
            "response.output_item.added" => self.added(index, event.item, &mut events)?,
            "response.output_item.done" => self.item_done(index, event.item, &mut events)?,
            "response.output_text.delta" => self.say(index, event.delta, ChatEvent::Text, &mut events),
            "response.refusal.delta" => self.say(index, event.delta, ChatEvent::Refusal, &mut events),
            // Paragraphs of one summary.
            "response.reasoning_summary_part.added"
                if event.summary_index.0 > 0 && self.items.get(&index).is_some_and(|item| item.said) =>
            {
                events.push(ChatEvent::Reasoning(ReasoningDelta::text("\n\n")));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                let thought = |text| ChatEvent::Reasoning(ReasoningDelta::text(text));
                self.say(index, event.delta, thought, &mut events);
            }
            "response.function_call_arguments.delta" => self.arguments(index, event.delta, &mut events),
            "response.function_call_arguments.done" => {
                let said = self.items.get(&index).is_some_and(|item| item.said);
                self.arguments(index, event.arguments.filter(|_| !said), &mut events);
            }
            "response.completed" | "response.incomplete" => {
                events.extend(self.start(event.response));
                self.end(event.response, &mut events)?;
            }
            "response.failed" | "response.cancelled" => return Err(failure(event.response)),
            "error" => {
                let whole: Option<&RawValue> = serde_json::from_str(data).ok();
                return Err(error::decode(event.error.or(whole)));
            }
            "" if event.error.is_some() => return Err(error::decode(event.error)),
            "" => return Err(junk(&"it has no `type`")),
            // Progress of the vendor's own tools, and whatever comes later.
            _ => {}
        }
        Ok(events)
    }

    /// The head of the answer, once.
    fn start(&mut self, response: Option<&RawValue>) -> Option<ChatEvent> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Response<'a> {
            #[serde(borrow)]
            id: Cow<'a, str>,
            #[serde(borrow)]
            model: Cow<'a, str>,
        }
        if std::mem::replace(&mut self.started, true) {
            return None;
        }
        let response: Response<'_> = response
            .and_then(|response| serde_json::from_str(response.get()).ok())
            .unwrap_or_default();
        Some(ChatEvent::Start(ChatStart::new(response.id, response.model)))
    }

    fn say(
        &mut self,
        index: u64,
        text: Option<String>,
        event: impl FnOnce(String) -> ChatEvent,
        events: &mut Vec<ChatEvent>,
    ) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.items.entry(index).or_default().said = true;
            events.push(event(text));
        }
    }

    fn added(&mut self, index: u64, item: Option<&RawValue>, events: &mut Vec<ChatEvent>) -> Result<()> {
        let Some(item) = item.map(RawValue::get) else {
            return Ok(());
        };
        if item::kind(item) == "function_call" && !self.is_call(index) {
            self.call(index, item, events)?;
        }
        Ok(())
    }

    fn is_call(&self, index: u64) -> bool {
        self.items.get(&index).is_some_and(|item| item.call.is_some())
    }

    /// The beginning of a call, with as much of its arguments as is there.
    fn call(&mut self, index: u64, item: &str, events: &mut Vec<ChatEvent>) -> Result<()> {
        let mut parts = Vec::new();
        item::output(item, Path::ROOT, &mut parts).map_err(|error| junk(&error).with_source(error))?;
        let Some(ContentPart::ToolCall(call)) = parts.pop() else {
            return Ok(());
        };
        let entry = self.items.entry(index).or_default();
        entry.call = Some(self.calls);
        entry.said |= !call.arguments.is_empty();
        let mut delta = ToolCallDelta::start(self.calls, call.id, call.name);
        delta.arguments = call.arguments;
        delta.extra = call.extra;
        self.calls = self.calls.saturating_add(1);
        events.push(ChatEvent::ToolCall(delta));
        Ok(())
    }

    fn arguments(&mut self, index: u64, text: Option<String>, events: &mut Vec<ChatEvent>) {
        let call = self.items.get(&index).and_then(|item| item.call);
        if let Some(call) = call {
            let event = |text| ChatEvent::ToolCall(ToolCallDelta::arguments(call, text));
            self.say(index, text, event, events);
        }
    }

    /// What an item says only at its end: all of it, where nothing was said before.
    fn item_done(&mut self, index: u64, item: Option<&RawValue>, events: &mut Vec<ChatEvent>) -> Result<()> {
        let Some(text) = item.map(RawValue::get) else {
            return Ok(());
        };
        let kind = item::kind(text);
        let said = self.items.get(&index).is_some_and(|item| item.said);
        let mut parts = Vec::new();
        item::output(text, Path::ROOT, &mut parts).map_err(|error| junk(&error).with_source(error))?;
        match &*kind {
            "function_call" if !self.is_call(index) => return self.call(index, text, events),
            "function_call" if !said => {
                if let Some(ContentPart::ToolCall(call)) = parts.pop() {
                    self.arguments(index, Some(call.arguments), events);
                }
            }
            // Its text is out.
            "message" if said => events.extend(parts.into_iter().filter_map(cited)),
            "reasoning" => {
                for part in parts {
                    let ContentPart::Reasoning(part) = part else {
                        continue;
                    };
                    let mut delta = ReasoningDelta::default();
                    if !said {
                        delta.text = part.text;
                    }
                    delta.signature = part.signature;
                    if !delta.text.is_empty() || delta.signature.is_some() {
                        events.push(ChatEvent::Reasoning(delta));
                    }
                }
            }
            "function_call" => {}
            _ => events.extend(parts.into_iter().map(|part| match part {
                ContentPart::Text(part) if part.extra.is_empty() => ChatEvent::Text(part.text),
                ContentPart::Refusal(text) => ChatEvent::Refusal(text),
                part => ChatEvent::Part(part),
            })),
        }
        self.items.entry(index).or_default().said = true;
        Ok(())
    }

    fn end(&mut self, response: Option<&RawValue>, events: &mut Vec<ChatEvent>) -> Result<()> {
        let Some(response) = response else {
            return Err(junk(&"it ends without a `response`"));
        };
        let output =
            response_decode::output(response.get(), Path::ROOT).map_err(|error| match error.kind() {
                ErrorKind::InvalidRequest if error.native().is_none() => junk(&error).with_source(error),
                _ => error,
            })?;
        self.done = true;
        events.push(ChatEvent::Finish(output.finish_reason));
        events.extend(output.usage.map(ChatEvent::Usage));
        events.push(ChatEvent::Done);
        Ok(())
    }
}

/// The citations of a text that is out.
fn cited(part: ContentPart) -> Option<ChatEvent> {
    let ContentPart::Text(mut part) = part else {
        return None;
    };
    part.text.clear();
    let part = ContentPart::Text(part);
    citation::alone(&part).is_some().then_some(ChatEvent::Part(part))
}

/// The error of a response that failed.
fn failure(response: Option<&RawValue>) -> Error {
    let cause = response
        .and_then(|response| wire::Fields::parse(response.get(), Path::ROOT).ok())
        .and_then(|mut fields| response_decode::failure(&mut fields).ok().flatten());
    cause.unwrap_or_else(|| error::decode(None))
}

fn junk(problem: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("a frame of the stream is not an event of a response: {problem}"),
    )
}

fn interrupted() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the stream ended before the answer was complete",
    )
}
