//! Google's Vertex AI: Gemini's models in Gemini's dialect and Claude's in Anthropic's, behind the credentials of Google Cloud.
//!
//! A request is authorized by an access token from a [`TokenSource`]: a given one, or those of a [`ServiceAccount`], whose signature
//! ([`Rs256`]) a Worker leaves to its runtime's WebCrypto, and a native program to a library of its choice.

mod account;
mod builder;
mod credentials;
mod error;
mod provider;
mod token;
#[cfg(feature = "worker")]
mod web_crypto;

pub use account::ServiceAccount;
pub use builder::VertexBuilder;
pub use provider::Vertex;
pub use token::{AccessToken, Rs256, TokenSource};
#[cfg(feature = "worker")]
pub use web_crypto::WebCryptoRs256;
