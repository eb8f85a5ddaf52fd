use std::fmt;

use edge_ai_core::{ChatOutput, Message, Result, async_trait};

use crate::{ToolInvocation, ToolOutput, ToolSpec};

/// Looks at what goes into a run and what comes out of it, and may stop either.
///
/// It sees whole answers. Where a watcher must not see a word before it was judged, put a guarded chat model under the agent: that one holds back a stream.
#[async_trait]
pub trait RunGuard: fmt::Debug + Send + Sync + 'static {
    /// What a person says, before the model is asked. [`Verdict::Retry`] stops the run as [`Verdict::Block`] does.
    ///
    /// # Errors
    /// An error stops the run: what could not be judged does not pass. The same for the others.
    async fn input(&self, messages: &[Message]) -> Result<Verdict> {
        let _ = messages;
        Ok(Verdict::Allow)
    }

    /// The model's last answer. [`Verdict::Retry`] asks again, as often as the [limits](super::RunLimits::output_retries) say.
    async fn output(&self, output: &ChatOutput) -> Result<Verdict> {
        let _ = output;
        Ok(Verdict::Allow)
    }

    /// A call, before it is made. [`Verdict::Retry`] tells the model instead.
    async fn tool_call(&self, tool: &ToolSpec, call: &ToolInvocation) -> Result<Verdict> {
        let _ = (tool, call);
        Ok(Verdict::Allow)
    }

    /// A tool's output, before anybody sees it. [`Verdict::Retry`] tells the model that in its place.
    async fn tool_output(&self, tool: &ToolSpec, output: &ToolOutput) -> Result<Verdict> {
        let _ = (tool, output);
        Ok(Verdict::Allow)
    }
}

/// What a [guard](RunGuard) says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Go on.
    Allow,
    /// Not so: the model is told and may do better.
    Retry {
        /// What the model is told.
        reason: String,
    },
    /// The run ends.
    Block {
        /// What the outcome says.
        reason: String,
    },
}

impl Verdict {
    /// Not so.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
        }
    }

    /// The run ends.
    pub fn block(reason: impl Into<String>) -> Self {
        Self::Block {
            reason: reason.into(),
        }
    }
}
