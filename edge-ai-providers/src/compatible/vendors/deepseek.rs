use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, SendReasoning};

/// [DeepSeek](https://api-docs.deepseek.com).
///
/// Its models [think](https://api-docs.deepseek.com/guides/thinking_mode) unless they are told not to. The `reasoning_content` of a turn
/// that calls tools must go back, or the next request is refused; that of other turns is of no use and is left out. What the
/// [context cache](https://api-docs.deepseek.com/guides/kv_cache) had is counted in `prompt_cache_hit_tokens`. Its JSON mode knows
/// [no schema](https://api-docs.deepseek.com/guides/json_mode).
pub const DEEPSEEK: Vendor = Vendor {
    compatibility: Compatibility {
        send_reasoning: SendReasoning::WithToolCalls,
        top_k: false,
        ..Compatibility::COMPATIBLE
    },
    capabilities: ALL,
    models: &[
        Model::new("deepseek-v4-pro", ALL),
        Model::new("deepseek-v4-flash", ALL),
    ],
    docs: "https://api-docs.deepseek.com/api/create-chat-completion",
    ..Vendor::new(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com",
        "DEEPSEEK_API_KEY",
        "DEEPSEEK_BASE_URL",
    )
};

const ALL: Capabilities = Capabilities::CHAT.parallel_tools().reasoning().prompt_caching();
