//! OpenAI's Chat Completions, [Responses](responses) and Embeddings: the dialects in both directions, and a client of every server that speaks them.
//!
//! The encoders and decoders are pure functions. What goes in and out in the same dialect keeps its bytes; only the fields
//! that must change (the model's name, the stream's options) are rewritten.

mod chat_encode;
mod chat_request;
mod chat_response;
mod compatibility;
mod embedding;
mod error;
mod failure;
mod finish;
mod media;
mod models;
mod params;
mod provider;
mod response_encode;
pub mod responses;
mod shared;
mod stream;
mod stream_decode;
mod stream_encode;
mod thinking;
mod token_count;
mod usage;

use edge_ai_core::Dialect;

pub use chat_encode::{encode_chat_request, encode_chat_request_with};
pub use chat_request::{ChatCall, decode_chat_request};
pub use chat_response::decode_chat_response;
pub use compatibility::{
    Compatibility, EmbeddingPurposeField, MaxTokensField, ReasoningField, SendReasoning, ToolCallIds,
};
pub use embedding::{
    EmbeddingCall, EmbeddingEncoding, decode_embedding_request, decode_embedding_response,
    encode_embedding_request, encode_embedding_response,
};
pub use error::{decode_error, encode_error};
pub use media::{IMAGES, MODERATIONS, MediaServices, REALTIME, SPEECH, TRANSCRIPTIONS};
pub use models::{ModelEntry, encode_model, encode_models};
pub use provider::{Authentication, ChatApi, OpenAi, OpenAiBuilder};
pub use response_encode::encode_chat_response;
pub use stream::chat_stream;
pub use stream_decode::ChatStreamDecoder;
pub use stream_encode::ChatStreamEncoder;

// For Workers AI, whose newer models speak this dialect.
pub(crate) use stream_decode::EventDecoder;
// For the vendors' settings, which are parts of addresses.
pub(crate) use provider::is_plain;
// For Workers AI, whose requests are much the same.
pub(crate) use chat_encode::effort;
pub(crate) use failure::tell_failure;
// For Anthropic's dialect, which has another field for it.
pub(crate) use shared::end_user;
pub(crate) use token_count::read_token_count;
pub(crate) use usage::{Count, UsageFields};

// For the other dialects that clients speak.
pub(crate) use chat_request::text_of;
pub(crate) use params::{invalid, model, number, positive};

/// The dialect of `/v1/chat/completions`.
pub const CHAT: Dialect = Dialect::new("openai.chat");

/// The dialect of `/v1/embeddings`.
pub const EMBEDDINGS: Dialect = Dialect::new("openai.embeddings");

/// What an answer of our own making says about itself where the answer does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The identifier, such as `chatcmpl-…`.
    pub id: String,
    /// When the answer was made, in seconds since 1970.
    pub created: u64,
    /// The model's name, as the client knows it.
    pub model: String,
}
