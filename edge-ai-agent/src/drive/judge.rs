use edge_ai_core::{ChatOutput, Message, Result};

use crate::run::Verdict;
use crate::{Agent, ToolInvocation, ToolOutput, ToolSpec};

/// The first verdict that does not allow; a guard that fails blocks.
macro_rules! judge {
    ($agent:expr, $guard:ident => $call:expr) => {{
        for $guard in $agent.guards() {
            match settled($call.await) {
                Verdict::Allow => {}
                verdict => return verdict,
            }
        }
        Verdict::Allow
    }};
}

pub(super) async fn input(agent: &Agent, messages: &[Message]) -> Verdict {
    judge!(agent, guard => guard.input(messages))
}

pub(super) async fn output(agent: &Agent, output: &ChatOutput) -> Verdict {
    judge!(agent, guard => guard.output(output))
}

pub(super) async fn tool_call(agent: &Agent, tool: &ToolSpec, call: &ToolInvocation) -> Verdict {
    judge!(agent, guard => guard.tool_call(tool, call))
}

pub(super) async fn tool_output(agent: &Agent, tool: &ToolSpec, output: &ToolOutput) -> Verdict {
    judge!(agent, guard => guard.tool_output(tool, output))
}

fn settled(verdict: Result<Verdict>) -> Verdict {
    verdict.unwrap_or_else(|error| Verdict::block(format!("a guard failed: {}", error.message())))
}
