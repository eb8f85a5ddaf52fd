use std::sync::Arc;

use edge_ai_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One call of a tool.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolInvocation {
    /// The model's name for the call.
    pub call_id: String,
    /// The arguments as JSON text, an object.
    pub arguments: String,
    /// The same for every attempt at this call, and for no other call.
    pub idempotency_key: String,
    /// For whom.
    pub context: ToolContext,
}

impl ToolInvocation {
    /// A call outside any run; its key is the call's name.
    pub fn new(call_id: impl Into<String>, arguments: impl Into<String>) -> Self {
        let call_id = call_id.into();
        Self {
            idempotency_key: call_id.clone(),
            call_id,
            arguments: arguments.into(),
            context: ToolContext::default(),
        }
    }

    /// Sets the key.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = key.into();
        self
    }

    /// Says for whom it is.
    #[must_use]
    pub fn context(mut self, context: ToolContext) -> Self {
        self.context = context;
        self
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) that tells the model what is wrong with them.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let arguments = self.arguments.trim();
        let arguments = if arguments.is_empty() { "{}" } else { arguments };
        serde_json::from_str(arguments).map_err(|error| {
            Error::invalid("arguments", format!("the arguments do not fit: {error}")).with_source(error)
        })
    }
}

/// For whom a tool is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolContext {
    /// The tenant, by the key that was presented; `None` where everybody is let in.
    pub tenant: Option<Arc<str>>,
    /// The agent's kind.
    pub agent: Arc<str>,
    /// The conversation: the agent's name among its kind.
    pub conversation: Arc<str>,
}

impl ToolContext {
    /// A conversation of an agent.
    pub fn new(
        tenant: Option<Arc<str>>,
        agent: impl Into<Arc<str>>,
        conversation: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            tenant,
            agent: agent.into(),
            conversation: conversation.into(),
        }
    }
}
