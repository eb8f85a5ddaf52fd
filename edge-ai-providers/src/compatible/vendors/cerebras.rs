use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, MaxTokensField, ReasoningField, SendReasoning};

/// [Cerebras](https://inference-docs.cerebras.ai/resources/openai): open models on its own chips.
///
/// It answers with 400 (`wrong_api_format`) to fields that it does not know. `frequency_penalty`, `presence_penalty`, `parallel_tool_calls`
/// and OpenAI's hints are left out, and of messages what is not known; thoughts go out in `reasoning`. `logit_bias` goes out all the same.
pub const CEREBRAS: Vendor = Vendor {
    compatibility: Compatibility {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        send_reasoning: SendReasoning::InOwnField,
        reasoning_field: ReasoningField::Reasoning,
        top_k: false,
        message_fields: Some(&[]),
        refused_hints: &[
            "store",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "verbosity",
            "frequency_penalty",
            "presence_penalty",
            "parallel_tool_calls",
            "service_tier",
        ],
        ..Compatibility::COMPATIBLE
    },
    capabilities: OPEN.parallel_tools(),
    models: &[
        Model::new("gpt-oss-120b", OPEN),
        Model::new("zai-glm-4.7", OPEN.parallel_tools()),
    ],
    docs: "https://inference-docs.cerebras.ai/resources/openai",
    ..Vendor::new(
        "cerebras",
        "Cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS_API_KEY",
        "CEREBRAS_BASE_URL",
    )
};

// https://inference-docs.cerebras.ai/capabilities/prompt-caching
const OPEN: Capabilities = Capabilities::CHAT
    .tools()
    .json_schema()
    .reasoning()
    .prompt_caching();
