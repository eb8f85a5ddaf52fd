use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, MaxTokensField, MediaServices};

/// [xAI](https://docs.x.ai/docs/api-reference#chat-completions), with the Grok models.
///
/// It counts the tokens of thoughts beside those of the answer, and cached ones in `prompt_tokens_details.cached_tokens`. Models that
/// think [refuse](https://docs.x.ai/docs/guides/reasoning) `presence_penalty`, `frequency_penalty` and `stop`; others take them, so
/// they go out.
pub const XAI: Vendor = Vendor {
    compatibility: Compatibility {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        top_k: false,
        ..Compatibility::COMPATIBLE
    },
    media: MediaServices {
        images: true,
        realtime: true,
        ..MediaServices::NONE
    },
    capabilities: GENERAL.reasoning(),
    models: &[
        Model::new("grok-4.7", GENERAL.reasoning()),
        Model::new("grok-4.3", GENERAL.reasoning()),
        Model::new("grok-4.20-0309-reasoning", GENERAL.reasoning()),
        Model::new("grok-4.20-0309-non-reasoning", GENERAL),
    ],
    docs: "https://docs.x.ai/docs/api-reference#chat-completions",
    ..Vendor::new("xai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY", "XAI_BASE_URL")
};

const GENERAL: Capabilities = Capabilities::CHAT
    .parallel_tools()
    .vision()
    .json_schema()
    .prompt_caching();
