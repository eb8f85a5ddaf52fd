//! Amazon Bedrock: the Converse API, embeddings and rerankers, over requests that AWS's credentials sign.
//!
//! The encoders and decoders are pure functions. [`eventstream`] and [`sigv4`] are AWS's framing of streams and its signature, which serve a
//! stand-in as well.

mod credentials;
mod embedding;
mod error;
pub mod eventstream;
mod family;
mod provider;
mod request;
mod rerank;
mod response;
mod signer;
pub mod sigv4;
mod stream;
mod usage;

use edge_ai_core::Dialect;

pub use credentials::Credentials;
pub use embedding::{decode_embedding_answer, encode_embedding_request};
pub use error::decode_error;
pub use provider::{Bedrock, BedrockBuilder};
pub use request::encode_converse_request;
pub use rerank::encode_rerank_request;
pub use response::decode_converse_response;
pub use stream::{ConverseStreamDecoder, converse_stream};
pub(crate) use usage::TokenUsage;

/// The dialect of `/model/{id}/converse`.
pub const CONVERSE: Dialect = Dialect::new("bedrock.converse");
