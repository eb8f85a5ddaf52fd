//! The run itself: what it knows, what follows from an input, what is to be done next.

mod answer;
mod begin;
mod calls;
mod ends;
mod request;

use std::time::Duration;

use edge_ai_core::{ChatOutput, Error, Message, Money, Result, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use super::{AgentPlan, Effect, RunEvent, RunInput, RunOutcome, RunPlan, StepDeltas, TimedInput, Verdict};
use crate::ToolContext;

pub(super) use calls::CallIds;
use calls::{Call, CallState};

/// An agent's turn, from what a person says to the last answer, as a state machine that does no I/O.
///
/// [`advance`](Self::advance) takes what has happened, [`next`](Self::next) says what to do. It serialises, history included, so a run that
/// [waits](RunOutcome::Waiting) can be put away by whoever has no journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    id: String,
    message: String,
    plan: RunPlan,
    context: ToolContext,
    /// What was said before, and what the person says now.
    history: Vec<Message>,
    /// How many of the history are this turn's.
    said: usize,
    /// What the run has said so far.
    messages: Vec<Message>,
    /// An answer that did not fit, and what the model was told.
    rejected: Vec<Message>,
    active: usize,
    phase: Phase,
    step: u32,
    calls: Vec<Call>,
    ids: CallIds,
    usage: Usage,
    tokens: u64,
    cost: Money,
    called: u32,
    retries: u32,
    worked: Duration,
    last: Option<Timestamp>,
    /// Whether watchers have been told that it waits.
    paused: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    New,
    CheckingInput,
    Asking,
    Acting,
    CheckingOutput(Box<ChatOutput>),
    Ended(RunOutcome),
}

impl Run {
    /// Takes what has happened, and tells what watchers hear of it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for what cannot happen now, such as a consent that nobody asked for; the run is
    /// as it was.
    pub fn advance(&mut self, timed: TimedInput) -> Result<Vec<RunEvent>> {
        let TimedInput { at, input } = timed;
        self.admit(&input)?;
        let idle = self.paused || matches!(input, RunInput::Resumed { .. });
        if let (Some(last), false) = (self.last, idle) {
            self.worked += at.since(last);
        }
        self.last = Some(at);
        let mut events = Vec::new();
        let out = &mut events;
        match input {
            RunInput::Begin => self.begin(out),
            RunInput::Checked(verdict) => self.checked(verdict, out),
            RunInput::Answered {
                output,
                cost,
                consent,
            } => self.answered(*output, cost, &consent, out),
            RunInput::Failed(error) => self.end(RunOutcome::Failed { error }, out),
            RunInput::ToolStarted { call } => self.set_call(&call, CallState::Started),
            RunInput::ToolDone { call, output } => self.tool_done(&call, output, out),
            RunInput::Blocked { reason } => self.end(RunOutcome::Blocked { reason }, out),
            RunInput::Decided {
                approval,
                approved,
                reason,
            } => self.decided(&approval, approved, reason, out),
            RunInput::Cancel => self.end(RunOutcome::Canceled, out),
            RunInput::Resumed { told } => self.resumed(told, out),
        }
        self.settle(out);
        Ok(events)
    }

    /// What is to be done now.
    pub fn next(&self) -> Vec<Effect> {
        match &self.phase {
            Phase::New => Vec::new(),
            Phase::CheckingInput => vec![Effect::CheckInput],
            Phase::CheckingOutput(output) => vec![Effect::CheckOutput(output.clone())],
            Phase::Asking => vec![Effect::CallModel {
                step: self.step,
                agent: self.agent().map(|agent| agent.name.clone()).unwrap_or_default(),
                request: Box::new(self.request()),
            }],
            Phase::Acting => {
                let effects: Vec<_> = self
                    .calls
                    .iter()
                    .filter_map(|call| self.call_effect(call))
                    .collect();
                match self.waits_for() {
                    Some(approvals) if effects.is_empty() => vec![Effect::AskApproval { approvals }],
                    _ => effects,
                }
            }
            Phase::Ended(outcome) => vec![Effect::End(outcome.clone())],
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the assistant's message that it makes.
    pub fn message_id(&self) -> &str {
        &self.message
    }

    /// What it goes by.
    pub const fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// What the person says in this turn.
    pub fn said(&self) -> &[Message] {
        self.history
            .get(self.history.len() - self.said..)
            .unwrap_or_default()
    }

    /// What it has said so far: answers with calls, results, the last answer. Every call has its result here.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// What all steps took so far.
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    /// The step, from 1.
    pub const fn step(&self) -> u32 {
        self.step
    }

    /// How it ended, or that it waits; `None` while there is something to do.
    pub fn outcome(&self) -> Option<RunOutcome> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome.clone()),
            Phase::Acting => self
                .waits_for()
                .map(|approvals| RunOutcome::Waiting { approvals }),
            _ => None,
        }
    }

    /// Turns the stream of the answer to the present step into events.
    pub fn deltas(&self) -> StepDeltas {
        StepDeltas::new(self.step, self.ids.for_step(self.step))
    }

    /// The calls of an answer as the run will make them, with the ids that it gives them; those that it will refuse are `None`.
    pub(crate) fn planned_calls(&self, output: &ChatOutput) -> Vec<Option<(String, crate::ToolInvocation)>> {
        let mut ids = self.ids.for_step(self.step);
        let calls = output.tool_calls().map(|call| {
            let id = ids.take(&call.id);
            let arguments = super::arguments::read_arguments(&call.arguments).ok()?;
            self.agent()?.tool(&call.name)?;
            Some((call.name.clone(), self.invocation(&id, arguments.get())))
        });
        calls.collect()
    }

    pub(crate) fn agent(&self) -> Option<&AgentPlan> {
        self.plan.agents.get(self.active)
    }

    fn admit(&self, input: &RunInput) -> Result<()> {
        let fits = match (input, &self.phase) {
            (_, Phase::Ended(_)) => {
                return Err(Error::invalid("run", "the run is over").with_code("run_ended"));
            }
            (RunInput::Begin, phase) => *phase == Phase::New,
            (RunInput::Checked(_), phase) => matches!(phase, Phase::CheckingInput | Phase::CheckingOutput(_)),
            (RunInput::Answered { .. }, phase) => *phase == Phase::Asking,
            (RunInput::ToolStarted { call }, _) => {
                self.call(call).is_some_and(|call| call.state == CallState::Ready)
            }
            (RunInput::ToolDone { call, .. }, _) => self.call(call).is_some_and(Call::is_under_way),
            (RunInput::Decided { approval, .. }, _) => return self.admit_decision(approval),
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(Error::invalid("input", "the run is at another point").with_code("run_elsewhere"))
        }
    }

    fn checked(&mut self, verdict: Verdict, out: &mut Vec<RunEvent>) {
        match (std::mem::replace(&mut self.phase, Phase::Asking), verdict) {
            (Phase::CheckingOutput(output), verdict) => self.output_checked(*output, verdict, out),
            (_, Verdict::Allow) => self.ask(out),
            (_, Verdict::Retry { reason } | Verdict::Block { reason }) => {
                self.end(RunOutcome::Blocked { reason }, out);
            }
        }
    }
}
