//! Anthropic's Messages API: the dialect, and a client of every server that speaks it.
//!
//! The encoder and the decoders are pure functions. What goes out in the dialect it came in keeps its bytes.

mod error;
mod model;
mod provider;
mod request;
mod response;
mod schema;
mod stream;
mod usage;

use edge_ai_core::Dialect;

pub use error::decode_error;
pub use provider::{Anthropic, AnthropicBuilder};
pub use request::{DEFAULT_MAX_TOKENS, encode_messages_request};
pub use response::decode_messages_response;
pub use stream::{MessagesStreamDecoder, messages_stream};

/// The dialect of `/v1/messages`.
pub const MESSAGES: Dialect = Dialect::new("anthropic.messages");
