use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, EmbeddingPurposeField};
use crate::rerank::VOYAGE_RERANK;

/// [Voyage](https://docs.voyageai.com/reference/embeddings-api): embeddings of at most 1,000 texts a call, and rerankers.
///
/// The purpose of an embedding is its `input_type`, the length of the vectors `output_dimension`. Of the forms that OpenAI's vectors come in it
/// knows one by that name, so none is asked for.
pub const VOYAGE: Vendor = Vendor {
    compatibility: Compatibility {
        embedding_inputs: 1_000,
        embedding_purpose: Some(EmbeddingPurposeField::new("input_type", "query", "document")),
        tools: false,
        refused_hints: &["encoding_format", "user"],
        renamed: &[("dimensions", "output_dimension")],
        ..Compatibility::COMPATIBLE
    },
    rerank: Some(VOYAGE_RERANK),
    capabilities: Capabilities::EMBEDDINGS.rerank(),
    models: &[
        Model::new("voyage-3.5", Capabilities::EMBEDDINGS),
        Model::new("voyage-3.5-lite", Capabilities::EMBEDDINGS),
        Model::new("voyage-3-large", Capabilities::EMBEDDINGS),
        Model::new("voyage-code-3", Capabilities::EMBEDDINGS),
        Model::new("rerank-2.5", Capabilities::RERANK),
        Model::new("rerank-2.5-lite", Capabilities::RERANK),
    ],
    docs: "https://docs.voyageai.com/reference/embeddings-api",
    ..Vendor::new(
        "voyage",
        "Voyage AI",
        "https://api.voyageai.com/v1",
        "VOYAGE_API_KEY",
        "VOYAGE_BASE_URL",
    )
};
