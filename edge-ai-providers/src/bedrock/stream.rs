use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::{
    Body, ChatEvent, ChatFrame, ChatStart, ChatStream, ContentPart, Error, ErrorKind, Extra, RawJson,
    ReasoningDelta, Result, TextPart, ToolCallDelta,
};
use futures_util::stream::Stream;

use super::CONVERSE;
use super::error::from_exception;
use super::eventstream::{Decoder, Message};
use super::response::{cited, finish_reason, not_an_answer};
use super::usage::TokenUsage;
use crate::wire::{Fields, FrameDecoder, Held, Path, frames, items};

/// The answer of `model` to a `POST /model/{model}/converse-stream`, as it arrives.
pub fn converse_stream(model: &str, body: Body) -> ChatStream {
    ChatStream::new(converse_frames(model, body))
}

/// The frames of a body.
pub(super) fn converse_frames(
    model: &str,
    body: Body,
) -> impl Stream<Item = Result<ChatFrame>> + Send + 'static {
    frames(body.into_stream(), EventReader::new(model))
}

/// Turns the bytes of a streamed answer into frames, however they were cut on the way.
///
/// Each of Bedrock's messages is one frame. Blocks that only Bedrock knows, such as the results of its own tools, are passed over. Citations of a text come as an empty text that carries them, once the text is complete.
///
/// ```
/// use edge_ai_core::ChatEvent;
/// use edge_ai_providers::bedrock::ConverseStreamDecoder;
/// use edge_ai_providers::bedrock::eventstream::Message;
///
/// let mut decoder = ConverseStreamDecoder::new("amazon.nova-lite-v1:0");
/// let delta = Message::event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#);
/// let frames = decoder.push(delta.encode())?;
/// assert_eq!(frames[0].events, [ChatEvent::Text("Hi".into())]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ConverseStreamDecoder(Held<EventReader>);

impl ConverseStreamDecoder {
    /// A decoder at the beginning of an answer of `model`.
    pub fn new(model: &str) -> Self {
        Self(Held::new(EventReader::new(model)))
    }

    /// Takes the next bytes and returns the frames that they complete. An error that follows complete frames comes with the
    /// next call.
    ///
    /// # Errors
    /// An exception, by its type, or [`ErrorKind::BadUpstream`] for bytes that are no message. Nothing comes after it.
    pub fn push(&mut self, chunk: Bytes) -> Result<Vec<ChatFrame>> {
        self.0.push(chunk)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] unless `messageStop` and `metadata` were there.
    pub fn finish(&mut self) -> Result<Vec<ChatFrame>> {
        self.0.finish()
    }
}

#[derive(Debug)]
struct EventReader {
    model: String,
    decoder: Decoder,
    blocks: BTreeMap<u64, Block>,
    calls: u32,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Open,
    /// The answer is complete, and what it took is still to come.
    Stopped,
    Ended,
}

/// A block that is still open.
#[derive(Debug)]
enum Block {
    Text { citations: Vec<RawJson> },
    Call { index: u32, empty: bool },
}

impl FrameDecoder for EventReader {
    fn push(&mut self, chunk: Bytes) -> Vec<Result<ChatFrame>> {
        items(|frames| self.decode(&chunk, frames))
    }

    fn finish(&mut self) -> Vec<Result<ChatFrame>> {
        self.end().err().map(Err).into_iter().collect()
    }
}

impl EventReader {
    fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            decoder: Decoder::new(),
            blocks: BTreeMap::new(),
            calls: 0,
            state: State::Open,
        }
    }

    fn decode(&mut self, chunk: &[u8], frames: &mut Vec<ChatFrame>) -> Result<()> {
        self.decoder.push(chunk);
        while self.state != State::Ended {
            let Some(message) = self.decoder.next_message()? else {
                break;
            };
            frames.push(ChatFrame::new(self.message(&message)?));
        }
        Ok(())
    }

    fn end(&self) -> Result<()> {
        let missing = match self.state {
            State::Ended => return Ok(()),
            State::Open => "messageStop",
            State::Stopped => "metadata",
        };
        let message = format!("the stream ended before `{missing}`");
        Err(Error::new(ErrorKind::Interrupted, message))
    }

    fn message(&mut self, message: &Message) -> Result<Vec<ChatEvent>> {
        let header = |name: &str| message.header(name).unwrap_or_default();
        match header(":message-type") {
            "event" => {
                let text = std::str::from_utf8(&message.payload).map_err(|error| {
                    Error::new(ErrorKind::BadUpstream, "an event is not UTF-8").with_source(error)
                })?;
                self.event(header(":event-type"), text).map_err(not_an_answer)
            }
            "exception" => Err(from_exception(header(":exception-type"), &message.payload)),
            "error" => {
                let told = Error::new(ErrorKind::BadUpstream, header(":error-message"));
                Err(told.with_code(header(":error-code")))
            }
            // Kinds that do not exist yet.
            _ => Ok(Vec::new()),
        }
    }

    fn event(&mut self, kind: &str, text: &str) -> Result<Vec<ChatEvent>> {
        let mut fields = Fields::parse(text, Path::ROOT)?;
        match kind {
            "messageStart" => Ok(vec![ChatEvent::Start(ChatStart::new("", self.model.as_str()))]),
            "contentBlockStart" => {
                let index = fields.require("contentBlockIndex")?;
                let start = fields.take_raw("start").unwrap_or("{}");
                self.block_start(index, Fields::parse(start, Path::ROOT.field("start"))?)
            }
            "contentBlockDelta" => {
                let index = fields.require("contentBlockIndex")?;
                let delta = Fields::parse(fields.require_raw("delta")?, Path::ROOT.field("delta"))?;
                self.block_delta(index, delta)
            }
            "contentBlockStop" => self.block_stop(fields.require("contentBlockIndex")?),
            "messageStop" => {
                self.state = State::Stopped;
                let reason: String = fields.require("stopReason")?;
                let mut events = vec![ChatEvent::Finish(finish_reason(&reason))];
                events.extend(extra(fields, "additionalModelResponseFields")?);
                Ok(events)
            }
            "metadata" => self.metadata(fields),
            _ => Ok(Vec::new()),
        }
    }

    /// The last event. One that comes before `messageStop` ends nothing.
    fn metadata(&mut self, mut fields: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let usage = fields.take::<TokenUsage>("usage")?;
        let mut events: Vec<_> = usage
            .map(|usage| ChatEvent::Usage(usage.into()))
            .into_iter()
            .collect();
        let _ = fields.take_raw("p");
        let rest = fields.rest(&CONVERSE);
        if !rest.is_empty() {
            events.push(ChatEvent::Extra(rest));
        }
        if self.state == State::Stopped {
            self.state = State::Ended;
            events.push(ChatEvent::Done);
        }
        Ok(events)
    }

    fn block_start(&mut self, index: u64, mut start: Fields<'_>) -> Result<Vec<ChatEvent>> {
        let Some(call) = start.take_raw("toolUse") else {
            return Ok(Vec::new());
        };
        let mut call = Fields::parse(call, Path::ROOT.field("toolUse"))?;
        let number = self.calls;
        self.calls = self.calls.saturating_add(1);
        let block = Block::Call {
            index: number,
            empty: true,
        };
        self.blocks.insert(index, block);
        let id: String = call.require("toolUseId")?;
        let name: String = call.require("name")?;
        Ok(vec![ChatEvent::ToolCall(ToolCallDelta::start(number, id, name))])
    }

    fn block_delta(&mut self, index: u64, mut delta: Fields<'_>) -> Result<Vec<ChatEvent>> {
        if let Some(text) = delta.take::<String>("text")? {
            return Ok(vec![ChatEvent::Text(text)]);
        }
        if let Some(call) = delta.take_raw("toolUse") {
            let input = Fields::parse(call, Path::ROOT.field("toolUse"))?.take::<String>("input")?;
            let more = input.filter(|input| !input.is_empty());
            return Ok(match (self.blocks.get_mut(&index), more) {
                (Some(Block::Call { index, empty }), Some(more)) => {
                    *empty = false;
                    vec![ChatEvent::ToolCall(ToolCallDelta::arguments(*index, more))]
                }
                _ => Vec::new(),
            });
        }
        if let Some(thought) = delta.take_raw("reasoningContent") {
            return thought_delta(Fields::parse(thought, Path::ROOT.field("reasoningContent"))?);
        }
        if let Some(citation) = delta.take::<RawJson>("citation")? {
            let block = self.blocks.entry(index).or_insert(Block::Text {
                citations: Vec::new(),
            });
            if let Block::Text { citations } = block {
                citations.push(citation);
            }
        }
        Ok(Vec::new())
    }

    fn block_stop(&mut self, index: u64) -> Result<Vec<ChatEvent>> {
        Ok(match self.blocks.remove(&index) {
            Some(Block::Text { citations }) => {
                let extra = cited(Some(RawJson::from_serialize(&citations)?));
                vec![ChatEvent::Part(ContentPart::Text(TextPart::new("", extra)))]
            }
            // The tool takes no arguments.
            Some(Block::Call { index, empty: true }) => {
                vec![ChatEvent::ToolCall(ToolCallDelta::arguments(index, "{}"))]
            }
            _ => Vec::new(),
        })
    }
}

fn thought_delta(mut thought: Fields<'_>) -> Result<Vec<ChatEvent>> {
    let mut delta = ReasoningDelta::text(thought.take::<String>("text")?.unwrap_or_default());
    delta.signature = thought
        .take::<String>("signature")?
        .filter(|signature| !signature.is_empty());
    delta.redacted = thought.take("redactedContent")?;
    let empty = delta == ReasoningDelta::default();
    Ok(if empty {
        Vec::new()
    } else {
        vec![ChatEvent::Reasoning(delta)]
    })
}

/// An unknown field of the answer.
fn extra(mut fields: Fields<'_>, name: &str) -> Result<Option<ChatEvent>> {
    let value = fields.take::<RawJson>(name)?;
    Ok(value.map(|value| ChatEvent::Extra(Extra::new(CONVERSE, vec![(name.to_owned(), value)]))))
}
