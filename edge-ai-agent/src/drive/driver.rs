use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edge_ai_core::{Clock, Entropy, Error, ErrorKind, Result, Usage};

use super::engine::Engine;
use super::feed::Feed;
use super::inbox::Inbox;
use super::watch::Watch;
use crate::journal::{Opened, Turn, unreadable};
use crate::run::{Run, RunError, RunInput};
use crate::{Agent, AgentMessage, Journal, RunEvent, RunOutcome, ToolContext};

/// Drives an agent's turns in one conversation, with a [`Journal`]: whenever it is killed, another driver over the same database
/// [resumes](Self::resume) with what is missing. Clones are the same driver; a conversation has one.
///
/// An answer is kept before it is acted on, a call before it is made, a result before the next step, so that nothing that is settled happens again. A call that was
/// under way is made again with the same idempotency key where its tool [bears that](crate::Repeat), and otherwise told to the model as interrupted.
#[derive(Clone, Debug)]
pub struct Driver {
    pub(super) agent: Agent,
    pub(super) journal: Journal,
    context: ToolContext,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) feed: Arc<Feed>,
    /// Whether the journal has everything of the run that is not over, as far as this driver knows.
    fresh: Arc<AtomicBool>,
}

impl Driver {
    /// A driver of a conversation.
    pub fn new(
        agent: Agent,
        journal: Journal,
        context: ToolContext,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            agent,
            journal,
            context,
            clock,
            entropy,
            inbox: Arc::default(),
            feed: Arc::default(),
            fresh: Arc::default(),
        }
    }

    /// The agent.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// What is kept.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Begins a turn with what a person says, and gives the run's id. Nothing is done yet: [`resume`](Self::resume) does it. Told the same again, it is
    /// the same turn, by the id of the last message.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with the code `run_active` while a turn is not over, or for messages that are not a user's; the database's.
    pub async fn start(&self, said: Vec<AgentMessage>) -> Result<String> {
        let id = format!(
            "run-{:016x}{:016x}",
            self.entropy.next_u64(),
            self.entropy.next_u64()
        );
        let now = self.clock.now();
        let (plan, context) = (self.agent.plan(), self.context.clone());
        let (run, turn, events) = self.journal.begin(&id, plan, context, said, now).await?;
        if !events.is_empty() {
            self.fresh.store(true, Ordering::Relaxed);
        }
        self.feed.publish(turn, 0, events);
        Ok(run)
    }

    /// Goes on with the turn that is not over, to its end or until people must answer; `None` when there is none, or somebody is at it.
    ///
    /// It may be called at any time: after [`start`](Self::start), after an [approval](Self::approve), by an alarm after a crash. Dropping the future is a crash.
    ///
    /// # Errors
    /// The database's: call it again then. What fails in the run itself is its [outcome](RunOutcome::Failed).
    pub async fn resume(&self) -> Result<Option<RunOutcome>> {
        let Some(driving) = self.inbox.drive() else {
            return Ok(None);
        };
        let outcome = match self.open().await? {
            None => None,
            Some((run, turn)) => {
                let told = !matches!(turn.last_event().await?, Some(RunEvent::StepStarted { .. }));
                let mut engine = self.engine(run, turn);
                // A turn that has just begun, or has just been answered, has lost nothing.
                if !self.fresh.swap(false, Ordering::Relaxed) && engine.run.outcome().is_none() {
                    engine.apply(RunInput::Resumed { told })?;
                }
                Some(engine.drive().await?)
            }
        };
        drop(driving);
        self.feed.stir();
        Ok(outcome)
    }

    /// [Starts](Self::start) a turn and [drives](Self::resume) it.
    ///
    /// # Errors
    /// Those of both.
    pub async fn run(&self, said: Vec<AgentMessage>) -> Result<Option<RunOutcome>> {
        self.start(said).await?;
        self.resume().await
    }

    /// Answers a question, by its id or its call's. When it returns, the answer is kept; [`resume`](Self::resume) goes on, unless somebody drives already.
    ///
    /// Which call it is about and with which arguments stands in the journal: nothing that a client says can change that.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with the code `approval_unknown` or `approval_settled`; the database's.
    pub async fn approve(&self, approval: &str, approved: bool, reason: Option<String>) -> Result<()> {
        let approval = approval.to_owned();
        self.tell(RunInput::Decided {
            approval,
            approved,
            reason,
        })
        .await
    }

    /// Stops the turn that is not over. When it returns, that is kept; calls under way are given up, and told as interrupted.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such turn; the database's.
    pub async fn cancel(&self) -> Result<()> {
        self.tell(RunInput::Cancel).await
    }

    /// The events of the last turn from a number on, from 0, as long as there are more to come. It ends with the turn, and while it waits for people.
    ///
    /// Every event is there once and in order, whenever a watcher comes and however often the turn is taken up.
    ///
    /// # Errors
    /// The database's.
    pub async fn watch(&self, from: u64) -> Result<Watch> {
        let subscription = self.feed.subscribe();
        let log = self.journal.log().await?;
        Ok(Watch::new(self.clone(), subscription, log, from))
    }

    /// The run that is not over, as it is kept: its messages so far and its open questions.
    ///
    /// # Errors
    /// The database's.
    pub async fn current(&self) -> Result<Option<Run>> {
        Ok(match self.journal.open().await? {
            Opened::Run(run, _) => Some(*run),
            Opened::Nothing | Opened::Unreadable(_) => None,
        })
    }

    async fn tell(&self, input: RunInput) -> Result<()> {
        loop {
            if let Some(kept) = self.inbox.tell(input.clone()) {
                // Whoever drove has gone before it read the letter.
                if let Ok(kept) = kept.await {
                    return kept;
                }
                continue;
            }
            let Some(driving) = self.inbox.drive() else {
                continue;
            };
            let Some((run, turn)) = self.open().await? else {
                let message = "there is no turn that is not over";
                return Err(Error::new(ErrorKind::NotFound, message).with_code("run_ended"));
            };
            let mut engine = self.engine(run, turn);
            let waited = matches!(engine.run.outcome(), Some(RunOutcome::Waiting { .. }));
            engine.apply(input)?;
            engine.commit().await?;
            self.fresh.fetch_or(waited, Ordering::Relaxed);
            drop(driving);
            self.feed.stir();
            return Ok(());
        }
    }

    fn engine(&self, run: Run, turn: Turn) -> Engine<'_> {
        let parts = (&self.agent, self.clock.as_ref());
        Engine::new(parts, (&self.inbox, &self.feed), run, Some(turn))
    }

    /// The run that is not over; one that this code would not go on with as it began is ended.
    async fn open(&self) -> Result<Option<(Run, Turn)>> {
        match self.journal.open().await? {
            Opened::Nothing => Ok(None),
            Opened::Run(run, turn) => {
                let Some(change) = run.plan().outdated_by(&self.agent.plan()) else {
                    return Ok(Some((*run, turn)));
                };
                let message = format!("the agent has changed since the turn began: {change}; ask again");
                let error = Error::new(ErrorKind::Configuration, message).with_code("journal_outdated");
                let mut engine = self.engine(*run, turn);
                engine.apply(RunInput::Failed(RunError::from(&error)))?;
                engine.commit().await?;
                Ok(None)
            }
            Opened::Unreadable(mut turn) => {
                let error = RunError::from(&unreadable());
                let outcome = RunOutcome::Failed { error };
                let events = vec![RunEvent::Ended {
                    outcome,
                    usage: Usage::default(),
                }];
                let first = turn.next_event();
                turn.abandon(&events).await?;
                self.feed.publish(turn.number(), first, events);
                Ok(None)
            }
        }
    }
}
