use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{
    ChatEvent, ChatFrame, ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream, Clock, Error,
    ErrorKind, ManualClock, Result, Timestamp, async_trait,
};
use futures_util::stream;

use crate::InFlight;
use crate::in_flight::InFlightGuard;

/// A chat model that answers by a script, one step a request, and remembers the requests.
///
/// Every step serves both ways of asking: an output is also streamed, and a stream is also collected. A request past the end of the
/// script fails, unless [`otherwise`](Self::otherwise) says what to answer.
///
/// ```
/// use edge_ai_core::{ChatModel, ChatRequest, Error, ErrorKind};
/// use edge_ai_testkit::scripted::ScriptedChatModel;
///
/// # futures_executor::block_on(async {
/// let model = ScriptedChatModel::new().fail(Error::new(ErrorKind::Unavailable, "down")).answer("Paris");
/// assert!(model.chat(ChatRequest::new("m").user("Capital of France?")).await.is_err());
/// assert_eq!(model.chat(ChatRequest::new("m").user("Again?")).await?.text(), "Paris");
/// assert_eq!(model.requests().len(), 2);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct ScriptedChatModel {
    script: Arc<Mutex<Script>>,
    clock: Arc<dyn Clock>,
    in_flight: InFlight,
}

#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    otherwise: Option<Answerer>,
    requests: Vec<ChatRequest>,
}

type Answerer = Arc<dyn Fn(&ChatRequest) -> Result<ChatOutput> + Send + Sync>;

struct Step {
    delay: Duration,
    answer: Answer,
}

enum Answer {
    Output(ChatOutput),
    Stream(Vec<StreamStep>),
    Error(Error),
    Hang,
}

/// What happens next in a scripted stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamStep {
    /// A frame or an error arrives.
    Item(Result<ChatFrame>),
    /// Nothing arrives for a while.
    Wait(Duration),
    /// Nothing arrives any more, and the stream does not end.
    Hang,
}

impl StreamStep {
    /// A frame of one event.
    pub fn event(event: ChatEvent) -> Self {
        Self::Item(Ok(ChatFrame::new(vec![event])))
    }

    /// A frame of a piece of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::event(ChatEvent::Text(text.into()))
    }
}

impl ScriptedChatModel {
    /// A model with an empty script, on a clock that jumps over waits.
    pub fn new() -> Self {
        Self {
            script: Arc::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::default())),
            in_flight: InFlight::default(),
        }
    }

    /// A model that answers every request with what a function makes of it.
    pub fn from_fn(answer: impl Fn(&ChatRequest) -> Result<ChatOutput> + Send + Sync + 'static) -> Self {
        let model = Self::new();
        model.with(|script| script.otherwise = Some(Arc::new(answer)));
        model
    }

    /// Waits by this clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Next, answers with a text.
    #[must_use]
    pub fn answer(self, text: impl Into<String>) -> Self {
        self.output(ChatOutput::from_text(text))
    }

    /// Next, answers with an output.
    #[must_use]
    pub fn output(self, output: ChatOutput) -> Self {
        self.step(Answer::Output(output))
    }

    /// Next, answers with these events, a frame each. Without [`ChatEvent::Done`] at the end the stream breaks off.
    #[must_use]
    pub fn events(self, events: impl IntoIterator<Item = ChatEvent>) -> Self {
        self.stream(events.into_iter().map(StreamStep::event))
    }

    /// Next, answers with a stream of these steps.
    #[must_use]
    pub fn stream(self, steps: impl IntoIterator<Item = StreamStep>) -> Self {
        self.step(Answer::Stream(steps.into_iter().collect()))
    }

    /// Next, fails.
    #[must_use]
    pub fn fail(self, error: Error) -> Self {
        self.step(Answer::Error(error))
    }

    /// Next, never answers.
    #[must_use]
    pub fn hang(self) -> Self {
        self.step(Answer::Hang)
    }

    /// Makes the step before this one take `delay` until it answers.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        self.with(|script| {
            if let Some(step) = script.steps.back_mut() {
                step.delay += delay;
            }
        });
        self
    }

    /// Once the script is at its end, answers every request with this text.
    #[must_use]
    pub fn otherwise(self, text: impl Into<String>) -> Self {
        let output = ChatOutput::from_text(text);
        self.with(|script| script.otherwise = Some(Arc::new(move |_| Ok(output.clone()))));
        self
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.with(|script| script.requests.clone())
    }

    /// The last request.
    pub fn last_request(&self) -> Option<ChatRequest> {
        self.with(|script| script.requests.last().cloned())
    }

    /// Steps that were not asked for yet.
    pub fn remaining(&self) -> usize {
        self.with(|script| script.steps.len())
    }

    /// The calls and streams that are open: zero once the last one has been read to its end or dropped.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.clone()
    }

    fn step(self, answer: Answer) -> Self {
        self.with(|script| {
            script.steps.push_back(Step {
                delay: Duration::ZERO,
                answer,
            })
        });
        self
    }

    async fn next(&self, request: ChatRequest) -> Result<Answer> {
        let step = self.with(|script| {
            let step = script.steps.pop_front().map_or_else(
                || match &script.otherwise {
                    Some(otherwise) => Ok(Step {
                        delay: Duration::ZERO,
                        answer: otherwise(&request).map_or_else(Answer::Error, Answer::Output),
                    }),
                    None => Err(Error::new(
                        ErrorKind::Internal,
                        format!(
                            "the script has no answer to request {}",
                            script.requests.len() + 1
                        ),
                    )),
                },
                Ok,
            );
            script.requests.push(request);
            step
        })?;
        if !step.delay.is_zero() {
            self.clock.sleep(step.delay).await;
        }
        match step.answer {
            Answer::Error(error) => Err(error),
            Answer::Hang => std::future::pending().await,
            answer => Ok(answer),
        }
    }

    fn play(&self, steps: Vec<StreamStep>, guard: InFlightGuard) -> ChatStream {
        let clock = Arc::clone(&self.clock);
        let steps = steps.into_iter();
        ChatStream::new(stream::unfold(
            (steps, clock, guard),
            async |(mut steps, clock, guard)| {
                loop {
                    match steps.next()? {
                        StreamStep::Item(item) => return Some((item, (steps, clock, guard))),
                        StreamStep::Wait(time) => clock.sleep(time).await,
                        StreamStep::Hang => std::future::pending().await,
                    }
                }
            },
        ))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Script) -> T) -> T {
        f(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl ChatModel for ScriptedChatModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let guard = self.in_flight.enter();
        match self.next(request).await? {
            Answer::Output(output) => Ok(output.into()),
            Answer::Stream(steps) => Ok(self.play(steps, guard).collect().await?.into()),
            Answer::Error(error) => Err(error),
            Answer::Hang => std::future::pending().await,
        }
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let guard = self.in_flight.enter();
        match self.next(request).await? {
            Answer::Output(output) => {
                Ok(ChatStream::from_response(output.into()).inspect(move |_| {
                    // The guard lives as long as the stream that owns this closure.
                    let _ = &guard;
                }))
            }
            Answer::Stream(steps) => Ok(self.play(steps, guard)),
            Answer::Error(error) => Err(error),
            Answer::Hang => std::future::pending().await,
        }
    }
}

impl Default for ScriptedChatModel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ScriptedChatModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (remaining, requests) = self.with(|script| (script.steps.len(), script.requests.len()));
        f.debug_struct("ScriptedChatModel")
            .field("remaining", &remaining)
            .field("requests", &requests)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use futures_util::{FutureExt, StreamExt};

    fn ask() -> ChatRequest {
        ChatRequest::new("m").user("hi")
    }

    #[test]
    fn a_stream_is_also_collected_and_an_output_also_streamed() {
        let model = ScriptedChatModel::new()
            .events([
                ChatEvent::Text("a".into()),
                ChatEvent::Text("b".into()),
                ChatEvent::Done,
            ])
            .answer("c");
        assert_eq!(block_on(model.chat(ask())).unwrap().text(), "ab");
        assert_eq!(
            block_on(block_on(model.chat_stream(ask())).unwrap().collect())
                .unwrap()
                .text(),
            "c"
        );
        assert!(
            block_on(model.chat(ask()))
                .unwrap_err()
                .message()
                .contains("request 3")
        );
    }

    #[test]
    fn waits_pass_on_the_clock_and_open_streams_are_counted() {
        let clock = ManualClock::jumping(Timestamp::default());
        let model = ScriptedChatModel::new()
            .with_clock(clock.clone())
            .stream([
                StreamStep::text("a"),
                StreamStep::Wait(Duration::from_secs(5)),
                StreamStep::text("b"),
                StreamStep::Hang,
            ])
            .after(Duration::from_secs(1));
        let mut stream = block_on(model.chat_stream(ask())).unwrap();
        block_on(stream.next()).unwrap().unwrap();
        block_on(stream.next()).unwrap().unwrap();
        assert_eq!(clock.now().as_secs(), 6);
        assert!(stream.next().now_or_never().is_none());
        assert_eq!(model.in_flight().count(), 1);
        drop(stream);
        assert_eq!(model.in_flight().count(), 0);
    }
}
