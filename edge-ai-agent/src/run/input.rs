use edge_ai_core::{ChatOutput, ChatRequest, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RunError, RunOutcome, Verdict};
use crate::{Repeat, ToolInvocation, ToolOutput};

/// What has happened to a run. In order, inputs are the run: who keeps them can make it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunInput {
    /// It begins.
    Begin,
    /// Guards have judged what [`Effect::CheckInput`] or [`Effect::CheckOutput`] asked about.
    Checked(Verdict),
    /// The model has answered.
    Answered {
        /// The answer.
        output: Box<ChatOutput>,
        /// What it cost, where that is known.
        cost: Option<Money>,
        /// Which of its calls need a person's consent, by their place among the calls.
        consent: Vec<usize>,
    },
    /// The model failed, or the run cannot go on.
    Failed(RunError),
    /// A call is about to be made.
    ToolStarted {
        /// The call's id.
        call: String,
    },
    /// A call has its result.
    ToolDone {
        /// The call's id.
        call: String,
        /// The result.
        output: ToolOutput,
    },
    /// A guard ends the run.
    Blocked {
        /// What it said.
        reason: String,
    },
    /// A person has answered.
    Decided {
        /// Which question.
        approval: String,
        /// Whether the call is made.
        approved: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// Somebody stops it.
    Cancel,
    /// It is taken up after a crash: what was under way then is lost.
    Resumed {
        /// Whether watchers have heard a part of the answer that was under way.
        told: bool,
    },
}

/// A [`RunInput`] with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimedInput {
    /// When.
    pub at: Timestamp,
    /// What.
    pub input: RunInput,
}

impl TimedInput {
    /// An input with its time.
    pub const fn new(at: Timestamp, input: RunInput) -> Self {
        Self { at, input }
    }
}

/// What is to be done now. It follows from the run's state alone, so asking again gives the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Effect {
    /// Let guards judge what the person said; [`RunInput::Checked`] answers.
    CheckInput,
    /// Let guards judge the answer; [`RunInput::Checked`] answers.
    CheckOutput(Box<ChatOutput>),
    /// Ask the model; [`RunInput::Answered`] or [`RunInput::Failed`] answers.
    CallModel {
        /// The step.
        step: u32,
        /// The agent whose model it is.
        agent: String,
        /// What it is asked.
        request: Box<ChatRequest>,
    },
    /// Call a tool: [`RunInput::ToolStarted`] before, [`RunInput::ToolDone`] after.
    CallTool {
        /// The agent whose tool it is.
        agent: String,
        /// The tool's name.
        tool: String,
        /// The call.
        invocation: ToolInvocation,
        /// What may happen if nobody knows whether it was made.
        repeat: Repeat,
    },
    /// Nothing, until somebody answers.
    AskApproval {
        /// The open questions.
        approvals: Vec<String>,
    },
    /// Nothing any more.
    End(RunOutcome),
}
