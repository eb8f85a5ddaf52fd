mod calls;
mod chunk;
mod details;
mod lenient;

use std::collections::BTreeSet;

use bytes::Bytes;
use edge_ai_core::{
    ChatEvent, ChatFrame, ChatStart, ContentPart, Error, ErrorKind, Extra, ReasoningDelta, Result,
    ServiceTier, SseDecoder, SseEvent, Usage,
};

use calls::Calls;
use chunk::{Choice, Chunk, Delta, Text};
use details::Details;
pub(super) use lenient::Lenient;

use super::CHAT;
use super::error::{error_in_body, error_in_choice};
use super::finish::decode_finish_reason;
use super::thinking::Block;
use crate::wire::{Fields, FrameDecoder, Held, Path, items};

/// The end mark, as it is written where a server leaves it out.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// Reads the bytes of a stream, however they were cut on the way.
///
/// Every frame keeps its bytes, comments and pings included. Events are those of the first choice. The answer is complete with
/// `[DONE]`, or with a reason to stop where a server ends there.
///
/// ```
/// use edge_ai_core::ChatEvent;
/// use edge_ai_providers::openai::ChatStreamDecoder;
///
/// let mut decoder = ChatStreamDecoder::new();
/// let frames = decoder.push("data: {\"choices\":[{\"delta\":{\"content\":\"Paris\"}}]}\n\ndata: [DONE]\n\n".into())?;
/// assert_eq!(frames[0].events[1], ChatEvent::Text("Paris".into()));
/// assert_eq!(frames[1].events, [ChatEvent::Done]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ChatStreamDecoder(Held<FrameReader>);

impl ChatStreamDecoder {
    /// A decoder at a stream's beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the next call.
    ///
    /// # Errors
    /// The server's own error, or [`ErrorKind::BadUpstream`] for a frame that is no chunk. Nothing is to be expected after it.
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

/// Reads bytes to frames.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
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
                    // A line cut before its data says nothing, and would be an event without data to a client.
                    let frame = self.events.decode(event).map_err(cut)?;
                    frames.extend(frame.filter(|frame| !frame.events.is_empty()));
                }
            }
            frames.extend(self.events.finish()?);
            Ok(())
        })
    }
}

/// What is no chunk at the very end was cut in the middle.
fn cut(error: Error) -> Error {
    if error.kind() == ErrorKind::BadUpstream {
        interrupted().with_source(error)
    } else {
        error
    }
}

/// Turns server-sent events into frames.
#[derive(Debug, Default)]
pub(crate) struct EventDecoder {
    started: bool,
    finished: bool,
    /// Choices beside the first that have begun and not ended.
    others: BTreeSet<u64>,
    done: bool,
    calls: Calls,
    details: Details,
    /// What the answer says of itself so far, beside the known.
    head: Extra,
}

impl EventDecoder {
    /// The frame of an event; `None` for whatever follows the end mark.
    ///
    /// # Errors
    /// The server's own error, or [`ErrorKind::BadUpstream`] for an event that is no chunk.
    pub(crate) fn decode(&mut self, event: SseEvent) -> Result<Option<ChatFrame>> {
        if self.done {
            return Ok(None);
        }
        let data = event.data.trim();
        let events = match data {
            "" => Vec::new(),
            "[DONE]" => {
                self.done = true;
                let details = self.details.take().map(ChatEvent::Part);
                details.into_iter().chain([ChatEvent::Done]).collect()
            }
            _ => self.chunk(data).map_err(|error| match event.event.as_deref() {
                // An error without structure.
                Some("error") if error.kind() == ErrorKind::BadUpstream => {
                    Error::new(ErrorKind::Unavailable, data.chars().take(300).collect::<String>())
                }
                _ => error,
            })?,
        };
        Ok(Some(ChatFrame::with_native(events, event.raw)))
    }

    /// The frame that a server left out at the end, if it did.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when the answer is not complete.
    pub(crate) fn finish(&mut self) -> Result<Option<ChatFrame>> {
        if self.done {
            return Ok(None);
        }
        if !self.finished || !self.others.is_empty() {
            return Err(interrupted());
        }
        self.done = true;
        Ok(Some(ChatFrame::with_native(
            vec![ChatEvent::Done],
            Bytes::from_static(DONE),
        )))
    }

    fn chunk(&mut self, data: &str) -> Result<Vec<ChatEvent>> {
        // Serde would read an array as a chunk's fields in their order.
        if !data.starts_with('{') {
            return Err(junk(&"it is not an object"));
        }
        let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|error| junk(&error).with_source(error))?;
        if chunk.is_error() {
            return Err(error_in_body(data).unwrap_or_else(|| {
                Error::new(
                    ErrorKind::Unavailable,
                    "the server reported an error in the stream",
                )
            }));
        }
        let mut events = Vec::with_capacity(2);
        let groq = chunk.x_groq.unwrap_or_default();
        if let Some(Lenient(message)) = groq.error.filter(|Lenient(message)| !message.is_empty()) {
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let usage = chunk.usage.or(groq.usage);
        let choices = chunk.choices.unwrap_or_default();
        if self.started {
            if usage.is_some() || choices.iter().any(Choice::is_last) {
                events.extend(self.later_fields(data).map(ChatEvent::Extra));
            }
        } else if choices.is_empty() {
            // Azure tells of the prompt before the answer begins.
            if usage.is_none() {
                self.head.extend(unknown_fields(data));
            }
        } else {
            self.started = true;
            let mut start = ChatStart::new(chunk.id.unwrap_or_default().0, chunk.model.unwrap_or_default().0);
            self.head.extend(unknown_fields(data));
            start.extra.clone_from(&self.head);
            events.push(ChatEvent::Start(start));
        }
        for choice in choices {
            // Servers with a single choice may leave its index out.
            match choice.index.map_or(0, |index| index.0) {
                0 => self.choice(choice, &mut events)?,
                other if choice.is_last() => drop(self.others.remove(&other)),
                other => drop(self.others.insert(other)),
            }
        }
        let tier = chunk
            .service_tier
            .as_ref()
            .map(|tier| ServiceTier::named(&tier.0));
        events.extend(usage.map(|usage| {
            let mut usage = Usage::from(usage);
            usage.service_tier = tier.unwrap_or_default();
            ChatEvent::Usage(usage)
        }));
        Ok(events)
    }

    fn choice(&mut self, choice: Choice<'_>, events: &mut Vec<ChatEvent>) -> Result<()> {
        let reason = choice.finish_reason.filter(|Text(reason)| !reason.is_empty());
        if let Some(error) = error_in_choice(reason.as_ref().map(|reason| &*reason.0), choice.error) {
            return Err(error);
        }
        if let Some(delta) = choice.delta {
            self.delta(delta, events);
        }
        if let Some(Text(reason)) = reason
            && !self.finished
        {
            self.finished = true;
            events.extend(self.details.take().map(ChatEvent::Part));
            let reason = decode_finish_reason(&reason, !self.calls.is_empty());
            events.push(ChatEvent::Finish(reason));
        }
        Ok(())
    }

    /// The fields that come with the end of an answer and were not in its head, such as Perplexity's `citations`.
    fn later_fields(&mut self, data: &str) -> Option<Extra> {
        let later = unknown_fields(data);
        let new = later
            .fields_for(&CHAT)
            .filter(|(name, value)| *name != "created" && self.head.get(&CHAT, name) != Some(value))
            .map(|(name, value)| (name.to_owned(), value.clone()));
        let new = Extra::new(CHAT, new.collect());
        self.head.extend(new.clone());
        (!new.is_empty()).then_some(new)
    }

    fn delta(&mut self, delta: Delta<'_>, events: &mut Vec<ChatEvent>) {
        let said = |text: Option<Lenient>| text.map(|Lenient(text)| text).filter(|text| !text.is_empty());
        // Some servers write the same thought into both fields.
        if let Some(text) = said(delta.reasoning_content).or_else(|| said(delta.reasoning)) {
            events.push(ChatEvent::Reasoning(ReasoningDelta::text(text)));
        }
        for Block { signature, data, .. } in delta.thinking_blocks.unwrap_or_default() {
            // The text is in the field of its own.
            events.extend(data.map(|data| ChatEvent::Reasoning(ReasoningDelta::redacted(data))));
            let signature = signature.filter(|signature| !signature.is_empty());
            events.extend(
                signature.map(|signature| ChatEvent::Reasoning(ReasoningDelta::signature(signature))),
            );
        }
        if let Some(pieces) = delta.reasoning_details {
            self.details.push(pieces);
        }
        events.extend(said(delta.content).map(ChatEvent::Text));
        events.extend(said(delta.refusal).map(ChatEvent::Refusal));
        for call in delta.tool_calls.unwrap_or_default() {
            events.extend(self.calls.push(call).map(ChatEvent::ToolCall));
        }
        if let Some(function) = delta.function_call {
            events.extend(self.calls.push_function(function).map(ChatEvent::ToolCall));
        }
        if !delta.others.is_empty() {
            events.push(ChatEvent::Part(ContentPart::Other(Extra::new(
                CHAT,
                delta.others,
            ))));
        }
    }
}

/// What the first chunk says of the answer beside the known.
fn unknown_fields(data: &str) -> Extra {
    let Ok(mut fields) = Fields::parse(data, Path::ROOT) else {
        return Extra::default();
    };
    for known in ["id", "object", "model", "choices", "usage", "x_groq"] {
        fields.take_raw(known);
    }
    let rest = fields.rest(&CHAT);
    // `obfuscation` is padding of that one chunk.
    let kept = rest
        .fields_for(&CHAT)
        .filter(|(name, value)| *name != "obfuscation" && value.get() != "null");
    Extra::new(
        CHAT,
        kept.map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
    )
}

fn junk(problem: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("a frame of the stream is not a chat completion chunk: {problem}"),
    )
}

fn interrupted() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the stream ended before the answer was complete",
    )
}
