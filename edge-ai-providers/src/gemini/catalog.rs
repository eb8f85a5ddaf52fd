//! The models to list (<https://ai.google.dev/gemini-api/docs/models>, November 2026); others are served all the same.

use edge_ai_core::{Capabilities, ModelInfo};

const GENERAL: Capabilities = Capabilities::CHAT
    .parallel_tools()
    .vision()
    .json_schema()
    .reasoning()
    .prompt_caching();

/// Those that chat.
pub(crate) fn chat_models() -> impl Iterator<Item = ModelInfo> {
    [
        "gemini-3.8-flash",
        "gemini-3.7-flash",
        "gemini-3.6-flash",
        "gemini-3.5-flash",
        "gemini-3.5-flash-lite",
        "gemini-3.1-pro-preview",
        "gemini-3.1-flash-lite",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
    ]
    .into_iter()
    .map(|id| ModelInfo::new(id, GENERAL))
}

/// All of them.
pub(super) fn models() -> Vec<ModelInfo> {
    let embeddings = ["gemini-embedding-2", "gemini-embedding-001"];
    chat_models()
        .chain(embeddings.map(|id| ModelInfo::new(id, Capabilities::EMBEDDINGS)))
        .collect()
}
