use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, SendReasoning};

/// [Google's Gemini](https://ai.google.dev/gemini-api/docs/openai) by its OpenAI-compatible endpoint.
///
/// It answers with 400 (`Unknown name …: Cannot find field`) to fields that it does not know, the penalties and `seed` among them. Tool calls in
/// a stream have no `index`, and an answer with calls ends with `stop`. Gemini 3 wants the
/// [signature](https://ai.google.dev/gemini-api/docs/thought-signatures) of its thoughts back, which a call has in
/// `extra_content.google.thought_signature`. Errors come in an array.
pub const GEMINI: Vendor = Vendor {
    compatibility: Compatibility {
        send_reasoning: SendReasoning::Never,
        top_k: false,
        // https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
        embedding_inputs: 100,
        message_names: false,
        message_fields: Some(&["extra_content"]),
        refused_hints: &[
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "store",
            "user",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "verbosity",
        ],
        ..Compatibility::COMPATIBLE
    },
    capabilities: Capabilities::ALL,
    models: &[
        Model::new("gemini-3.8-flash", GENERAL),
        Model::new("gemini-3.5-flash", GENERAL),
        Model::new("gemini-embedding-001", Capabilities::EMBEDDINGS),
    ],
    docs: "https://ai.google.dev/gemini-api/docs/openai",
    ..Vendor::new(
        "gemini",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "GEMINI_BASE_URL",
    )
};

const GENERAL: Capabilities = Capabilities::CHAT
    .parallel_tools()
    .vision()
    .json_schema()
    .reasoning()
    .prompt_caching();
