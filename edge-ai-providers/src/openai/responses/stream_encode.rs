mod calls;
mod native;
mod open;
mod writer;

use std::collections::BTreeSet;

use bytes::Bytes;
use edge_ai_core::{ChatEvent, ChatFrame, ContentPart, Dialect, Error, FinishReason, ReasoningDelta, Usage};

use self::calls::Calls;
use self::native::Native;
use self::open::Open;
use self::writer::Writer;
use super::answer::{self, Ids, State};
use super::{Echo, RESPONSES, status};
use crate::citation;
use crate::openai::{Head, encode_error};
use crate::wire::shown_id;

/// Writes a stream for a client of this dialect, as a state machine: whatever comes in, what goes out is legal.
///
/// Frames that came in this dialect go out as they are. From the first frame without bytes of its own on, events are written anew, going on
/// where the bytes have stopped: another vendor's stream, or one that was changed on its way.
///
/// - One `response.created` first, then items, then one `response.completed` or `response.incomplete` with all of them. Events are numbered
///   without a gap.
/// - Messages and thoughts come one after the other. Calls may be open beside each other, each with its own `output_index`; a call is closed
///   once something else begins and its arguments are whole, so that a client may run it.
/// - Every item, content part and text is closed, also when the answer is cut short. Arguments of a call without any are `{}`.
/// - Thoughts, and what is left out, are as in [`encode_responses_response`](super::encode_responses_response).
///
/// ```
/// use edge_ai_core::{ChatEvent, ChatFrame};
/// use edge_ai_providers::openai::Head;
/// use edge_ai_providers::openai::responses::{Echo, ResponsesStreamEncoder};
///
/// let mut encoder = ResponsesStreamEncoder::new(Head::default(), Echo::default());
/// let bytes = encoder.encode(&ChatFrame::new(vec![ChatEvent::Text("Hi".into())]), None);
/// assert!(bytes.starts_with(b"event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"));
/// ```
#[derive(Debug)]
pub struct ResponsesStreamEncoder {
    head: Head,
    echo: Echo,
    writer: Writer,
    native: Native,
    /// Events are written by us, not by the vendor.
    own: bool,
    started: bool,
    /// The end or an error is out.
    ended: bool,
    items: Items,
    open: Open,
    calls: Calls,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

/// The items so far, by their places; `None` for one that is open.
#[derive(Debug, Default)]
struct Items {
    ids: Ids,
    done: Vec<Option<Vec<u8>>>,
    /// The names that the vendor gave to thoughts.
    thoughts: BTreeSet<String>,
}

impl Items {
    /// The place of a new one.
    fn begin(&mut self) -> usize {
        self.done.push(None);
        self.done.len() - 1
    }

    /// Closes one.
    fn end(&mut self, writer: &mut Writer, index: usize, item: Vec<u8>) {
        writer.item("response.output_item.done", index, &item);
        if let Some(place) = self.done.get_mut(index) {
            *place = Some(item);
        }
    }
}

impl ResponsesStreamEncoder {
    /// An encoder at a stream's beginning. `head` stands in where the stream does not say its id and model.
    pub fn new(head: Head, echo: Echo) -> Self {
        Self {
            head,
            echo,
            writer: Writer::default(),
            native: Native::default(),
            own: false,
            started: false,
            ended: false,
            items: Items::default(),
            open: Open::Nothing,
            calls: Calls::default(),
            finish: None,
            usage: None,
        }
    }

    /// The bytes of the next frame of a stream in `dialect`; may be none.
    pub fn encode(&mut self, frame: &ChatFrame, dialect: Option<&Dialect>) -> Bytes {
        if self.ended {
            return Bytes::new();
        }
        if let Some(native) = frame
            .native
            .as_ref()
            .filter(|_| dialect == Some(&RESPONSES) && !self.own)
        {
            self.ended = frame.is_last();
            self.native.follow(native);
            return native.clone();
        }
        self.adopt();
        self.note(&frame.events);
        for event in &frame.events {
            self.event(event);
        }
        self.writer.take()
    }

    /// The bytes of an error in the stream: an `error` event, which OpenAI's SDKs raise. It is the last that the client hears: no
    /// `response.completed` follows, so that the answer cannot be taken for a complete one.
    pub fn error(&mut self, error: &Error) -> Bytes {
        if std::mem::replace(&mut self.ended, true) {
            return Bytes::new();
        }
        self.adopt();
        self.start();
        self.writer.error(&encode_error(error));
        self.writer.take()
    }

    /// Goes on where the vendor's own bytes have stopped.
    fn adopt(&mut self) {
        if std::mem::replace(&mut self.own, true) {
            return;
        }
        let Some(so_far) = self.native.read() else { return };
        self.started = true;
        self.head.id = so_far.id;
        self.items.ids = Ids::of(&self.head.id);
        self.items.done = so_far.items;
        self.writer.go_on(so_far.next_event);
        for (index, item) in so_far.open {
            self.items.end(&mut self.writer, index, item);
        }
    }

    /// Keeps what the end of the response will say, and its beginning.
    fn note(&mut self, events: &[ChatEvent]) {
        for event in events {
            match event {
                ChatEvent::Start(start) if !self.started => {
                    self.head.id = shown_id("resp_", &start.id, &self.head.id);
                    if !start.model.is_empty() {
                        self.head.model.clone_from(&start.model);
                    }
                }
                ChatEvent::Finish(reason) => self.finish = Some(reason.clone()),
                ChatEvent::Usage(usage) => self.usage = Some(*usage),
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Start(_) => self.start(),
            ChatEvent::Text(text) => self.say(text, false),
            ChatEvent::Refusal(text) => self.say(text, true),
            ChatEvent::Reasoning(delta) => self.reasoning(delta),
            ChatEvent::ToolCall(delta) => {
                self.start();
                if !self.calls.has_begun(delta.index) {
                    self.close("completed");
                }
                self.calls.push(&mut self.items, &mut self.writer, delta);
            }
            ChatEvent::Part(part) => self.part(part),
            ChatEvent::Done => self.end(),
            // The reason and the usage are for later.
            _ => {}
        }
    }

    fn say(&mut self, text: &str, refusal: bool) {
        if text.is_empty() {
            return;
        }
        self.start();
        if !self.open.is_message() {
            self.close("completed");
            self.open = Open::message(&mut self.items, &mut self.writer);
        }
        self.open.say(&mut self.writer, text, refusal);
    }

    fn reasoning(&mut self, delta: &ReasoningDelta) {
        if delta.text.is_empty() && delta.signature.is_none() && delta.redacted.is_none() {
            return;
        }
        self.start();
        if !self.open.is_thought() || delta.redacted.is_some() {
            self.close("completed");
            self.open = Open::thought(&mut self.items, &mut self.writer, delta);
        }
        if self.open.think(&mut self.writer, delta) {
            self.close("completed");
        }
    }

    /// Parts that arrive whole.
    fn part(&mut self, part: &ContentPart) {
        if let Some(extra) = citation::alone(part) {
            return self.open.annotate(&mut self.writer, extra);
        }
        match part {
            ContentPart::Text(part) => {
                self.say(&part.text, false);
                self.open.annotate(&mut self.writer, &part.extra);
            }
            ContentPart::Refusal(text) => self.say(text, true),
            ContentPart::Reasoning(part) => {
                let mut delta = ReasoningDelta::text(part.text.as_str());
                delta.signature.clone_from(&part.signature);
                delta.redacted.clone_from(&part.redacted);
                self.reasoning(&delta);
            }
            ContentPart::ToolCall(call) => {
                self.start();
                self.close("completed");
                self.calls.push_whole(&mut self.items, &mut self.writer, call);
            }
            other => {
                if let Some(item) = answer::own(other) {
                    self.start();
                    self.close("completed");
                    let index = self.items.begin();
                    self.writer.item("response.output_item.added", index, &item);
                    self.items.end(&mut self.writer, index, item);
                }
            }
        }
    }

    /// Closes what is open, and the calls that are whole.
    fn close(&mut self, status: &str) {
        std::mem::replace(&mut self.open, Open::Nothing).close(&mut self.items, &mut self.writer, status);
        self.calls.settle(&mut self.items, &mut self.writer);
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.items.ids = Ids::of(&self.head.id);
        for kind in ["response.created", "response.in_progress"] {
            let (head, echo) = (&self.head, &self.echo);
            self.writer.event(kind, |event| {
                event.object("response", |object| {
                    answer::write_response(object, head, echo, &State::InProgress, |_| Ok(()))
                })
            });
        }
    }

    fn end(&mut self) {
        self.start();
        let reason = self.finish.take().unwrap_or_default();
        self.close(status::of(&reason));
        self.calls
            .end(&mut self.items, &mut self.writer, status::of(&reason));
        let kind = if status::incomplete(&reason).is_some() {
            "response.incomplete"
        } else {
            "response.completed"
        };
        let (head, echo, items) = (&self.head, &self.echo, &self.items);
        let state = State::Ended(&reason, self.usage.as_ref());
        self.writer.event(kind, |event| {
            event.object("response", |object| {
                answer::write_response(object, head, echo, &state, |array| {
                    items.done.iter().flatten().for_each(|item| array.json(item));
                    Ok(())
                })
            })
        });
        self.ended = true;
    }
}
