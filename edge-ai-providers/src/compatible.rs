//! Vendors that speak OpenAI's dialect, as [data](VENDORS): where they are, how they want the key, and in what they differ.
//!
//! [`OpenAi::vendor`](crate::OpenAi::vendor) makes one of a key, [`Vendor::from_settings`] of settings by name, and [`all_from_settings`] all whose
//! settings are there; with the feature `worker`, `from_env` and `all_from_env` do so from a Worker's variables and secrets.
//!
//! ```
//! use std::sync::Arc;
//! use edge_ai_core::{HttpClient, Provider};
//! use edge_ai_providers::compatible;
//!
//! # fn example(http: Arc<dyn HttpClient>) -> edge_ai_core::Result<()> {
//! let settings = |name: &str| std::env::var(name).ok();
//! for provider in compatible::all_from_settings(&http, &settings)? {
//!     println!("{} is there", provider.name());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What each carries is in the table of `PROVIDERS.md`, which is made of this data.

#[cfg(feature = "worker")]
mod env;
mod settings;
mod vendor;
mod vendors;

#[cfg(feature = "worker")]
pub use env::all_from_env;
pub use settings::all_from_settings;
pub use vendor::{Deployments, EnabledBy, Model, Vendor};
pub use vendors::{
    AZURE, CEREBRAS, CLOUDFLARE, CLOUDFLARE_AI_GATEWAY, COHERE, DEEPSEEK, FIREWORKS, GENERIC, GROQ, JINA,
    MISTRAL, OLLAMA, OPENROUTER, PERPLEXITY, TOGETHER, VENDORS, VLLM, VOYAGE, XAI,
};
