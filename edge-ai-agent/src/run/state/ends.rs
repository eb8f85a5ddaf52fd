use super::calls::CallState;
use super::{Phase, Run};
use crate::ToolOutput;
use crate::run::{RunEvent, RunOutcome};

impl Run {
    /// The end: calls without results get one, so that the conversation can go on after it.
    pub(super) fn end(&mut self, outcome: RunOutcome, out: &mut Vec<RunEvent>) {
        if std::mem::take(&mut self.paused) {
            out.push(self.started());
        }
        let why = match &outcome {
            RunOutcome::Stopped { limit } => format!("the limit of {limit} is reached"),
            RunOutcome::Canceled => "the user stopped it".to_owned(),
            RunOutcome::Blocked { .. } => "it is not allowed".to_owned(),
            RunOutcome::Failed { error } => error.message.clone(),
            _ => "the run is over".to_owned(),
        };
        let open: Vec<_> = self
            .calls
            .iter()
            .filter(|call| !matches!(call.state, CallState::Done(_)))
            .map(|call| (call.id.clone(), call.state == CallState::Started))
            .collect();
        for (id, started) in open {
            let message = if started {
                format!("The call was interrupted, since {why}; whether it happened is not known.")
            } else {
                format!("The call was not made, since {why}.")
            };
            self.tool_done(&id, ToolOutput::error(message), out);
        }
        self.keep_results();
        self.phase = Phase::Ended(outcome.clone());
        out.push(RunEvent::Ended {
            outcome,
            usage: self.usage,
        });
    }
}
