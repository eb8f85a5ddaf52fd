/// In what a server that speaks OpenAI's dialect differs from OpenAI.
///
/// What a server refuses and the answer does not depend on (a [hint](Self::refused_hints), a message's name) is left out or written as the
/// server wants it, also in a client's own body. What the answer does depend on goes out as it is, and the server's refusal comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// The field for the most tokens of an answer.
    pub max_tokens: MaxTokensField,
    /// Whether there is a `developer` role; without it, such messages go out as `system`.
    pub developer_role: bool,
    /// Which of the model's thoughts go back to it.
    pub send_reasoning: SendReasoning,
    /// The field in which they do.
    pub reasoning_field: ReasoningField,
    /// Whether there is `top_k`; without it, the hint is dropped.
    pub top_k: bool,
    /// Whether vectors can come in base64, which is a third of the bytes and quicker to read.
    pub base64_embeddings: bool,
    /// The most inputs in one call for embeddings; more are sent in several calls.
    pub embedding_inputs: usize,
    /// The field that says what an embedding is for; without one, it is not said.
    pub embedding_purpose: Option<EmbeddingPurposeField>,
    /// Whether the model calls tools; without, a request with tools is an error before it is sent.
    pub tools: bool,
    /// Whether `stream_options` asks for the usage of a stream; other servers tell it unasked.
    pub stream_options: bool,
    /// Whether texts may be marked with Anthropic's `cache_control`; without it, an Anthropic client's marks are dropped.
    pub cache_marks: bool,
    /// Whether a message may have a `name`.
    pub message_names: bool,
    /// The fields beside OpenAI's that a message may have; `None` for a server that does not mind any.
    pub message_fields: Option<&'static [&'static str]>,
    /// The form of a tool call's id.
    pub tool_call_ids: ToolCallIds,
    /// Fields of the request that the server refuses, and that are hints: a request does not fail for them.
    pub refused_hints: &'static [&'static str],
    /// The server's own names for fields of the request.
    pub renamed: &'static [(&'static str, &'static str)],
}

impl Compatibility {
    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        developer_role: true,
        send_reasoning: SendReasoning::AsWritten,
        reasoning_field: ReasoningField::ReasoningContent,
        top_k: false,
        base64_embeddings: true,
        // https://platform.openai.com/docs/api-reference/embeddings/create#embeddings-create-input
        embedding_inputs: 2_048,
        embedding_purpose: None,
        tools: true,
        stream_options: true,
        cache_marks: false,
        message_names: true,
        message_fields: None,
        tool_call_ids: ToolCallIds::Any,
        refused_hints: &[],
        renamed: &[],
    };

    /// What all compatible servers understand.
    pub const COMPATIBLE: Self = Self {
        max_tokens: MaxTokensField::MaxTokens,
        developer_role: false,
        top_k: true,
        base64_embeddings: false,
        ..Self::OPENAI
    };

    /// Sends what the model thought back to it.
    #[must_use]
    pub const fn with_reasoning(self) -> Self {
        Self {
            send_reasoning: SendReasoning::Always,
            ..self
        }
    }

    /// The server's name for a field of the request; `None` for a hint that it refuses.
    pub(super) fn field<'a>(&self, name: &'a str) -> Option<&'a str> {
        if self.refused_hints.contains(&name) {
            return None;
        }
        let renamed = self.renamed.iter().find(|(known, _)| *known == name);
        Some(renamed.map_or(name, |(_, own)| own))
    }
}

impl Default for Compatibility {
    fn default() -> Self {
        Self::OPENAI
    }
}

/// The field of a request for embeddings that says what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbeddingPurposeField {
    /// The field's name.
    pub name: &'static str,
    /// Its value for a question that looks for documents.
    pub query: &'static str,
    /// Its value for a document to be found.
    pub document: &'static str,
}

impl EmbeddingPurposeField {
    /// A field with its two values.
    pub const fn new(name: &'static str, query: &'static str, document: &'static str) -> Self {
        Self {
            name,
            query,
            document,
        }
    }
}

/// The field for the most tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaxTokensField {
    /// `max_completion_tokens`, the only one for OpenAI's reasoning models.
    MaxCompletionTokens,
    /// `max_tokens`, the only one that some servers know.
    MaxTokens,
}

/// Which of the model's thoughts go back to it with the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendReasoning {
    /// Those that the client wrote in OpenAI's dialect.
    AsWritten,
    /// The same, in the server's own field: it refuses the other.
    InOwnField,
    /// None: the server refuses a message with thoughts.
    Never,
    /// Those of turns that call tools, whose field is required even if empty; the server has no use for others.
    WithToolCalls,
    /// All, with their signatures.
    Always,
}

/// The field of a message for the thoughts' text. Both are understood in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReasoningField {
    /// `reasoning_content`, as DeepSeek calls it.
    ReasoningContent,
    /// `reasoning`, as OpenRouter calls it.
    Reasoning,
}

impl ReasoningField {
    /// The field's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}

/// The form of a tool call's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolCallIds {
    /// Any text.
    Any,
    /// Nine of `a-z`, `A-Z` and `0-9`. Another id is replaced by one that is made from it, the same for the call and its result.
    NineAlphanumerics,
}
