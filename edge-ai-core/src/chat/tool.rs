use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ContentPart, message::text_of};
use crate::{Error, Extra, RawJson, Result};

/// Something that a model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tool {
    /// A function of the caller's.
    Function(FunctionTool),
    /// A tool that the vendor runs itself, such as its web search: only its own dialect knows it.
    Vendor(Extra),
}

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionTool {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// When and how to use it, read by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON schema of its arguments; `None` for a function without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<RawJson>,
    /// Whether the vendor must enforce the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl FunctionTool {
    /// A function with a schema for its arguments.
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: RawJson) -> Self {
        Self {
            name: name.into(),
            description: Some(description.into()),
            parameters: Some(parameters),
            strict: None,
            extra: Extra::default(),
        }
    }

    /// A function by name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters: None,
            strict: None,
            extra: Extra::default(),
        }
    }
}

/// Whether a model may, must or must not call tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// It may.
    Auto,
    /// It must not.
    None,
    /// It must call one.
    Required,
    /// It must call this one.
    Function(String),
}

/// A model's call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments as the model wrote them: a JSON object, unless the model was cut off or is bad at it.
    pub arguments: String,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolCall {
    /// A call.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            extra: Extra::default(),
        }
    }

    /// The arguments as JSON text; those of a tool that takes none are `{}`, also where a vendor sends nothing.
    pub fn arguments_json(&self) -> &str {
        let arguments = self.arguments.trim();
        if arguments.is_empty() { "{}" } else { arguments }
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) that tells the model what is wrong with them.
    pub fn parse_arguments<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.arguments_json()).map_err(|error| {
            Error::invalid(
                "arguments",
                format!("the arguments of {} do not fit: {error}", self.name),
            )
            .with_source(error)
        })
    }
}

/// What a tool gave back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The [call's id](ToolCall::id).
    pub call_id: String,
    /// The result.
    pub content: Vec<ContentPart>,
    /// Whether the tool failed, and the content says how.
    #[serde(default)]
    pub is_error: bool,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolResult {
    /// A result of parts.
    pub fn new(call_id: impl Into<String>, content: Vec<ContentPart>) -> Self {
        Self {
            call_id: call_id.into(),
            content,
            is_error: false,
            extra: Extra::default(),
        }
    }

    /// A result of one text.
    pub fn from_text(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(call_id, vec![ContentPart::text(text)])
    }

    /// All of its text.
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}
