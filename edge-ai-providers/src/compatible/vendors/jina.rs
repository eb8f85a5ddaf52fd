use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, EmbeddingPurposeField};
use crate::rerank::JINA_RERANK;

/// [Jina](https://jina.ai/embeddings/): embeddings and rerankers.
///
/// The purpose of an embedding is its `task`. The form of the vectors has another field than OpenAI's, and is left at numbers.
pub const JINA: Vendor = Vendor {
    compatibility: Compatibility {
        embedding_inputs: 512,
        embedding_purpose: Some(EmbeddingPurposeField::new(
            "task",
            "retrieval.query",
            "retrieval.passage",
        )),
        tools: false,
        refused_hints: &["encoding_format", "user"],
        ..Compatibility::COMPATIBLE
    },
    rerank: Some(JINA_RERANK),
    capabilities: Capabilities::EMBEDDINGS.rerank(),
    models: &[
        Model::new("jina-embeddings-v4", Capabilities::EMBEDDINGS),
        Model::new("jina-embeddings-v3", Capabilities::EMBEDDINGS),
        Model::new("jina-reranker-v3", Capabilities::RERANK),
        Model::new("jina-reranker-v2-base-multilingual", Capabilities::RERANK),
    ],
    docs: "https://api.jina.ai/redoc",
    ..Vendor::new(
        "jina",
        "Jina AI",
        "https://api.jina.ai/v1",
        "JINA_API_KEY",
        "JINA_BASE_URL",
    )
};
