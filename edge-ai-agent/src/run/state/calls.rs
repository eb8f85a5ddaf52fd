use std::collections::BTreeSet;

use edge_ai_core::{ContentPart, Error, Message, RawJson, Result, Role};
use serde::{Deserialize, Serialize};

use super::{Phase, Run};
use crate::run::{Effect, RunEvent, RunOutcome};
use crate::{Repeat, ToolInvocation, ToolOutput};

/// A call of the present step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) arguments: String,
    pub(super) repeat: Repeat,
    pub(super) state: CallState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallState {
    /// A person must agree.
    Asked,
    /// It may be made.
    Ready,
    /// It is made.
    Started,
    /// It has its result.
    Done(ToolOutput),
}

impl Call {
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.state, CallState::Ready | CallState::Started)
    }

    /// The question about it.
    fn approval(&self) -> String {
        format!("approval-{}", self.id)
    }
}

/// The ids of calls that a conversation has used: a vendor may send none, or the same in every step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallIds {
    used: BTreeSet<String>,
    step: u32,
    taken: u32,
}

impl CallIds {
    pub(super) fn used_in(messages: &[Message]) -> Self {
        let calls = messages.iter().flat_map(Message::tool_calls);
        Self {
            used: calls.map(|call| call.id.clone()).collect(),
            ..Self::default()
        }
    }

    pub(super) fn for_step(&self, step: u32) -> Self {
        Self {
            step,
            taken: 0,
            ..self.clone()
        }
    }

    /// The vendor's id of a step's next call, or one in its place.
    pub(crate) fn take(&mut self, id: &str) -> String {
        self.taken += 1;
        let mut id = id.to_owned();
        while id.is_empty() || self.used.contains(&id) {
            id = format!("{id}call-{}-{}", self.step, self.taken);
        }
        self.used.insert(id.clone());
        id
    }
}

impl Run {
    pub(super) fn call(&self, id: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.id == id)
    }

    pub(super) fn set_call(&mut self, id: &str, state: CallState) {
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.state = state;
        }
    }

    pub(super) fn invocation(&self, id: &str, arguments: &str) -> ToolInvocation {
        ToolInvocation::new(id, arguments)
            .idempotency_key(format!("{}/{id}", self.id))
            .context(self.context.clone())
    }

    pub(super) fn call_effect(&self, call: &Call) -> Option<Effect> {
        (call.state == CallState::Ready).then(|| Effect::CallTool {
            agent: self.agent().map(|agent| agent.name.clone()).unwrap_or_default(),
            tool: call.tool.clone(),
            invocation: self.invocation(&call.id, &call.arguments),
            repeat: call.repeat,
        })
    }

    /// The open questions, where nothing but them is left to wait for.
    pub(super) fn waits_for(&self) -> Option<Vec<String>> {
        let open: Vec<_> = self
            .calls
            .iter()
            .filter(|call| call.state == CallState::Asked)
            .collect();
        let idle = !open.is_empty() && !self.calls.iter().any(Call::is_under_way);
        idle.then(|| open.into_iter().map(Call::approval).collect())
    }

    pub(super) fn tool_done(&mut self, id: &str, output: ToolOutput, out: &mut Vec<RunEvent>) {
        let Some(tool) = self.call(id).map(|call| call.tool.clone()) else {
            return;
        };
        self.set_call(id, CallState::Done(output.clone()));
        let sources = output.structured.as_ref().map(sources_of).unwrap_or_default();
        out.push(RunEvent::ToolDone {
            call: id.to_owned(),
            tool,
            output,
        });
        for (at, source) in sources.into_iter().enumerate() {
            out.push(RunEvent::Source {
                id: source.id.unwrap_or_else(|| format!("{id}.{at}")),
                url: source.url,
                title: source.title,
            });
        }
    }

    pub(super) fn admit_decision(&self, approval: &str) -> Result<()> {
        let known = self
            .calls
            .iter()
            .find(|call| call.approval() == approval || call.id == approval);
        match known {
            Some(call) if call.state == CallState::Asked => Ok(()),
            Some(_) => {
                Err(Error::invalid("approval", "the question has been answered")
                    .with_code("approval_settled"))
            }
            None => {
                let message = format!("nobody has asked for the approval {approval:?}");
                Err(Error::invalid("approval", message).with_code("approval_unknown"))
            }
        }
    }

    pub(super) fn decided(
        &mut self,
        approval: &str,
        approved: bool,
        reason: Option<String>,
        out: &mut Vec<RunEvent>,
    ) {
        let found = self
            .calls
            .iter()
            .find(|call| call.approval() == approval || call.id == approval);
        let Some((id, approval)) = found.map(|call| (call.id.clone(), call.approval())) else {
            return;
        };
        if std::mem::take(&mut self.paused) {
            out.push(self.started());
        }
        out.push(RunEvent::ApprovalGiven {
            approval,
            call: id.clone(),
            approved,
            reason: reason.clone(),
        });
        if approved {
            self.set_call(&id, CallState::Ready);
        } else {
            let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            self.tool_done(
                &id,
                ToolOutput::error(format!("The user refused the call{why}.")),
                out,
            );
        }
    }

    /// Asks questions that watchers have not heard of, or goes on when every call has its result.
    pub(super) fn settle(&mut self, out: &mut Vec<RunEvent>) {
        if self.phase != Phase::Acting {
            return;
        }
        if let Some(approvals) = self.waits_for() {
            if !std::mem::replace(&mut self.paused, true) {
                let outcome = RunOutcome::Waiting { approvals };
                out.push(RunEvent::Ended {
                    outcome,
                    usage: self.usage,
                });
            }
            return;
        }
        if self
            .calls
            .iter()
            .all(|call| matches!(call.state, CallState::Done(_)))
        {
            self.step_done(out);
        }
    }

    /// The results become a message, in the order of the calls.
    pub(super) fn keep_results(&mut self) {
        let results: Vec<_> = std::mem::take(&mut self.calls)
            .into_iter()
            .filter_map(|call| match call.state {
                CallState::Done(output) => Some(ContentPart::ToolResult(output.into_result(call.id))),
                _ => None,
            })
            .collect();
        if !results.is_empty() {
            self.messages.push(Message::new(Role::Tool, results));
        }
    }
}

/// Puts the question about a call that needs one.
pub(super) fn ask_for(call: &Call, out: &mut Vec<RunEvent>) {
    if let (CallState::Asked, Ok(arguments)) = (&call.state, RawJson::parse(call.arguments.clone())) {
        out.push(RunEvent::ApprovalNeeded {
            approval: call.approval(),
            call: call.id.clone(),
            tool: call.tool.clone(),
            arguments,
        });
    }
}

#[derive(Deserialize)]
struct Sources {
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    id: Option<String>,
    url: Option<String>,
    title: Option<String>,
}

fn sources_of(structured: &RawJson) -> Vec<Source> {
    structured
        .to::<Sources>()
        .map(|sources| sources.sources)
        .unwrap_or_default()
}
