use serde::{Deserialize, Serialize};

use super::{
    ContentPart, Message, Role, ToolCall,
    message::{text_of, tool_calls_of},
};
use crate::{Extra, Usage, Verbatim};

/// The answer to a chat request. Reads as its [`ChatOutput`].
pub type ChatResponse = Verbatim<ChatOutput>;

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatOutput {
    /// The vendor's identifier of the answer; may be empty.
    pub id: String,
    /// The model that answered, by its vendor's name.
    pub model: String,
    /// What it said, in order.
    pub content: Vec<ContentPart>,
    /// Why it stopped.
    pub finish_reason: FinishReason,
    /// What it took, where the vendor says so.
    pub usage: Option<Usage>,
    /// Unknown fields.
    pub extra: Extra,
}

impl ChatOutput {
    /// An answer of one text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            content: vec![ContentPart::text(text)],
            ..Self::default()
        }
    }

    /// All of its text, without reasoning and tool calls.
    pub fn text(&self) -> String {
        text_of(&self.content)
    }

    /// The tools it calls.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        tool_calls_of(&self.content)
    }

    /// As the assistant's turn in the conversation that goes on.
    pub fn to_message(&self) -> Message {
        Message::new(Role::Assistant, self.content.clone())
    }
}

/// Why a model stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// It had said everything.
    #[default]
    Stop,
    /// It came to one of the request's stop texts.
    StopSequence,
    /// It came to the limit of tokens.
    Length,
    /// It called tools and waits for results.
    ToolCalls,
    /// The vendor's filter stopped it.
    ContentFilter,
    /// It declined.
    Refusal,
    /// The vendor paused a long turn: send the answer back to go on.
    Pause,
    /// It came to the end of its context window.
    ContextWindow,
    /// A reason that only its dialect knows.
    Other(String),
}

impl FinishReason {
    /// The name in records.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::StopSequence => "stop_sequence",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
            Self::ContextWindow => "context_window",
            Self::Other(reason) => reason,
        }
    }
}
