use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, MaxTokensField};

/// [Cerebras](https://inference-docs.cerebras.ai/resources/openai): open models on its own chips.
///
/// It answers with 400 to `frequency_penalty`, `presence_penalty`, `parallel_tool_calls` and `service_tier`, which are left out, and to
/// `logit_bias`, which goes out.
pub const CEREBRAS: Vendor = Vendor {
    compatibility: Compatibility {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        top_k: false,
        refused_hints: &[
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
