//! Anthropic's Messages API: the dialect in both directions, and a client of every server that speaks it.
//!
//! The encoders and decoders are pure functions. What goes out in the dialect it came in keeps its bytes.

mod count;
mod error;
mod error_encode;
mod model;
mod provider;
mod request;
mod request_decode;
mod response;
mod response_encode;
mod schema;
mod stop_reason;
mod stream;
mod stream_encode;
mod usage;
mod usage_encode;

use edge_ai_core::Dialect;

pub use count::{decode_count_tokens, encode_count_tokens, encode_count_tokens_request};
pub use error::decode_error;
pub use error_encode::encode_error;
pub use provider::{Anthropic, AnthropicBuilder};
pub use request::{DEFAULT_MAX_TOKENS, encode_messages_request};
pub use request_decode::{MessagesCall, decode_count_tokens_request, decode_messages_request};
pub use response::decode_messages_response;
pub use response_encode::encode_messages_response;
pub use stream::{MessagesStreamDecoder, messages_stream};
pub use stream_encode::MessagesStreamEncoder;

// For Bedrock, where Claude wants the same order of messages and thinks in the same ways.
pub(crate) use model::Accepts;
pub(crate) use request::{Conversation, Piece, Plan, Turn, input_schema};
pub(crate) use schema::close_objects;
pub(crate) use stream::message_frames;
pub(crate) use usage::Counts;

/// The dialect of `/v1/messages`.
pub const MESSAGES: Dialect = Dialect::new("anthropic.messages");
