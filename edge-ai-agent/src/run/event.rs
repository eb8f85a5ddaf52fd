use edge_ai_core::{RawJson, Usage};
use serde::{Deserialize, Serialize};

use super::RunOutcome;
use crate::ToolOutput;

/// What a run tells its watchers, in order: a protocol encodes these and nothing else.
///
/// A text, a thought and a call's input begin with the first delta of their id. The events of a run are numbered from 0; a watcher that comes back says
/// which number it wants next.
// Not `#[serde(tag)]`: serde reads such a value through a buffer that `RawJson` cannot come out of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEvent {
    /// It begins, or goes on after it [waited](RunOutcome::Waiting): the ids are the same then.
    Started {
        /// The run's id.
        run: String,
        /// The id of the assistant's message that it makes.
        message: String,
    },
    /// The model is asked.
    StepStarted {
        /// The step, from 1.
        step: u32,
    },
    /// The model is asked again, since its answer was lost in a crash: what the step has said so far is void.
    StepRestarted {
        /// The step.
        step: u32,
    },
    /// More text.
    Text {
        /// The text's id.
        id: String,
        /// What is added.
        delta: String,
    },
    /// The text is complete.
    TextEnded {
        /// The text's id.
        id: String,
    },
    /// More thought.
    Reasoning {
        /// The thought's id.
        id: String,
        /// What is added.
        delta: String,
    },
    /// The thought is complete.
    ReasoningEnded {
        /// The thought's id.
        id: String,
        /// The vendor's proof that the thought is its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// The model begins to write a call.
    ToolInputStarted {
        /// The call's id.
        call: String,
        /// The tool's name.
        tool: String,
    },
    /// More of the arguments' JSON text.
    ToolInput {
        /// The call's id.
        call: String,
        /// What is added.
        delta: String,
    },
    /// The call is complete.
    ToolCalled {
        /// The call's id.
        call: String,
        /// The tool's name.
        tool: String,
        /// The arguments, an object.
        arguments: RawJson,
    },
    /// The call cannot be made: its arguments do not parse, or there is no such tool. The model is told.
    ToolRefused {
        /// The call's id.
        call: String,
        /// The name that the model wrote.
        tool: String,
        /// The arguments as the model wrote them.
        arguments: String,
        /// What is wrong.
        error: String,
    },
    /// A person must agree to a call.
    ApprovalNeeded {
        /// What the answer refers to.
        approval: String,
        /// The call's id.
        call: String,
        /// The tool's name.
        tool: String,
        /// The arguments, an object.
        arguments: RawJson,
    },
    /// A person has answered.
    ApprovalGiven {
        /// Which question.
        approval: String,
        /// The call's id.
        call: String,
        /// Whether the call is made.
        approved: bool,
        /// Why not, in the person's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A call has its result, also one that was refused by a person, by a guard or by a limit: then it is an error.
    ToolDone {
        /// The call's id.
        call: String,
        /// The tool's name.
        tool: String,
        /// What the model reads.
        output: ToolOutput,
    },
    /// Where something that a tool gave is from: one of the `sources` of its structured output.
    Source {
        /// The source's id.
        id: String,
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// Anything else, by name. A run tells `handoff`, with `from` and `to`.
    Data {
        /// Its name.
        name: String,
        /// Its value.
        data: RawJson,
    },
    /// The model has answered.
    StepEnded {
        /// The step.
        step: u32,
        /// What it took, where the vendor says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// Nothing more happens, until somebody answers where it [waits](RunOutcome::Waiting).
    Ended {
        /// How.
        outcome: RunOutcome,
        /// What all steps took.
        usage: Usage,
    },
}

#[cfg(test)]
mod tests {
    use edge_ai_core::FinishReason;

    use super::*;

    #[test]
    fn events_are_read_as_they_were_written() {
        let arguments = RawJson::parse(r#"{"z": 1, "a": 1.10}"#).unwrap();
        let called = RunEvent::ToolCalled {
            call: "c".into(),
            tool: "t".into(),
            arguments: arguments.clone(),
        };
        let done = RunEvent::ToolDone {
            call: "c".into(),
            tool: "t".into(),
            output: ToolOutput::json(&arguments).unwrap(),
        };
        let ended = RunEvent::Ended {
            outcome: RunOutcome::Finished {
                reason: FinishReason::Stop,
            },
            usage: Usage::new(1, 2),
        };
        for event in [called, done, ended] {
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<RunEvent>(&json).unwrap(), event);
        }
    }
}
