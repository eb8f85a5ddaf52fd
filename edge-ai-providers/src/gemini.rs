//! Google's Gemini API: the dialect of `generateContent`, pure functions, and a client of it.
//!
//! Gemini proves its thoughts by signatures, which may stand on any part of an answer, and Gemini 3 refuses a call of a function that
//! comes back without its own. Here a signature is that of a [`ReasoningPart`](edge_ai_core::ReasoningPart) beside the part it stands on,
//! marked `gemini:`, and so takes the way of every vendor's signed thoughts through the clients' dialects: `thinking_blocks` in OpenAI's,
//! a `thinking` block in Anthropic's. A call has it in `extra_content.google.thought_signature` as well, where clients of
//! [Google's compatible endpoint](https://ai.google.dev/gemini-api/docs/openai) look for it and send it back. Other vendors are not sent it,
//! and Gemini is not sent theirs.

mod catalog;
mod count;
mod embedding;
mod error;
mod finish;
mod model;
mod parts;
mod path;
mod provider;
mod request;
mod response;
mod signature;
mod stream;
mod usage;

use edge_ai_core::Dialect;

pub use embedding::{decode_embed_response, encode_embed_request};
pub use error::decode_error;
pub use provider::{Gemini, GeminiBuilder};
pub use request::encode_generate_request;
pub use response::decode_generate_response;
pub use stream::{GenerateStreamDecoder, generate_stream};

pub(crate) use catalog::chat_models;
pub(crate) use path::model_path;
pub(crate) use signature::is_geminis;
pub(crate) use stream::generate_frames;
pub(crate) use usage::UsageMetadata;

/// The dialect of `models/{model}:generateContent`.
pub const GENERATE: Dialect = Dialect::new("gemini.generate_content");
