use edge_ai_core::Capabilities;

use crate::compatible::{EnabledBy, Vendor};
use crate::openai::{Compatibility, MediaServices};
use crate::rerank::RerankApi;

/// [Ollama](https://docs.ollama.com/api/openai-compatibility) on a machine of yours, at `OLLAMA_BASE_URL`; it needs no key. With
/// `https://ollama.com/v1` and `OLLAMA_API_KEY`, its cloud.
pub const OLLAMA: Vendor = Vendor {
    enabled_by: EnabledBy::BaseUrl,
    compatibility: Compatibility {
        top_k: false,
        ..Compatibility::COMPATIBLE
    },
    media: MediaServices::ALL,
    capabilities: Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .embeddings(),
    docs: "https://docs.ollama.com/api/openai-compatibility",
    ..Vendor::new(
        "ollama",
        "Ollama",
        "http://127.0.0.1:11434/v1",
        "OLLAMA_API_KEY",
        "OLLAMA_BASE_URL",
    )
};

/// [vLLM](https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html) on a machine of yours, at `VLLM_BASE_URL`; with a key where it
/// was started with `--api-key`.
pub const VLLM: Vendor = Vendor {
    enabled_by: EnabledBy::BaseUrl,
    rerank: Some(RerankApi::COMMON),
    media: MediaServices::ALL,
    capabilities: Capabilities::ALL.rerank(),
    docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ..Vendor::new(
        "vllm",
        "vLLM",
        "http://127.0.0.1:8000/v1",
        "VLLM_API_KEY",
        "VLLM_BASE_URL",
    )
};

/// Any other server that speaks OpenAI's dialect, at `COMPATIBLE_BASE_URL`. More than one are made by
/// [`OpenAi::compatible`](crate::OpenAi::compatible).
pub const GENERIC: Vendor = Vendor {
    enabled_by: EnabledBy::BaseUrl,
    rerank: Some(RerankApi::COMMON),
    media: MediaServices::ALL,
    capabilities: Capabilities::ALL.rerank(),
    docs: "https://platform.openai.com/docs/api-reference/chat",
    ..Vendor::new(
        "compatible",
        "any compatible server",
        "http://127.0.0.1:8080/v1",
        "COMPATIBLE_API_KEY",
        "COMPATIBLE_BASE_URL",
    )
};
