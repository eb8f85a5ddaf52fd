use edge_ai_core::{Clock, Result, Timestamp};

use super::feed::Feed;
use super::inbox::{Inbox, Letter};
use super::{judge, model_step, tool_step};
use crate::journal::Turn;
use crate::run::{Effect, Run, RunError, RunInput, TimedInput};
use crate::{Agent, RunEvent, RunOutcome};

/// Drives one run: what has happened is kept, then told, then acted on.
pub(super) struct Engine<'a> {
    pub(super) agent: &'a Agent,
    pub(super) clock: &'a dyn Clock,
    pub(super) inbox: &'a Inbox,
    pub(super) run: Run,
    feed: &'a Feed,
    /// Where it is kept; `None` keeps nothing.
    turn: Option<Turn>,
    inputs: Vec<TimedInput>,
    events: Vec<RunEvent>,
    letters: Vec<Letter>,
    told: u64,
    pub(super) flushed: Timestamp,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        (agent, clock): (&'a Agent, &'a dyn Clock),
        (inbox, feed): (&'a Inbox, &'a Feed),
        run: Run,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            agent,
            clock,
            inbox,
            run,
            feed,
            turn,
            inputs: Vec::new(),
            events: Vec::new(),
            letters: Vec::new(),
            told: 0,
            flushed: Timestamp::default(),
        }
    }

    /// To the end, or until people must answer.
    ///
    /// # Errors
    /// The database's. What is not kept has not happened: the run is then taken up from the journal.
    pub(super) async fn drive(&mut self) -> Result<RunOutcome> {
        loop {
            self.read_letters();
            let effects = self.run.next();
            match effects.into_iter().next() {
                Some(Effect::CheckInput) => {
                    self.commit().await?;
                    let verdict = judge::input(self.agent, self.run.said()).await;
                    self.apply(RunInput::Checked(verdict))?;
                }
                Some(Effect::CheckOutput(output)) => {
                    self.commit().await?;
                    let agent = self.run.agent().and_then(|agent| self.agent.named(&agent.name));
                    let verdict = judge::output(agent.unwrap_or(self.agent), &output).await;
                    self.apply(RunInput::Checked(verdict))?;
                }
                Some(Effect::CallModel { agent, request, .. }) => {
                    model_step::ask(self, &agent, *request).await?
                }
                Some(Effect::CallTool { .. }) => tool_step::call(self).await?,
                Some(Effect::AskApproval { approvals }) => {
                    self.commit().await?;
                    return Ok(RunOutcome::Waiting { approvals });
                }
                Some(Effect::End(outcome)) => {
                    self.commit().await?;
                    return Ok(outcome);
                }
                None => {
                    let message = "the run has nothing to do and is not over";
                    let error = edge_ai_core::Error::new(edge_ai_core::ErrorKind::Internal, message);
                    self.apply(RunInput::Failed(RunError::from(&error)))?;
                }
            }
        }
    }

    /// Takes what has happened; it is kept with the next [`commit`](Self::commit).
    pub(super) fn apply(&mut self, input: RunInput) -> Result<()> {
        let timed = TimedInput::new(self.clock.now(), input);
        let events = self.run.advance(timed.clone())?;
        self.inputs.push(timed);
        self.events.extend(events);
        Ok(())
    }

    /// Tells watchers, with the next [`commit`](Self::commit).
    pub(super) fn tell(&mut self, events: Vec<RunEvent>) {
        self.events.extend(events);
    }

    /// How many events wait to be told.
    pub(super) const fn untold(&self) -> usize {
        self.events.len()
    }

    /// What others say: a cancellation, a consent. What does not fit goes back to them.
    pub(super) fn read_letters(&mut self) {
        for letter in self.inbox.take() {
            match self.apply(letter.input.clone()) {
                Ok(()) => self.letters.push(letter),
                // Whoever asked may be gone.
                Err(error) => drop(letter.kept.send(Err(error))),
            }
        }
    }

    /// Keeps, then tells.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let now = self.clock.now();
        let first = match &mut self.turn {
            Some(turn) => {
                let first = turn.next_event();
                let over = matches!(self.run.outcome(), Some(outcome) if outcome.is_final());
                if over && !self.inputs.is_empty() {
                    turn.finish(&self.run, &self.events, now).await?;
                } else {
                    turn.write(&self.inputs, &self.events).await?;
                }
                first
            }
            None => self.told,
        };
        self.inputs.clear();
        self.flushed = now;
        let events = std::mem::take(&mut self.events);
        self.told = first + events.len() as u64;
        let turn = self.turn.as_ref().map_or(0, Turn::number);
        self.feed.publish(turn, first, events);
        for letter in self.letters.drain(..) {
            // Whoever asked may be gone.
            drop(letter.kept.send(Ok(())));
        }
        Ok(())
    }
}
