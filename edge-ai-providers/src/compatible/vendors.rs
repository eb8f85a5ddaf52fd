//! A file per vendor: where it is, in what it differs, and which of its models are listed.

mod azure;
mod cerebras;
mod cloudflare;
mod cohere;
mod deepseek;
mod fireworks;
mod groq;
mod jina;
mod mistral;
mod openrouter;
mod perplexity;
mod self_hosted;
mod together;
mod voyage;
mod xai;

pub use azure::AZURE;
pub use cerebras::CEREBRAS;
pub use cloudflare::{CLOUDFLARE, CLOUDFLARE_AI_GATEWAY};
pub use cohere::COHERE;
pub use deepseek::DEEPSEEK;
pub use fireworks::FIREWORKS;
pub use groq::GROQ;
pub use jina::JINA;
pub use mistral::MISTRAL;
pub use openrouter::OPENROUTER;
pub use perplexity::PERPLEXITY;
pub use self_hosted::{GENERIC, OLLAMA, VLLM};
pub use together::TOGETHER;
pub use voyage::VOYAGE;
pub use xai::XAI;

use super::Vendor;

/// The vendors, by name.
pub const VENDORS: &[Vendor] = &[
    AZURE,
    CEREBRAS,
    CLOUDFLARE,
    CLOUDFLARE_AI_GATEWAY,
    COHERE,
    GENERIC,
    DEEPSEEK,
    FIREWORKS,
    GROQ,
    JINA,
    MISTRAL,
    OLLAMA,
    OPENROUTER,
    PERPLEXITY,
    TOGETHER,
    VLLM,
    VOYAGE,
    XAI,
];
