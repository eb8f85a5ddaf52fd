use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, SendReasoning};

/// [Perplexity](https://docs.perplexity.ai/docs/sonar/openai-compatibility): models that search the web first.
///
/// Their sources, `citations` and `search_results`, are unknown fields of the answer; a stream has them at its
/// [end](https://docs.perplexity.ai/guides/streaming-responses). The Sonar models call no tools, and a request with tools is an error.
pub const PERPLEXITY: Vendor = Vendor {
    compatibility: Compatibility {
        send_reasoning: SendReasoning::Never,
        tools: false,
        stream_options: false,
        refused_hints: &["seed", "parallel_tool_calls", "service_tier"],
        ..Compatibility::COMPATIBLE
    },
    capabilities: SONAR.reasoning(),
    models: &[
        Model::new("sonar", SONAR),
        Model::new("sonar-pro", SONAR),
        Model::new("sonar-reasoning-pro", SONAR.reasoning()),
        Model::new(
            "sonar-deep-research",
            Capabilities::CHAT.json_schema().reasoning(),
        ),
    ],
    docs: "https://docs.perplexity.ai/docs/sonar/openai-compatibility",
    ..Vendor::new(
        "perplexity",
        "Perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY_API_KEY",
        "PERPLEXITY_BASE_URL",
    )
};

const SONAR: Capabilities = Capabilities::CHAT.vision().json_schema();
