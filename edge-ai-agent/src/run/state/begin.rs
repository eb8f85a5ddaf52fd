use edge_ai_core::{Message, Money, Usage};
use std::time::Duration;

use super::super::pairs::pair;
use super::{CallIds, CallState, Phase, Run};
use crate::run::{RunEvent, RunLimit, RunOutcome, RunPlan};
use crate::{Repeat, ToolContext, ToolOutput};

impl Run {
    /// A run that has not begun. `before` is the conversation so far, `said` what the person says now; calls without results and results without calls are
    /// put right.
    pub fn new(
        id: impl Into<String>,
        plan: RunPlan,
        context: ToolContext,
        before: Vec<Message>,
        said: Vec<Message>,
    ) -> Self {
        let id = id.into();
        let mut history = pair(before);
        let ids = CallIds::used_in(&history);
        let said_len = said.len();
        history.extend(said);
        Self {
            message: format!("{id}-message"),
            id,
            plan,
            context,
            history,
            said: said_len,
            messages: Vec::new(),
            rejected: Vec::new(),
            active: 0,
            phase: Phase::New,
            step: 0,
            calls: Vec::new(),
            ids,
            usage: Usage::default(),
            tokens: 0,
            cost: Money::ZERO,
            called: 0,
            retries: 0,
            worked: Duration::ZERO,
            last: None,
            paused: false,
        }
    }

    pub(super) fn begin(&mut self, out: &mut Vec<RunEvent>) {
        out.push(self.started());
        if self.plan.checks_input {
            self.phase = Phase::CheckingInput;
        } else {
            self.ask(out);
        }
    }

    /// Asks the model, if there is something left to ask with.
    pub(super) fn ask(&mut self, out: &mut Vec<RunEvent>) {
        if let Some(limit) = self.exhausted() {
            return self.end(RunOutcome::Stopped { limit }, out);
        }
        self.step += 1;
        self.phase = Phase::Asking;
        out.push(RunEvent::StepStarted { step: self.step });
    }

    /// What was under way at a crash: an answer that was not kept is asked for again, a call is made again where its tool bears it.
    pub(super) fn resumed(&mut self, told: bool, out: &mut Vec<RunEvent>) {
        if told && self.phase == Phase::Asking {
            out.push(RunEvent::StepRestarted { step: self.step });
        }
        let lost: Vec<_> = self
            .calls
            .iter()
            .filter(|call| call.state == CallState::Started)
            .map(|call| (call.id.clone(), call.repeat))
            .collect();
        for (id, repeat) in lost {
            if repeat == Repeat::Once {
                let message = "The call was interrupted. Whether it happened is not known: find out before you try again.";
                self.tool_done(&id, ToolOutput::error(message), out);
            } else {
                self.set_call(&id, CallState::Ready);
            }
        }
    }

    pub(super) fn started(&self) -> RunEvent {
        RunEvent::Started {
            run: self.id.clone(),
            message: self.message.clone(),
        }
    }

    /// The limit that is reached, so that the model cannot be asked again.
    pub(super) fn exhausted(&self) -> Option<RunLimit> {
        let limits = &self.plan.limits;
        let reached = [
            (self.step >= limits.steps, RunLimit::Steps),
            (
                limits.tokens.is_some_and(|most| self.tokens >= most),
                RunLimit::Tokens,
            ),
            (limits.cost.is_some_and(|most| self.cost >= most), RunLimit::Cost),
            (
                limits.time.is_some_and(|most| self.worked >= most),
                RunLimit::Time,
            ),
        ];
        reached
            .into_iter()
            .find(|(reached, _)| *reached)
            .map(|(_, limit)| limit)
    }
}
