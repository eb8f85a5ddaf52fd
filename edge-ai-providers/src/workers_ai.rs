//! Workers AI: its own dialect of text generation, embeddings and reranking, through the binding or the REST API.
//!
//! Encoders and decoders are pure functions over JSON text. An [`AiRunner`] carries the text: the Worker's binding, or
//! [`WorkersAiRest`] from anywhere.

mod call;
mod embedding;
mod error;
mod exchange;
mod provider;
mod request;
mod rerank;
mod response;
mod rest;
mod runner;
mod stream;
mod usage;

use edge_ai_core::Dialect;

pub use embedding::{MAX_TEXTS, Pooling, decode_embedding_answer, encode_embedding_inputs};
pub use error::decode_error;
pub use exchange::TextExchange;
pub use provider::WorkersAi;
pub use request::{DEFAULT_MAX_TOKENS, encode_text_request};
pub use rerank::{decode_rerank_answer, encode_rerank_inputs};
pub use response::decode_text_response;
pub use rest::WorkersAiRest;
pub use runner::{AiAnswer, AiRunner};
pub use stream::{TextStreamDecoder, text_stream};

/// The dialect of Workers AI's text generation. Its streams have two kinds of frames, its own and OpenAI's.
pub const TEXT: Dialect = Dialect::new("workers-ai.text");
