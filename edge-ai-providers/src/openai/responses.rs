//! OpenAI's Responses API: the dialect in both directions.
//!
//! It says the same as chat completions in other words: a conversation is a list of items, and so is an answer. What only this API has
//! (tools that the vendor runs, items of kinds of its own, answers that it keeps) goes through to a provider that speaks it and is refused
//! elsewhere, by the field's name.

mod answer;
mod count;
mod echo;
mod error;
mod item;
mod nested;
mod request_decode;
mod request_encode;
mod response_decode;
mod response_encode;
mod seal;
mod status;
mod stream_decode;
mod stream_encode;
mod usage;

use edge_ai_core::Dialect;

pub use count::{decode_input_tokens, encode_input_tokens, encode_input_tokens_request};
pub use echo::Echo;
pub use request_decode::{ResponsesCall, decode_responses_request};
pub use request_encode::encode_responses_request;
pub use response_decode::decode_responses_response;
pub use response_encode::encode_responses_response;
pub use stream_decode::{ResponsesStreamDecoder, responses_stream};
pub use stream_encode::ResponsesStreamEncoder;

pub(crate) use seal::is_sealed;
pub(super) use stream_decode::frames;

/// The dialect of `/v1/responses`.
pub const RESPONSES: Dialect = Dialect::new("openai.responses");
