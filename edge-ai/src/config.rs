//! A gateway's configuration as one document.
//!
//! ```
//! use edge_ai::config::Config;
//!
//! let config = Config::from_json(r#"{
//!     "routes": {"smart": {"fallback": ["anthropic/claude-sonnet-5-5", "openai/gpt-6.1-terra"]}},
//!     "timeouts": {"first_token_seconds": 20},
//!     "limits": ["600 requests per minute per ip", "$50 per day per tenant"],
//!     "guardrails": {"secrets": {"action": "block"}},
//!     "prices": {"openai/my-model": {"input": 1.25, "output": 10}}
//! }"#)?;
//! assert_eq!(config.routes["smart"].targets().len(), 2);
//!
//! let error = Config::from_json("{\n  \"rotues\": {}\n}").unwrap_err();
//! assert!(error.message().starts_with("line 2, column 10: unknown field `rotues`"), "{error}");
//! # Ok::<(), edge_ai::Error>(())
//! ```
//!
//! It is given to [`EdgeAiBuilder::config`](crate::EdgeAiBuilder::config) once, or kept in Workers KV and taken up while a Worker runs by
//! [`Live`](crate::Live). Secrets are not in it: it names the variables that have them.

mod apply;
mod document;
mod place;
mod price;
mod provider;
mod read;
mod retry;
#[cfg(feature = "schema")]
mod schema;
mod timeouts;
#[cfg(feature = "toml")]
mod translate;

pub use document::Config;
pub use price::{PriceConfig, TokenPriceConfig};
pub use provider::ProviderConfig;
pub use retry::RetryConfig;
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use timeouts::TimeoutsConfig;
