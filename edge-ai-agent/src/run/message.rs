use edge_ai_core::{JsonObject, Message, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// A message of a conversation, as it is kept.
///
/// The assistant's side of a turn is several: what the model said with its calls, their results, what it said then. They share the
/// [`run`](Self::run); the first has the id that [`RunEvent::Started`](super::RunEvent::Started) told, those that follow have it with a number behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentMessage {
    /// Its id, unique in the conversation.
    pub id: String,
    /// The run that made it; `None` for what a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What was said.
    pub message: Message,
    /// When.
    pub created: Timestamp,
    /// What the application keeps with it.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub metadata: JsonObject,
}

impl AgentMessage {
    /// A message that is not a run's.
    pub fn new(id: impl Into<String>, message: Message, created: Timestamp) -> Self {
        Self {
            id: id.into(),
            run: None,
            message,
            created,
            metadata: JsonObject::new(),
        }
    }

    /// What a person says.
    pub fn user(id: impl Into<String>, text: impl Into<String>, created: Timestamp) -> Self {
        Self::new(id, Message::from_text(Role::User, text), created)
    }
}
