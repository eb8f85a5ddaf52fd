mod arguments;
mod blocks;
mod native;
mod writer;

use bytes::Bytes;
use edge_ai_core::{ChatEvent, ChatFrame, ContentPart, Dialect, Error, FinishReason, Usage};

use self::blocks::Blocks;
use self::writer::Writer;
use super::stop_reason::encode_stop_reason;
use super::{MESSAGES, encode_error};
use crate::openai::Head;
use crate::wire::shown_id;

/// Writes a stream for a client of Anthropic's dialect, as a state machine: whatever comes in, what goes out is legal.
///
/// Frames that came in this dialect go out as they are. From the first frame without bytes of its own on, events are written anew, going on
/// where the bytes have stopped: another vendor's stream, or one that was changed on its way.
///
/// - One `message_start`, then blocks one after the other, each closed before the next one opens, then one `message_delta` and
///   `message_stop`, both at the end mark: the usage comes after the reason to stop with most vendors. An answer that breaks off gets neither.
/// - Calls that interleave are set apart: what comes while a call is open waits until its arguments are a whole object. A call is closed as
///   soon as they are, so that a client may run the tool while others are still written.
/// - Arguments go out as far as they are the beginning of a JSON object, which is what the SDKs can parse; those of a call
///   without any are `{}`.
/// - Thoughts, refusals, ids, and what is left out are as in [`encode_messages_response`](super::encode_messages_response).
///
/// ```
/// use edge_ai_core::{ChatEvent, ChatFrame};
/// use edge_ai_providers::anthropic::MessagesStreamEncoder;
/// use edge_ai_providers::openai::Head;
///
/// let mut encoder = MessagesStreamEncoder::new(Head::default());
/// let bytes = encoder.encode(&ChatFrame::new(vec![ChatEvent::Text("Hi".into())]), None);
/// assert!(bytes.starts_with(b"event: message_start\ndata: {\"type\":\"message_start\""));
/// ```
#[derive(Debug)]
pub struct MessagesStreamEncoder {
    head: Head,
    writer: Writer,
    blocks: Blocks,
    progress: Progress,
    /// Events are written by us, not by the vendor.
    own: bool,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    calls: bool,
    refused: bool,
}

/// How far the message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Waiting,
    /// `message_start` is out.
    Started,
    /// `message_delta` is out.
    Stopping,
    /// `message_stop` or an error is out.
    Ended,
}

impl MessagesStreamEncoder {
    /// An encoder at a stream's beginning. `head` stands in where the stream does not say its id and model.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            writer: Writer::default(),
            blocks: Blocks::default(),
            progress: Progress::Waiting,
            own: false,
            finish: None,
            usage: None,
            calls: false,
            refused: false,
        }
    }

    /// The bytes of the next frame of a stream in `dialect`; may be none.
    pub fn encode(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes {
        if self.progress == Progress::Ended {
            return Bytes::new();
        }
        match frame.native.as_ref().filter(|_| dialect == Some(&MESSAGES)) {
            Some(native) if !self.own || self.is_of_foreign_block(native, &frame.events) => {
                self.follow(native, &frame.events);
                native.clone()
            }
            _ => {
                self.own = true;
                self.write(&frame.events);
                self.writer.take()
            }
        }
    }

    /// The bytes of an error in the stream: an `error` event. It is the last that the client hears: no end mark follows, so that the
    /// answer cannot be taken for a complete one.
    pub fn error(&mut self, error: &Error) -> Bytes {
        if self.progress == Progress::Ended {
            return Bytes::new();
        }
        self.progress = Progress::Ended;
        self.writer.error(&encode_error(error));
        self.writer.take()
    }

    fn write(&mut self, events: &[ChatEvent]) {
        for event in events {
            self.note(event);
        }
        for event in events {
            match event {
                ChatEvent::Text(text) => self.blocks.text(text, false),
                ChatEvent::Refusal(text) => self.blocks.text(text, true),
                ChatEvent::Reasoning(delta) => self.blocks.reasoning(delta),
                ChatEvent::ToolCall(delta) => self.blocks.call(delta),
                ChatEvent::Part(part) => self.blocks.part(part),
                ChatEvent::Done => {
                    self.end();
                    return;
                }
                // The head, the reason and the usage are for later.
                _ => continue,
            }
            if self.progress < Progress::Stopping {
                self.start();
                self.blocks.write(&mut self.writer, false);
            }
        }
        if events.iter().any(|event| matches!(event, ChatEvent::Start(_))) {
            self.start();
        }
    }

    /// Keeps what the end of the message will say, and its beginning.
    fn note(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Start(start) if self.progress == Progress::Waiting => {
                self.head.id = shown_id("msg_", &start.id, &self.head.id);
                if !start.model.is_empty() {
                    self.head.model.clone_from(&start.model);
                }
            }
            ChatEvent::ToolCall(_) | ChatEvent::Part(ContentPart::ToolCall(_)) => self.calls = true,
            ChatEvent::Refusal(_) | ChatEvent::Part(ContentPart::Refusal(_)) => self.refused = true,
            ChatEvent::Finish(reason) => self.finish = Some(reason.clone()),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            _ => {}
        }
    }

    fn start(&mut self) {
        if self.progress == Progress::Waiting {
            self.progress = Progress::Started;
            self.blocks.set_answer(&self.head.id);
            self.writer.message_start(&self.head, self.usage.as_ref());
        }
    }

    fn end(&mut self) {
        self.start();
        if self.progress < Progress::Stopping {
            self.blocks.write(&mut self.writer, true);
            let reason = encode_stop_reason(self.finish.as_ref(), self.calls, self.refused);
            self.writer.message_delta(reason, self.usage.as_ref());
        }
        self.writer.message_stop();
        self.progress = Progress::Ended;
    }
}
