use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::{
    Body, ChatEvent, ChatFrame, ChatStart, ChatStream, ContentPart, Error, ErrorKind, Extra, RawJson,
    ReasoningDelta, Result, SseDecoder, TextPart, ToolCallDelta,
};
use futures_util::stream::Stream;

use super::response::{decode_block, finish_reason, not_a_message, rest};
use super::usage::Counts;
use super::{MESSAGES, error};
use crate::wire::{Fields, FrameDecoder, Held, Path, frames, items};

/// The answer to a streamed `POST /v1/messages`, as it arrives.
pub fn messages_stream(body: Body) -> ChatStream {
    ChatStream::in_dialect(MESSAGES, message_frames(body))
}

/// The frames of a body.
pub(crate) fn message_frames(body: Body) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    frames(body.into_stream(), EventReader::default())
}

/// Turns the bytes of a streamed answer into frames, however they were cut on the way.
///
/// Each of Anthropic's events is one frame with its own bytes. Citations of a text come as an empty text that carries them, once
/// the text is complete.
///
/// ```
/// use edge_ai_core::ChatEvent;
/// use edge_ai_providers::anthropic::MessagesStreamDecoder;
///
/// let mut decoder = MessagesStreamDecoder::new();
/// let frames = decoder.push("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into())?;
/// assert_eq!(frames[0].events, [ChatEvent::Done]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MessagesStreamDecoder(Held<EventReader>);

impl MessagesStreamDecoder {
    /// A decoder at a stream's beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the
    /// next call.
    ///
    /// # Errors
    /// An `error` event, by its type, or [`ErrorKind::BadUpstream`] for bytes that are no event. Nothing comes after it.
    pub fn push(&mut self, chunk: Bytes) -> Result<Vec<ChatFrame>> {
        self.0.push(chunk)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] unless `message_stop` was there.
    pub fn finish(&mut self) -> Result<Vec<ChatFrame>> {
        self.0.finish()
    }
}

#[derive(Debug, Default)]
struct EventReader {
    sse: SseDecoder,
    counts: Counts,
    blocks: BTreeMap<u64, Block>,
    calls: u32,
    state: State,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Waiting,
    Open,
    Ended,
}

/// A block that is still open.
#[derive(Debug)]
enum Block {
    Text { citations: Vec<RawJson> },
    Thinking,
    Call { index: u32, input: String },
    Other { start: String, input: String },
}

impl FrameDecoder for EventReader {
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>> {
        items(|frames| self.decode(chunk, frames))
    }

    fn finish(&mut self) -> Vec<Result<ChatFrame>> {
        self.end().err().map(Err).into_iter().collect()
    }
}

impl EventReader {
    fn decode(&mut self, chunk: Bytes, frames: &mut Vec<ChatFrame>) -> Result<()> {
        for event in self.sse.push(chunk)? {
            if self.state == State::Ended {
                break;
            }
            let events = if event.data.is_empty() {
                Vec::new()
            } else {
                self.events(&event.data)?
            };
            frames.push(ChatFrame::with_native(events, event.raw));
        }
        Ok(())
    }

    fn end(&self) -> Result<()> {
        match self.state {
            State::Ended => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Interrupted,
                "the stream ended before `message_stop`",
            )),
        }
    }

    fn events(&mut self, data: &str) -> Result<Vec<ChatEvent>> {
        let fields = Fields::parse(data, Path::ROOT).map_err(not_a_message)?;
        let kind: String = fields.peek("type").unwrap_or_default();
        if kind == "error" {
            return Err(error::from_event(data));
        }
        self.read(&kind, fields).map_err(not_a_message)
    }

    fn read(&mut self, kind: &str, mut fields: Fields<'_>) -> Result<Vec<ChatEvent>> {
        match kind {
            "message_start" if self.state == State::Waiting => {
                self.state = State::Open;
                self.message_start(Fields::parse(
                    fields.require_raw("message")?,
                    fields.path().field("message"),
                )?)
            }
            "content_block_start" => {
                let index = fields.require("index")?;
                self.block_start(index, fields.require_raw("content_block")?)
            }
            "content_block_delta" => {
                let index = fields.require("index")?;
                let delta = Fields::parse(fields.require_raw("delta")?, Path::ROOT.field("delta"))?;
                self.block_delta(index, delta)
            }
            "content_block_stop" => self.block_stop(fields.require("index")?),
            "message_delta" => self.message_delta(fields),
            "message_stop" => {
                self.state = State::Ended;
                Ok(vec![ChatEvent::Done])
            }
            // Pings, a repeated start, and events that do not exist yet, which clients must bear.
            _ => Ok(Vec::new()),
        }
    }

    fn message_start(&mut self, mut message: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let mut start = ChatStart::new(
            message.take::<String>("id")?.unwrap_or_default(),
            message.take::<String>("model")?.unwrap_or_default(),
        );
        for known in ["type", "role", "content", "stop_reason", "stop_sequence"] {
            let _ = message.take_raw(known);
        }
        let counts = message.take::<Counts>("usage")?;
        start.extra = rest(message);
        let mut events = vec![ChatEvent::Start(start)];
        events.extend(counts.map(|counts| self.count(counts)));
        Ok(events)
    }

    fn block_start(&mut self, index: u64, block: &str) -> Result<Vec<ChatEvent>> {
        let path = Path::ROOT.field("content_block");
        let mut events = Vec::new();
        let open = match decode_block(block, path)? {
            // An empty text.
            None => Block::Text {
                citations: Vec::new(),
            },
            Some(ContentPart::Text(part)) => {
                let citations = part
                    .extra
                    .get(&MESSAGES, "citations")
                    .and_then(|list| list.to().ok());
                if !part.text.is_empty() {
                    events.push(ChatEvent::Text(part.text));
                }
                Block::Text {
                    citations: citations.unwrap_or_default(),
                }
            }
            Some(ContentPart::Reasoning(part)) => {
                if !part.text.is_empty() || part.signature.is_some() || part.redacted.is_some() {
                    let mut delta = ReasoningDelta::text(part.text);
                    delta.signature = part.signature;
                    delta.redacted = part.redacted;
                    events.push(ChatEvent::Reasoning(delta));
                }
                Block::Thinking
            }
            Some(ContentPart::ToolCall(call)) => {
                let index = self.calls;
                self.calls = self.calls.saturating_add(1);
                events.push(ChatEvent::ToolCall(ToolCallDelta::start(
                    index, call.id, call.name,
                )));
                Block::Call {
                    index,
                    input: call.arguments,
                }
            }
            Some(_) => Block::Other {
                start: block.to_owned(),
                input: String::new(),
            },
        };
        self.blocks.insert(index, open);
        Ok(events)
    }

    fn block_delta(&mut self, index: u64, mut delta: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let kind: String = delta.require("type")?;
        let block = self.blocks.get_mut(&index);
        Ok(match (kind.as_str(), block) {
            ("text_delta", _) => vec![ChatEvent::Text(delta.require("text")?)],
            ("thinking_delta", _) => {
                vec![ChatEvent::Reasoning(ReasoningDelta::text(
                    delta.require::<String>("thinking")?,
                ))]
            }
            ("signature_delta", _) => {
                vec![ChatEvent::Reasoning(ReasoningDelta::signature(
                    delta.require::<String>("signature")?,
                ))]
            }
            ("citations_delta", Some(Block::Text { citations })) => {
                citations.extend(delta.take::<RawJson>("citation")?);
                Vec::new()
            }
            ("input_json_delta", Some(Block::Call { index, input })) => {
                let more: String = delta.require("partial_json")?;
                if more.is_empty() {
                    return Ok(Vec::new());
                }
                // The start's input was a placeholder.
                input.clear();
                vec![ChatEvent::ToolCall(ToolCallDelta::arguments(*index, more))]
            }
            ("input_json_delta", Some(Block::Other { input, .. })) => {
                input.push_str(&delta.require::<String>("partial_json")?);
                Vec::new()
            }
            _ => Vec::new(),
        })
    }

    fn block_stop(&mut self, index: u64) -> Result<Vec<ChatEvent>> {
        Ok(match self.blocks.remove(&index) {
            Some(Block::Text { citations }) if !citations.is_empty() => {
                let list = RawJson::from_serialize(&citations)?;
                let extra = Extra::new(MESSAGES, vec![("citations".to_owned(), list)]);
                vec![ChatEvent::Part(ContentPart::Text(TextPart::new("", extra)))]
            }
            // No delta came: the tool takes no arguments, or they were in the start.
            Some(Block::Call { index, input }) if !input.is_empty() => {
                vec![ChatEvent::ToolCall(ToolCallDelta::arguments(index, input))]
            }
            Some(Block::Other { start, input }) => vec![ChatEvent::Part(other(&start, &input)?)],
            _ => Vec::new(),
        })
    }

    fn message_delta(&mut self, mut fields: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let mut events = Vec::new();
        if let Some(delta) = fields.take_raw("delta") {
            let mut delta = Fields::parse(delta, Path::ROOT.field("delta"))?;
            let reason = delta.take::<String>("stop_reason")?;
            events.extend(reason.map(|reason| ChatEvent::Finish(finish_reason(&reason))));
        }
        let counts = fields.take::<Counts>("usage")?;
        events.extend(counts.map(|counts| self.count(counts)));
        Ok(events)
    }

    fn count(&mut self, counts: Counts) -> ChatEvent {
        self.counts = self.counts.updated(counts);
        ChatEvent::Usage(self.counts.usage())
    }
}

/// A block of Anthropic's own, with the input that came in pieces.
fn other(start: &str, input: &str) -> Result<ContentPart> {
    let rest = Fields::parse(start, Path::ROOT)?.rest(&MESSAGES);
    // An answer that comes to its limit within the input leaves a piece of JSON: the block stays as it began.
    let Ok(input) = RawJson::parse(input) else {
        return Ok(ContentPart::Other(rest));
    };
    let fields = rest
        .fields_for(&MESSAGES)
        .map(|(name, value)| {
            (
                name.to_owned(),
                if name == "input" {
                    input.clone()
                } else {
                    value.clone()
                },
            )
        })
        .collect();
    Ok(ContentPart::Other(Extra::new(MESSAGES, fields)))
}
