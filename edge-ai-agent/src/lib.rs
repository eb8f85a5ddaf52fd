#![doc = include_str!("../README.md")]

mod tool;

pub use tool::{
    AgentTool, Approval, IntoToolOutput, Repeat, ToolContext, ToolInvocation, ToolOutput, ToolSet, ToolSpec,
    TypedTool,
};
