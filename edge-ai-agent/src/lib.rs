#![doc = include_str!("../README.md")]

mod agent;
mod drive;
mod journal;
mod run;
mod schedule;
mod tool;

pub use agent::{Agent, AgentBuilder, SubAgent};
pub use drive::{AgentModel, Driver, RunStream, StatelessDriver, Watch};
pub use journal::Journal;
pub use run::{
    AgentMessage, AgentPlan, Effect, ModelSettings, Run, RunError, RunEvent, RunGuard, RunInput, RunLimit,
    RunLimits, RunOutcome, RunPlan, StepDeltas, TimedInput, Verdict,
};
pub use schedule::{Cron, Due, Schedule, Schedules};
pub use tool::{
    AgentTool, Approval, IntoToolOutput, Repeat, ToolContext, ToolInvocation, ToolOutput, ToolSet, ToolSpec,
    TypedTool,
};
