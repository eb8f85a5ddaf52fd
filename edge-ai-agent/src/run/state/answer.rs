use edge_ai_core::{
    ChatOutput, ContentPart, FinishReason, Message, Money, RawJson, Role, ToolCall, Usage,
    estimate_input_tokens, estimate_tokens,
};

use super::super::arguments::read_arguments;
use super::calls::{Call, CallState, ask_for};
use super::{Phase, Run};
use crate::run::{HANDOFF, RunEvent, RunLimit, RunOutcome, Verdict};
use crate::{Repeat, ToolOutput};

impl Run {
    pub(super) fn answered(
        &mut self,
        mut output: ChatOutput,
        cost: Option<Money>,
        consent: &[usize],
        out: &mut Vec<RunEvent>,
    ) {
        self.account(&output, cost);
        let step = self.step;
        self.name_calls(&mut output);
        let calls: Vec<_> = output.tool_calls().cloned().collect();
        out.push(RunEvent::StepEnded {
            step,
            usage: output.usage,
        });
        if calls.is_empty() {
            return self.said_everything(output, out);
        }
        self.rejected.clear();
        self.messages.push(output.to_message());
        self.phase = Phase::Acting;
        self.calls.clear();
        for (at, call) in calls.into_iter().enumerate() {
            self.take_call(call, consent.contains(&at), out);
        }
        if let Some(limit) = self.calls_over_limit() {
            return self.end(RunOutcome::Stopped { limit }, out);
        }
        self.called = self.called.saturating_add(self.open_calls());
        for call in &self.calls {
            ask_for(call, out);
        }
    }

    fn account(&mut self, output: &ChatOutput, cost: Option<Money>) {
        let usage = output.usage.unwrap_or_default();
        self.usage += usage;
        self.cost = self.cost + cost.unwrap_or(Money::ZERO);
        let tokens = match &output.usage {
            Some(usage) => usage.total_tokens(),
            None => estimated(self, output).total_tokens(),
        };
        self.tokens = self.tokens.saturating_add(tokens);
    }

    fn name_calls(&mut self, output: &mut ChatOutput) {
        self.ids = self.ids.for_step(self.step);
        for part in &mut output.content {
            if let ContentPart::ToolCall(call) = part {
                call.id = self.ids.take(&call.id);
                if let Ok(arguments) = read_arguments(&call.arguments) {
                    arguments.get().clone_into(&mut call.arguments);
                }
            }
        }
    }

    fn take_call(&mut self, call: ToolCall, consent: bool, out: &mut Vec<RunEvent>) {
        let ToolCall {
            id, name, arguments, ..
        } = call;
        let agent = self.plan.agents.get(self.active);
        let handoff = agent.and_then(|agent| agent.handoff(&name)).map(str::to_owned);
        let spec = agent.and_then(|agent| agent.tool(&name));
        let read = match (&handoff, spec, read_arguments(&arguments)) {
            (None, None, _) => Err(self.no_such_tool(&name)),
            (.., read) => read,
        };
        let repeat = spec.map_or(Repeat::ReadOnly, |spec| spec.repeat);
        let state = match read {
            Err(error) => {
                out.push(RunEvent::ToolRefused {
                    call: id.clone(),
                    tool: name.clone(),
                    arguments: arguments.clone(),
                    error: error.clone(),
                });
                CallState::Done(ToolOutput::error(error))
            }
            Ok(json) => {
                let (call, tool) = (id.clone(), name.clone());
                out.push(RunEvent::ToolCalled {
                    call,
                    tool,
                    arguments: json,
                });
                match handoff {
                    Some(_) => CallState::Ready,
                    None if consent => CallState::Asked,
                    None => CallState::Ready,
                }
            }
        };
        self.calls.push(Call {
            id: id.clone(),
            tool: name,
            arguments,
            repeat,
            state,
        });
        if let Some(target) = handoff {
            self.hand_over(&id, &target, out);
        }
    }

    fn hand_over(&mut self, id: &str, target: &str, out: &mut Vec<RunEvent>) {
        if !self.call(id).is_some_and(Call::is_under_way) {
            return;
        }
        let first = self
            .calls
            .iter()
            .filter(|call| call.tool.starts_with(HANDOFF))
            .count()
            == 1;
        if !first {
            let message = "The conversation has been handed over to another agent.";
            return self.tool_done(id, ToolOutput::error(message), out);
        }
        self.tool_done(
            id,
            ToolOutput::text_of(format!("The conversation is handed over to {target}.")),
            out,
        );
        let from = self.agent().map(|agent| agent.name.as_str()).unwrap_or_default();
        let data = RawJson::from_serialize(&serde_json::json!({"from": from, "to": target}));
        out.extend(data.ok().map(|data| RunEvent::Data {
            name: "handoff".to_owned(),
            data,
        }));
    }

    fn no_such_tool(&self, name: &str) -> String {
        let agent = self.agent();
        let tools = agent.map(|agent| agent.tools.as_slice()).unwrap_or_default();
        let handoffs = agent.map(|agent| agent.handoffs.as_slice()).unwrap_or_default();
        let mut names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
        names.extend(handoffs.iter().map(|agent| format!("{HANDOFF}{agent}")));
        if names.is_empty() {
            return format!("there is no tool {name:?}, and no other: answer without tools");
        }
        format!("there is no tool {name:?}; there are: {}", names.join(", "))
    }

    fn open_calls(&self) -> u32 {
        let open = self
            .calls
            .iter()
            .filter(|call| !matches!(call.state, CallState::Done(_)));
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    fn calls_over_limit(&self) -> Option<RunLimit> {
        let all = self.called.saturating_add(self.open_calls());
        let over = self.plan.limits.tool_calls.is_some_and(|most| all > most);
        self.exhausted().or(over.then_some(RunLimit::ToolCalls))
    }

    /// Every call has its result: on to the next step, unless one of the tools was the last.
    pub(super) fn step_done(&mut self, out: &mut Vec<RunEvent>) {
        let stops = self.calls.iter().any(|call| {
            let sound = matches!(&call.state, CallState::Done(output) if !output.is_error);
            sound
                && self
                    .agent()
                    .is_some_and(|agent| agent.stop_after.contains(&call.tool))
        });
        let target = self
            .calls
            .iter()
            .find_map(|call| self.agent()?.handoff(&call.tool));
        let target = target.and_then(|name| self.plan.agents.iter().position(|agent| agent.name == name));
        self.keep_results();
        if stops {
            let reason = FinishReason::ToolCalls;
            return self.end(RunOutcome::Finished { reason }, out);
        }
        self.active = target.unwrap_or(self.active);
        self.ask(out);
    }

    fn said_everything(&mut self, output: ChatOutput, out: &mut Vec<RunEvent>) {
        if output.finish_reason == FinishReason::Pause {
            self.keep(&output);
            return self.ask(out);
        }
        if self.plan.checks_output {
            self.phase = Phase::CheckingOutput(Box::new(output));
            return;
        }
        self.finish(&output, out);
    }

    pub(super) fn output_checked(&mut self, output: ChatOutput, verdict: Verdict, out: &mut Vec<RunEvent>) {
        let reason = match verdict {
            Verdict::Allow => return self.finish(&output, out),
            Verdict::Block { reason } => return self.end(RunOutcome::Blocked { reason }, out),
            Verdict::Retry { reason } => reason,
        };
        if self.retries >= self.plan.limits.output_retries {
            let limit = RunLimit::OutputRetries;
            return self.end(RunOutcome::Stopped { limit }, out);
        }
        self.retries += 1;
        self.rejected = vec![output.to_message(), Message::from_text(Role::User, reason)];
        out.push(RunEvent::StepRestarted { step: self.step });
        self.ask(out);
    }

    fn finish(&mut self, output: &ChatOutput, out: &mut Vec<RunEvent>) {
        self.keep(output);
        let reason = output.finish_reason.clone();
        self.end(RunOutcome::Finished { reason }, out);
    }

    fn keep(&mut self, output: &ChatOutput) {
        self.rejected.clear();
        if !output.content.is_empty() {
            self.messages.push(output.to_message());
        }
    }
}

/// What an answer took, where its vendor does not say.
fn estimated(run: &Run, output: &ChatOutput) -> Usage {
    let said = estimate_tokens(&output.text());
    let calls: u64 = output
        .tool_calls()
        .map(|call| estimate_tokens(&call.arguments))
        .sum();
    Usage::new(estimate_input_tokens(&run.request()), said.saturating_add(calls))
}
