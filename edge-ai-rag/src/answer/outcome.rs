use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use edge_ai_core::{ChatEvent, ChatFrame, ChatOutput, ChatStream, ContentPart, Result, TextPart, Trail};
use futures_util::stream::{BoxStream, Stream, StreamExt};

use super::scan::Scanner;
use super::{Citation, Source, parts};

/// An answer with what it is made from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// What the model said, with marks such as `[1]` where it cites; its usage is the answering model's.
    pub output: ChatOutput,
    /// The passages that the model was given, best first; none when there were none worth it, and no model was asked.
    pub sources: Vec<Source>,
    /// Every mark in the text, in order.
    pub citations: Vec<Citation>,
    /// Numbers that the model cited though no source has them; they are not in the text.
    pub invented: Vec<u32>,
}

impl Answer {
    /// The text.
    pub fn text(&self) -> String {
        self.output.text()
    }

    /// As a chat's answer: sources and citations are unknown fields of OpenAI's dialect.
    pub(super) fn into_output(self) -> ChatOutput {
        let mut output = self.output;
        let after = parts::citations(&self.citations, &self.sources, &self.invented);
        output.content = parts::sources(&self.sources)
            .into_iter()
            .chain(output.content)
            .chain(after)
            .collect();
        output
    }
}

/// What happens in an answer, in this order: its sources, the model's events, its citations before the last of these.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnswerEvent {
    /// The passages that the model was given, best first.
    Sources(Vec<Source>),
    /// An event of the answering model, texts with checked marks.
    Chat(ChatEvent),
    /// All of the text has been said: where it cites, and what it invented.
    Citations {
        /// Every mark in the text, in order.
        citations: Vec<Citation>,
        /// Numbers that no source has.
        invented: Vec<u32>,
    },
}

/// An answer as it arrives; it keeps the rules of [`ChatStream`]: one that ends without [`ChatEvent::Done`] ends with an error.
pub struct AnswerStream(BoxStream<'static, Result<AnswerEvent>>);

impl AnswerStream {
    /// The answer of a model that was given `sources`. With `cites`, marks are read.
    pub(super) fn new(inner: ChatStream, sources: Vec<Source>, cites: bool, trail: Trail) -> Self {
        let mut reading = Reading::new(sources, cites, trail);
        let events = inner.flat_map(move |frame| {
            let events: Vec<Result<AnswerEvent>> = match frame {
                Ok(frame) => frame
                    .events
                    .into_iter()
                    .flat_map(|event| reading.event(event))
                    .map(Ok)
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            futures_util::stream::iter(events)
        });
        Self(events.boxed())
    }

    /// As a chat's stream: sources and citations are parts of OpenAI's dialect.
    pub(super) fn into_chat(self) -> ChatStream {
        let mut sources = Vec::new();
        ChatStream::new(self.0.map(move |event| {
            let event = match event? {
                AnswerEvent::Chat(event) => Some(event),
                AnswerEvent::Sources(found) => {
                    sources = found;
                    parts::sources(&sources).map(ChatEvent::Part)
                }
                AnswerEvent::Citations { citations, invented } => {
                    parts::citations(&citations, &sources, &invented).map(ChatEvent::Part)
                }
            };
            Ok(ChatFrame::new(event.into_iter().collect()))
        }))
    }
}

impl Stream for AnswerStream {
    type Item = Result<AnswerEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream").finish_non_exhaustive()
    }
}

/// A model's whole answer, read.
pub(super) fn whole(mut output: ChatOutput, sources: Vec<Source>, cites: bool, trail: Trail) -> Answer {
    let mut reading = Reading::new(sources, cites, trail);
    let mut content = Vec::with_capacity(output.content.len());
    for part in std::mem::take(&mut output.content) {
        match part {
            ContentPart::Text(part) => {
                let mut text = reading.text(&part.text);
                text.push_str(&reading.rest());
                if !text.is_empty() || !part.extra.is_empty() {
                    content.push(ContentPart::Text(TextPart::new(text, part.extra)));
                }
            }
            other => content.push(other),
        }
    }
    output.content = content;
    let (citations, invented) = reading.cited();
    Answer {
        output,
        sources: reading.sources,
        citations,
        invented,
    }
}

/// Follows a model's answer.
struct Reading {
    sources: Vec<Source>,
    scanner: Option<Scanner>,
    trail: Trail,
    told_sources: bool,
    told_citations: bool,
}

impl Reading {
    fn new(sources: Vec<Source>, cites: bool, trail: Trail) -> Self {
        Self {
            scanner: cites.then(|| Scanner::new(sources.clone())),
            sources,
            trail,
            told_sources: false,
            told_citations: false,
        }
    }

    fn event(&mut self, event: ChatEvent) -> Vec<AnswerEvent> {
        let mut events = Vec::with_capacity(2);
        let is_start = matches!(event, ChatEvent::Start(_));
        if !is_start {
            self.tell_sources(&mut events);
        }
        let event = match event {
            ChatEvent::Text(text) => Some(self.text(&text))
                .filter(|text| !text.is_empty())
                .map(ChatEvent::Text),
            ChatEvent::Part(ContentPart::Text(part)) => {
                let mut text = self.text(&part.text);
                text.push_str(&self.rest());
                Some(ChatEvent::Part(ContentPart::Text(TextPart::new(
                    text, part.extra,
                ))))
            }
            // Something that says nothing of the text does not wait for it.
            event @ (ChatEvent::Start(_)
            | ChatEvent::Reasoning(_)
            | ChatEvent::Usage(_)
            | ChatEvent::Extra(_)) => Some(event),
            event => {
                let rest = self.rest();
                if !rest.is_empty() {
                    events.push(AnswerEvent::Chat(ChatEvent::Text(rest)));
                }
                if matches!(event, ChatEvent::Finish(_) | ChatEvent::Done)
                    && !std::mem::replace(&mut self.told_citations, true)
                {
                    let (citations, invented) = self.cited();
                    events.push(AnswerEvent::Citations { citations, invented });
                }
                Some(event)
            }
        };
        events.extend(event.map(AnswerEvent::Chat));
        if is_start {
            self.tell_sources(&mut events);
        }
        events
    }

    fn tell_sources(&mut self, events: &mut Vec<AnswerEvent>) {
        if !std::mem::replace(&mut self.told_sources, true) {
            events.push(AnswerEvent::Sources(self.sources.clone()));
        }
    }

    fn text(&mut self, text: &str) -> String {
        match &mut self.scanner {
            Some(scanner) => scanner.push(text),
            None => text.to_owned(),
        }
    }

    fn rest(&mut self) -> String {
        self.scanner.as_mut().map(Scanner::finish).unwrap_or_default()
    }

    fn cited(&mut self) -> (Vec<Citation>, Vec<u32>) {
        let Some(scanner) = &mut self.scanner else {
            return (Vec::new(), Vec::new());
        };
        let invented = std::mem::take(&mut scanner.invented);
        if !invented.is_empty() {
            self.trail.warn(format!(
                "the answer cited sources that do not exist: {invented:?}"
            ));
        }
        (std::mem::take(&mut scanner.citations), invented)
    }
}
