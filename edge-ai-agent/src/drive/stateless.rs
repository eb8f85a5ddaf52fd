use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use edge_ai_core::{Clock, Entropy, Error, Message, Result, Role};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream, StreamExt};

use super::engine::Engine;
use super::feed::{Feed, Subscription};
use super::inbox::Inbox;
use crate::run::{Run, RunInput, RunPlan};
use crate::{Agent, RunEvent, ToolContext};

/// Drives an agent without keeping anything: for a Worker without a Durable Object, and for tests. A run that is killed is lost.
///
/// A run that waits for people is given back; it serialises, and [goes on](Self::resume) once they have answered.
#[derive(Clone, Debug)]
pub struct StatelessDriver {
    agent: Agent,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl StatelessDriver {
    /// A driver of an agent.
    pub fn new(agent: Agent, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            agent,
            clock,
            entropy,
        }
    }

    /// The agent.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Answers a conversation, whose last messages are what the user says.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) without messages; what fails in the run is its [outcome](Run::outcome).
    pub async fn run(&self, messages: Vec<Message>, context: ToolContext) -> Result<Run> {
        let run = self.begin(self.agent.plan(), messages, context)?;
        self.resume(run, Vec::new()).await
    }

    /// Answers a conversation, event by event.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn stream(&self, messages: Vec<Message>, context: ToolContext) -> Result<RunStream> {
        self.stream_by(self.agent.plan(), messages, context)
    }

    /// The same, by a plan that is not quite the agent's.
    pub(super) fn stream_by(
        &self,
        plan: RunPlan,
        messages: Vec<Message>,
        context: ToolContext,
    ) -> Result<RunStream> {
        let run = self.begin(plan, messages, context)?;
        Ok(self.resume_stream(run, Vec::new()))
    }

    /// Goes on with a run, after what people [have decided](RunInput::Decided).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for answers that nobody has asked for.
    pub async fn resume(&self, run: Run, inputs: Vec<RunInput>) -> Result<Run> {
        let (inbox, feed) = (Inbox::default(), Feed::default());
        drive(self, run, inputs, &inbox, &feed).await
    }

    /// The same, event by event.
    pub fn resume_stream(&self, run: Run, inputs: Vec<RunInput>) -> RunStream {
        let (driver, inbox, feed) = (self.clone(), Inbox::default(), Arc::new(Feed::default()));
        let subscription = feed.subscribe();
        let driving = async move { drive(&driver, run, inputs, &inbox, &feed).await }.boxed();
        RunStream {
            driving: Some(driving),
            run: None,
            events: batches(subscription),
        }
    }

    fn begin(&self, plan: RunPlan, mut messages: Vec<Message>, context: ToolContext) -> Result<Run> {
        if messages.is_empty() {
            return Err(Error::invalid("messages", "there is no message to answer"));
        }
        let said = messages
            .iter()
            .rev()
            .take_while(|message| message.role == Role::User)
            .count();
        let said = messages.split_off(messages.len() - said);
        let id = format!(
            "run-{:016x}{:016x}",
            self.entropy.next_u64(),
            self.entropy.next_u64()
        );
        Ok(Run::new(id, plan, context, messages, said))
    }
}

async fn drive(
    driver: &StatelessDriver,
    run: Run,
    inputs: Vec<RunInput>,
    inbox: &Inbox,
    feed: &Feed,
) -> Result<Run> {
    let parts = (&driver.agent, driver.clock.as_ref());
    let mut engine = Engine::new(parts, (inbox, feed), run, None);
    if engine.run.step() == 0 {
        engine.apply(RunInput::Begin)?;
    }
    for input in inputs {
        engine.apply(input)?;
    }
    engine.drive().await?;
    Ok(engine.run)
}

/// The events of a run that is driven by reading them. Dropping it gives the run up.
pub struct RunStream {
    driving: Option<BoxFuture<'static, Result<Run>>>,
    run: Option<Run>,
    events: BoxStream<'static, RunEvent>,
}

impl RunStream {
    /// The run, once its last event has been read.
    pub fn into_run(self) -> Option<Run> {
        self.run
    }
}

impl Stream for RunStream {
    type Item = Result<RunEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Poll::Ready(Some(event)) = this.events.poll_next_unpin(context) {
            return Poll::Ready(Some(Ok(event)));
        }
        let Some(driving) = &mut this.driving else {
            return Poll::Ready(None);
        };
        let driven = driving.poll_unpin(context);
        if let Poll::Ready(outcome) = driven {
            this.driving = None;
            match outcome {
                Ok(run) => this.run = Some(run),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        match this.events.poll_next_unpin(context) {
            Poll::Ready(Some(event)) => Poll::Ready(Some(Ok(event))),
            _ if this.driving.is_none() => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for RunStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

fn batches(subscription: Subscription) -> BoxStream<'static, RunEvent> {
    futures_util::stream::unfold(subscription, |subscription| async {
        let batch = subscription.next().await?;
        Some((futures_util::stream::iter(batch.events.to_vec()), subscription))
    })
    .flatten()
    .boxed()
}
