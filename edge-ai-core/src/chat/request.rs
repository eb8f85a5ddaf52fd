use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{ContentPart, FunctionTool, Message, Role, Tool, ToolChoice};
use crate::{Context, Extra, RawJson, Verbatim};

/// A question to a chat model: which model, what is said, and whose question it is. Reads as its [`ChatInput`].
///
/// ```
/// use edge_ai_core::ChatRequest;
///
/// let request = ChatRequest::new("openai/gpt-6-luna").system("Answer in one word.").user("Capital of France?").max_output_tokens(10);
/// assert_eq!(request.messages.len(), 2);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model asked for: what a router routes by and a vendor calls it.
    pub model: String,
    /// What belongs to the request but not to its content.
    pub context: Context,
    /// The content.
    pub input: Verbatim<ChatInput>,
}

impl ChatRequest {
    /// An empty conversation with `model`.
    pub fn new(model: impl Into<String>) -> Self {
        Self::from_input(model, ChatInput::default())
    }

    /// A request of a content that is there already.
    pub fn from_input(model: impl Into<String>, input: impl Into<Verbatim<ChatInput>>) -> Self {
        Self {
            model: model.into(),
            context: Context::default(),
            input: input.into(),
        }
    }

    /// Adds instructions.
    #[must_use]
    pub fn system(self, text: impl Into<String>) -> Self {
        self.message(Message::from_text(Role::System, text))
    }

    /// Adds what the user says.
    #[must_use]
    pub fn user(self, text: impl Into<String>) -> Self {
        self.message(Message::from_text(Role::User, text))
    }

    /// Adds what the model said.
    #[must_use]
    pub fn assistant(self, text: impl Into<String>) -> Self {
        self.message(Message::from_text(Role::Assistant, text))
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.input.edit().messages.push(message);
        self
    }

    /// Lets the model call a function.
    #[must_use]
    pub fn tool(mut self, tool: FunctionTool) -> Self {
        self.input.edit().tools.push(Tool::Function(tool));
        self
    }

    /// Says whether the model may, must or must not call tools.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.input.edit().tool_choice = Some(choice);
        self
    }

    /// Asks for an answer in JSON.
    #[must_use]
    pub fn response_format(mut self, format: ResponseFormat) -> Self {
        self.input.edit().response_format = Some(format);
        self
    }

    /// Limits the answer's length, reasoning included.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.input.edit().max_output_tokens = Some(tokens);
        self
    }

    /// Sets how freely the model chooses its words: 0 is the least.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.input.edit().temperature = Some(temperature);
        self
    }

    /// Asks the model to think first.
    #[must_use]
    pub fn reasoning(mut self, reasoning: ReasoningConfig) -> Self {
        self.input.edit().reasoning = Some(reasoning);
        self
    }

    /// Sets the context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

impl Deref for ChatRequest {
    type Target = ChatInput;

    fn deref(&self) -> &ChatInput {
        &self.input
    }
}

/// The content of a chat request, in no vendor's words.
///
/// What a dialect has beyond these fields stays in [`extra`](Self::extra).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatInput {
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call them; `None` leaves it to the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; `None` leaves it to the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer; `None` is free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// Whether and how much the model thinks first; `None` leaves it to the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningConfig>,
    /// The most tokens of the answer, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// The sampling temperature, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling: the share of probability to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// How many of the likeliest tokens to choose from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Texts at which the answer stops.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// For repeatable sampling, as far as the vendor can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Against tokens that have appeared, from -2 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Against tokens by how often they have appeared, from -2 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// How many answers; more than one only within a vendor's own dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<u32>,
    /// Unknown fields.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ChatInput {
    /// Whether a part of any message is one of those that `wanted` names.
    pub fn any_part(&self, wanted: impl Fn(&ContentPart) -> bool) -> bool {
        self.messages
            .iter()
            .flat_map(|message| &message.content)
            .any(wanted)
    }
}

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseFormat {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of a schema.
    JsonSchema {
        /// The schema's name.
        name: String,
        /// What it is for, read by the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The JSON schema.
        schema: RawJson,
        /// Whether the vendor must enforce it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

/// Whether and how much a model thinks before it answers. Vendors count in efforts or in tokens; both can be given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReasoningConfig {
    /// The vendor's word for how much, such as `low`, `medium` or `high`; `none` turns it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// The most tokens to think with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

impl ReasoningConfig {
    /// By effort.
    pub fn effort(effort: impl Into<String>) -> Self {
        Self {
            effort: Some(effort.into()),
            max_tokens: None,
        }
    }

    /// By tokens.
    pub const fn max_tokens(tokens: u32) -> Self {
        Self {
            effort: None,
            max_tokens: Some(tokens),
        }
    }
}
