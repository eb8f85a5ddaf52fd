use edge_ai_core::Capabilities;

use crate::compatible::Vendor;
use crate::openai::{Compatibility, ReasoningField, SendReasoning};

/// [OpenRouter](https://openrouter.ai/docs/api/reference/overview): the models of many vendors, as `openrouter/vendor/model`.
///
/// While a vendor is slow, a stream has [comments](https://openrouter.ai/docs/api/reference/streaming), which go through; when one
/// fails in the middle, the last chunk has the error and `finish_reason: "error"`, and the stream ends with it. Thoughts are in
/// [`reasoning`](https://openrouter.ai/docs/use-cases/reasoning-tokens), and with their signatures in `reasoning_details`, which goes back with
/// the turn. With `OPENROUTER_SITE_URL` and `OPENROUTER_APP_NAME` requests say
/// [whose they are](https://openrouter.ai/docs/app-attribution).
pub const OPENROUTER: Vendor = Vendor {
    headers: &[
        ("http-referer", "OPENROUTER_SITE_URL"),
        ("x-title", "OPENROUTER_APP_NAME"),
    ],
    compatibility: Compatibility {
        send_reasoning: SendReasoning::InOwnField,
        reasoning_field: ReasoningField::Reasoning,
        // https://openrouter.ai/docs/features/prompt-caching
        cache_marks: true,
        ..Compatibility::COMPATIBLE
    },
    capabilities: Capabilities::ALL,
    docs: "https://openrouter.ai/docs/api/reference/overview",
    ..Vendor::new(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        "OPENROUTER_BASE_URL",
    )
};
