//! The neutral form of a conversation that each dialect decodes its requests into.

use serde_json::Value;

use super::tokens;

/// Tokens a turn costs beside its text, for its role and delimiters.
const TURN_OVERHEAD: usize = 4;

/// Who said a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// A part of a turn that is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    /// What it is in words, such as `image (image/png, 68 bytes)`.
    pub(crate) described: String,
    /// Tokens it counts for.
    pub(crate) tokens: usize,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) media: Vec<Media>,
    /// Name of the tool that a [`Role::Tool`] turn carries the result of.
    pub(crate) tool_name: Option<String>,
}

impl Turn {
    pub(crate) fn new(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            text: text.into(),
            media: Vec::new(),
            tool_name: None,
        }
    }

    #[cfg(test)]
    pub(crate) fn user(text: &str) -> Self {
        Self::new(Role::User, text)
    }
}

/// A tool that may be called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    /// JSON Schema of the arguments.
    pub(crate) parameters: Value,
}

/// A call the generator makes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// Whether tools may, must or must not be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ToolChoice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    JsonObject,
    JsonSchema(Value),
}

/// A conversation and how it is to be answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Prompt {
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<ToolSpec>,
    pub(crate) tool_choice: ToolChoice,
    /// More than one call in one answer is allowed.
    pub(crate) parallel_tool_calls: bool,
    pub(crate) format: Format,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) stop: Vec<String>,
    /// Think before answering, and show or count it as the dialect does.
    pub(crate) reasoning: bool,
}

impl Prompt {
    /// Text of the last user turn; of the last turn when no user spoke.
    pub(crate) fn question(&self) -> String {
        self.last_user()
            .or(self.turns.last())
            .map(|turn| crate::fault::directive::strip(&turn.text))
            .unwrap_or_default()
    }

    pub(crate) fn last_user(&self) -> Option<&Turn> {
        self.turns.iter().rev().find(|turn| turn.role == Role::User)
    }

    /// Tool results that came after the last user turn.
    pub(crate) fn fresh_results(&self) -> &[Turn] {
        let from = self
            .turns
            .iter()
            .rposition(|turn| turn.role != Role::Tool)
            .map_or(0, |at| at + 1);
        self.turns.get(from..).unwrap_or_default()
    }

    /// Input tokens of the whole request.
    pub(crate) fn tokens(&self) -> usize {
        let turns: usize = self
            .turns
            .iter()
            .map(|turn| {
                tokens::count(&turn.text) + turn.media.iter().map(|m| m.tokens).sum::<usize>() + TURN_OVERHEAD
            })
            .sum();
        let tools: usize = self
            .tools
            .iter()
            .map(|tool| {
                tokens::count(&tool.name)
                    + tokens::count(&tool.description)
                    + tokens::count(&tool.parameters.to_string())
            })
            .sum();
        turns + tools
    }
}
