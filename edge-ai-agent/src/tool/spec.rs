use edge_ai_core::{FunctionTool, RawJson, Tool};
use serde::{Deserialize, Serialize};

/// What the model and the run are told about a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// Its name, unique among an agent's tools: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When and how to use it, read by the model.
    pub description: String,
    /// The JSON schema of its arguments, an object's.
    pub parameters: RawJson,
    /// The JSON schema of its structured result, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<RawJson>,
    /// Whether a person must agree first.
    #[serde(default)]
    pub approval: Approval,
    /// What may happen when nobody knows whether a call was made.
    #[serde(default)]
    pub repeat: Repeat,
}

impl ToolSpec {
    /// A tool that needs no consent and is never called twice.
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: RawJson) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            parameters,
            output: None,
            approval: Approval::default(),
            repeat: Repeat::default(),
        }
    }

    /// As a chat request carries it.
    pub fn to_tool(&self) -> Tool {
        Tool::Function(FunctionTool::new(
            self.name.clone(),
            self.description.clone(),
            self.parameters.clone(),
        ))
    }
}

/// Whether a person must agree before a tool is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approval {
    /// No.
    #[default]
    NotNeeded,
    /// Yes: the run waits, however long, and a refusal is told to the model.
    Needed,
}

/// What may happen to a call of which nobody knows whether it was made, because the run was killed between asking and hearing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repeat {
    /// It is not made again: the model is told that it was interrupted and may have happened.
    #[default]
    Once,
    /// It is made again with the same idempotency key, by which the tool makes its effect happen once.
    WithKey,
    /// It is made again: it changes nothing.
    ReadOnly,
}
