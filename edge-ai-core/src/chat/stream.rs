use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::{ChatAccumulator, ChatOutput, ChatResponse, ContentPart, FinishReason};
use crate::{Dialect, Error, ErrorKind, Extra, Result, Usage};

/// An answer as it arrives: [frames](ChatFrame) of [events](ChatEvent).
///
/// It keeps the rules of [`ChatModel::chat_stream`](super::ChatModel::chat_stream) by itself: an end without [`ChatEvent::Done`]
/// becomes an error, and nothing follows an error or the end.
pub struct ChatStream {
    dialect: Option<Dialect>,
    frames: BoxStream<'static, Result<ChatFrame>>,
    ended: bool,
}

/// One step of an answer: the events it carries and, from a vendor, the vendor's own bytes for them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatFrame {
    /// What happened; may be nothing, for a ping or a comment.
    pub events: Vec<ChatEvent>,
    /// The frame in the stream's dialect, for clients that speak it.
    pub native: Option<Bytes>,
}

impl ChatFrame {
    /// Events of our own making.
    pub const fn new(events: Vec<ChatEvent>) -> Self {
        Self { events, native: None }
    }

    /// Whether it is the last one: the end mark is in it.
    pub fn is_last(&self) -> bool {
        self.events.contains(&ChatEvent::Done)
    }

    /// Drops what follows the end mark, and says whether there is one.
    fn end_at_done(&mut self) -> bool {
        let done = self.events.iter().position(|event| *event == ChatEvent::Done);
        self.events.truncate(done.map_or(usize::MAX, |at| at + 1));
        done.is_some()
    }

    /// A vendor's frame, with the events in it.
    pub const fn with_native(events: Vec<ChatEvent>, native: Bytes) -> Self {
        Self {
            events,
            native: Some(native),
        }
    }
}

/// What happens in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatEvent {
    /// The answer begins.
    Start(ChatStart),
    /// More text.
    Text(String),
    /// More thought.
    Reasoning(ReasoningDelta),
    /// More of a call.
    ToolCall(ToolCallDelta),
    /// More of a refusal.
    Refusal(String),
    /// A whole part of another kind.
    Part(ContentPart),
    /// Unknown fields of the answer that come after its head; one of a known name replaces the earlier.
    Extra(Extra),
    /// Why the model stopped.
    Finish(FinishReason),
    /// The tokens so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The end mark: the answer is complete.
    Done,
}

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatStart {
    /// The vendor's identifier of the answer.
    pub id: String,
    /// The model that answers.
    pub model: String,
    /// Unknown fields.
    pub extra: Extra,
}

impl ChatStart {
    /// The head of an answer.
    pub fn new(id: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            model: model.into(),
            extra: Extra::default(),
        }
    }
}

/// More thought. A signature or redacted data ends the thought that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReasoningDelta {
    /// More text.
    pub text: String,
    /// The thought's signature.
    pub signature: Option<String>,
    /// A whole thought that only the vendor can read.
    pub redacted: Option<String>,
}

impl ReasoningDelta {
    /// More text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The signature of the thought so far.
    pub fn signature(signature: impl Into<String>) -> Self {
        Self {
            signature: Some(signature.into()),
            ..Self::default()
        }
    }

    /// A thought that only the vendor can read.
    pub fn redacted(data: impl Into<String>) -> Self {
        Self {
            redacted: Some(data.into()),
            ..Self::default()
        }
    }
}

/// More of a call. Calls may interleave: the index says which one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolCallDelta {
    /// Which of the answer's calls, from 0.
    pub index: u32,
    /// The call's id, in its first delta.
    pub id: Option<String>,
    /// The tool's name, in the first delta.
    pub name: Option<String>,
    /// More of the arguments' JSON text.
    pub arguments: String,
    /// Unknown fields of the call, such as a signature that the vendor wants back with it.
    pub extra: Extra,
}

impl ToolCallDelta {
    /// The beginning of a call.
    pub fn start(index: u32, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            index,
            id: Some(id.into()),
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// More arguments.
    pub fn arguments(index: u32, arguments: impl Into<String>) -> Self {
        Self {
            index,
            arguments: arguments.into(),
            ..Self::default()
        }
    }
}

impl ChatStream {
    /// A stream of frames of our own making.
    pub fn new(frames: impl Stream<Item = Result<ChatFrame>> + Send + 'static) -> Self {
        Self {
            dialect: None,
            frames: frames.boxed(),
            ended: false,
        }
    }

    /// A stream of a vendor's frames.
    pub fn in_dialect(
        dialect: Dialect,
        frames: impl Stream<Item = Result<ChatFrame>> + Send + 'static,
    ) -> Self {
        Self {
            dialect: Some(dialect),
            ..Self::new(frames)
        }
    }

    /// An answer that is there already, as a stream.
    pub fn from_response(response: ChatResponse) -> Self {
        let events = events_of(response.into_inner());
        Self::new(stream::iter(
            events.into_iter().map(|event| Ok(ChatFrame::new(vec![event]))),
        ))
    }

    /// The dialect of the frames' own bytes.
    pub fn dialect(&self) -> Option<&Dialect> {
        self.dialect.as_ref()
    }

    /// Puts something around the stream that leaves its frames in their dialect.
    #[must_use]
    pub fn wrap<S>(self, around: impl FnOnce(Self) -> S) -> Self
    where
        S: Stream<Item = Result<ChatFrame>> + Send + 'static,
    {
        let dialect = self.dialect.clone();
        Self {
            dialect,
            ..Self::new(around(self))
        }
    }

    /// Passes every frame, error included, by `look` on its way.
    #[must_use]
    pub fn inspect(self, mut look: impl FnMut(&Result<ChatFrame>) + Send + 'static) -> Self {
        self.wrap(|stream| StreamExt::inspect(stream, move |item| look(item)))
    }

    /// Waits for all of it.
    ///
    /// # Errors
    /// The stream's error.
    pub async fn collect(mut self) -> Result<ChatOutput> {
        let mut accumulator = ChatAccumulator::default();
        while let Some(frame) = self.next().await {
            frame?
                .events
                .into_iter()
                .for_each(|event| accumulator.push(event));
        }
        Ok(accumulator.finish())
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatFrame>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(mut item) = self.frames.poll_next_unpin(context) else {
            return Poll::Pending;
        };
        let ended = match &mut item {
            Some(Ok(frame)) => frame.end_at_done(),
            Some(Err(_)) => true,
            None => {
                let message = "the stream ended before the answer was complete";
                item = Some(Err(Error::new(ErrorKind::Interrupted, message)));
                true
            }
        };
        if ended {
            // Whatever feeds the stream is let go at once, not when the client has read to the end.
            self.ended = true;
            self.frames = stream::empty().boxed();
        }
        Poll::Ready(item)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream")
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

/// The events that accumulate to `output`.
fn events_of(output: ChatOutput) -> Vec<ChatEvent> {
    let ChatOutput {
        id,
        model,
        content,
        finish_reason,
        usage,
        extra,
    } = output;
    let mut events = vec![ChatEvent::Start(ChatStart { id, model, extra })];
    let mut calls = 0;
    for part in content {
        match part {
            ContentPart::Text(part) if part.extra.is_empty() => events.push(ChatEvent::Text(part.text)),
            ContentPart::Reasoning(part) if part.extra.is_empty() => {
                events.push(ChatEvent::Reasoning(ReasoningDelta {
                    text: part.text,
                    signature: part.signature,
                    redacted: part.redacted,
                }));
            }
            ContentPart::ToolCall(call) => {
                events.push(ChatEvent::ToolCall(ToolCallDelta {
                    index: calls,
                    id: Some(call.id),
                    name: Some(call.name),
                    arguments: call.arguments,
                    extra: call.extra,
                }));
                calls += 1;
            }
            ContentPart::Refusal(text) => events.push(ChatEvent::Refusal(text)),
            other => events.push(ChatEvent::Part(other)),
        }
    }
    events.push(ChatEvent::Finish(finish_reason));
    events.extend(usage.map(ChatEvent::Usage));
    events.push(ChatEvent::Done);
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToolCall;
    use futures_executor::block_on;

    fn items(frames: Vec<Result<ChatFrame>>) -> Vec<Result<ChatFrame>> {
        block_on(StreamExt::collect::<Vec<_>>(ChatStream::new(stream::iter(
            frames,
        ))))
    }

    #[test]
    fn an_end_without_done_is_an_error() {
        let items = items(vec![Ok(ChatFrame::new(vec![ChatEvent::Text("half".into())]))]);
        assert_eq!(items.len(), 2);
        assert_eq!(items[1].as_ref().unwrap_err().kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn nothing_follows_the_end() {
        let after = ChatFrame::new(vec![ChatEvent::Done, ChatEvent::Text("late".into())]);
        let items = items(vec![Ok(after), Err(Error::new(ErrorKind::Interrupted, "reset"))]);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].as_ref().unwrap().events, [ChatEvent::Done]);
    }

    #[test]
    fn the_source_is_let_go_at_the_end() {
        let source = std::sync::Arc::new(());
        let held = std::sync::Arc::clone(&source);
        let done = stream::once(async move {
            let _held = held;
            Ok(ChatFrame::new(vec![ChatEvent::Done]))
        });
        let mut stream = ChatStream::new(done.chain(stream::pending()));
        assert!(block_on(stream.next()).unwrap().unwrap().is_last());
        assert_eq!(std::sync::Arc::strong_count(&source), 1);
        assert!(block_on(stream.next()).is_none());
    }

    #[test]
    fn nothing_follows_an_error() {
        let error = Error::new(ErrorKind::Unavailable, "gone");
        let items = items(vec![Err(error), Ok(ChatFrame::new(vec![ChatEvent::Done]))]);
        assert_eq!(items.len(), 1);
    }

    #[test]
    fn a_whole_answer_survives_as_a_stream() {
        let output = ChatOutput {
            id: "a".into(),
            model: "m".into(),
            content: vec![
                ContentPart::Reasoning(crate::ReasoningPart::new("hm", Some("sig".into()))),
                ContentPart::text("yes"),
                ContentPart::ToolCall(ToolCall::new("1", "f", "{}")),
                ContentPart::ToolCall(ToolCall::new("2", "g", "{\"a\":1}")),
            ],
            finish_reason: FinishReason::ToolCalls,
            usage: Some(Usage::new(3, 4)),
            extra: Extra::default(),
        };
        let back = block_on(ChatStream::from_response(output.clone().into()).collect()).unwrap();
        assert_eq!(back, output);
    }
}
