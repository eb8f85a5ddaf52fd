//! What an agent can do.

mod invocation;
mod output;
mod set;
mod spec;
mod typed;

use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Result, async_trait};

pub use invocation::{ToolContext, ToolInvocation};
pub use output::{IntoToolOutput, ToolOutput};
pub use set::ToolSet;
pub use spec::{Approval, Repeat, ToolSpec};
pub use typed::TypedTool;
pub(crate) use typed::schema;

/// Something that an agent can do: a function of the application, a tool of an MCP server, an HTTP API, another agent.
#[async_trait]
pub trait AgentTool: fmt::Debug + Send + Sync + 'static {
    /// What the model and the run are told about it; the same at every call.
    fn spec(&self) -> &ToolSpec;

    /// Does it.
    ///
    /// Whoever is not [`Repeat::Once`] may be asked again with the same [idempotency key](ToolInvocation::idempotency_key) after a crash, and passes the key
    /// on to where the effect happens.
    ///
    /// # Errors
    /// Each is told to the model, which may try again in another way, so its message says what to do better.
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for arguments that do not fit.
    async fn call(&self, call: ToolInvocation) -> Result<ToolOutput>;

    /// Whether this call needs a person's consent; as the [spec](ToolSpec::approval) says, unless the arguments matter.
    fn approval(&self, call: &ToolInvocation) -> Approval {
        let _ = call;
        self.spec().approval
    }
}

#[async_trait]
impl<T: AgentTool + ?Sized> AgentTool for Arc<T> {
    fn spec(&self) -> &ToolSpec {
        (**self).spec()
    }

    async fn call(&self, call: ToolInvocation) -> Result<ToolOutput> {
        (**self).call(call).await
    }

    fn approval(&self, call: &ToolInvocation) -> Approval {
        (**self).approval(call)
    }
}
