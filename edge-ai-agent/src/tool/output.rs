use edge_ai_core::{ContentPart, RawJson, Result, ToolResult};
use serde::{Deserialize, Serialize};

/// What a tool gives back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What the model reads.
    pub content: Vec<ContentPart>,
    /// The same for programs: an object of the [schema](super::ToolSpec::output).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<RawJson>,
    /// Whether it failed, and the content says how.
    #[serde(default)]
    pub is_error: bool,
}

impl ToolOutput {
    /// A text.
    pub fn text_of(text: impl Into<String>) -> Self {
        Self::new(vec![ContentPart::text(text)])
    }

    /// Parts: texts and pictures.
    pub const fn new(content: Vec<ContentPart>) -> Self {
        Self {
            content,
            structured: None,
            is_error: false,
        }
    }

    /// A value, as JSON for the model and for programs.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](edge_ai_core::ErrorKind::Internal) for a value that cannot be JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let json = RawJson::from_serialize(value)?;
        Ok(Self {
            structured: Some(json.clone()),
            ..Self::text_of(json.get())
        })
    }

    /// A failure, told to the model.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::text_of(message)
        }
    }

    /// All of its text.
    pub fn text(&self) -> String {
        self.content.iter().filter_map(ContentPart::as_text).collect()
    }

    /// As the result of a call.
    pub fn into_result(self, call_id: impl Into<String>) -> ToolResult {
        let mut result = ToolResult::new(call_id, self.content);
        result.is_error = self.is_error;
        result
    }
}

/// What a [`TypedTool`](super::TypedTool) may return: text, [`serde_json::Value`], or a whole [`ToolOutput`].
pub trait IntoToolOutput {
    /// As an output.
    ///
    /// # Errors
    /// As [`ToolOutput::json`].
    fn into_tool_output(self) -> Result<ToolOutput>;
}

impl IntoToolOutput for ToolOutput {
    fn into_tool_output(self) -> Result<ToolOutput> {
        Ok(self)
    }
}

impl IntoToolOutput for String {
    fn into_tool_output(self) -> Result<ToolOutput> {
        Ok(ToolOutput::text_of(self))
    }
}

impl IntoToolOutput for &str {
    fn into_tool_output(self) -> Result<ToolOutput> {
        Ok(ToolOutput::text_of(self))
    }
}

impl IntoToolOutput for serde_json::Value {
    fn into_tool_output(self) -> Result<ToolOutput> {
        ToolOutput::json(&self)
    }
}
