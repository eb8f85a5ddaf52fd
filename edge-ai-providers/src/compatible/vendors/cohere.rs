use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::Compatibility;
use crate::rerank::COHERE_RERANK;

/// [Cohere](https://docs.cohere.com/docs/compatibility-api) by its compatibility endpoint, and its rerankers by their own.
///
/// Of the parameters that its page calls unsupported, hints are left out; the others go out. Embeddings are of at most
/// [96 texts](https://docs.cohere.com/reference/embed) a call.
pub const COHERE: Vendor = Vendor {
    compatibility: Compatibility {
        top_k: false,
        embedding_inputs: 96,
        refused_hints: &[
            "store",
            "metadata",
            "service_tier",
            "prediction",
            "parallel_tool_calls",
        ],
        ..Compatibility::COMPATIBLE
    },
    rerank: Some(COHERE_RERANK),
    capabilities: GENERAL.vision().reasoning().embeddings().rerank(),
    models: &[
        Model::new("command-a-03-2025", GENERAL),
        Model::new("command-a-reasoning-08-2025", GENERAL.reasoning()),
        Model::new(
            "command-a-vision-07-2025",
            Capabilities::CHAT.vision().json_schema(),
        ),
        Model::new("command-r7b-12-2024", GENERAL),
        Model::new("embed-v4.0", Capabilities::EMBEDDINGS),
        Model::new("rerank-v4.0-pro", Capabilities::RERANK),
        Model::new("rerank-v3.5", Capabilities::RERANK),
    ],
    docs: "https://docs.cohere.com/docs/compatibility-api",
    ..Vendor::new(
        "cohere",
        "Cohere",
        "https://api.cohere.ai/compatibility/v1",
        "COHERE_API_KEY",
        "COHERE_BASE_URL",
    )
};

const GENERAL: Capabilities = Capabilities::CHAT.parallel_tools().json_schema();
