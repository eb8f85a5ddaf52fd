#![doc = include_str!("../README.md")]

mod agent;
mod run;
mod tool;

pub use agent::{Agent, AgentBuilder};
pub use run::{
    AgentMessage, AgentPlan, ModelSettings, RunError, RunEvent, RunGuard, RunLimit, RunLimits, RunOutcome,
    RunPlan, Verdict,
};
pub use tool::{
    AgentTool, Approval, IntoToolOutput, Repeat, ToolContext, ToolInvocation, ToolOutput, ToolSet, ToolSpec,
    TypedTool,
};
