use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};

/// [Fireworks](https://docs.fireworks.ai/tools-sdks/openai-compatibility): open models, as `fireworks/accounts/fireworks/models/…`.
///
/// A prompt that leaves less than `max_tokens` of the window is answered with fewer tokens instead of an error, unless
/// `context_length_exceeded_behavior` is `error`. Usage comes with the last chunk of every stream.
pub const FIREWORKS: Vendor = Vendor {
    capabilities: Capabilities::ALL,
    models: &[
        Model::new("accounts/fireworks/models/kimi-k2p6", KIMI),
        Model::new("accounts/fireworks/models/glm-5p2", OPEN.parallel_tools()),
        Model::new("accounts/fireworks/models/gpt-oss-20b", OPEN),
    ],
    docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
    ..Vendor::new(
        "fireworks",
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        "FIREWORKS_BASE_URL",
    )
};

// https://docs.fireworks.ai/guides/prompt-caching: for all models.
const OPEN: Capabilities = Capabilities::CHAT
    .tools()
    .json_schema()
    .reasoning()
    .prompt_caching();

const KIMI: Capabilities = OPEN.parallel_tools().vision();
