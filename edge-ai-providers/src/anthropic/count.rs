use bytes::Bytes;
use edge_ai_core::{ChatRequest, Dialect, Result, TokenCount, Verbatim};

use super::{DEFAULT_MAX_TOKENS, MESSAGES, encode_messages_request};
use crate::openai::read_token_count;
use crate::wire::{splice, write_object};

/// The dialect of the answers of `/v1/messages/count_tokens`.
const TOKENS: Dialect = Dialect::new("anthropic.count_tokens");

/// What a request for an answer has and one for a count must not.
const ANSWER: [&str; 8] = [
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];

/// Writes the body of `POST /v1/messages/count_tokens`. A client's own goes out as it came, with the model set.
///
/// # Errors
/// As [`encode_messages_request`].
pub fn encode_count_tokens_request(request: &ChatRequest) -> Result<Bytes> {
    let body = encode_messages_request(request, false, DEFAULT_MAX_TOKENS)?;
    if request.input.native_in(&MESSAGES).is_some() {
        return Ok(body);
    }
    splice(&body, &ANSWER.map(|name| (name, None)))
}

/// Reads the answer.
///
/// # Errors
/// [`ErrorKind::BadUpstream`](edge_ai_core::ErrorKind::BadUpstream) for a body that is no count.
pub fn decode_count_tokens(body: Bytes) -> Result<Verbatim<TokenCount>> {
    read_token_count(body, TOKENS)
}

/// Writes the answer. One that came in this dialect goes out as it is.
pub fn encode_count_tokens(count: &Verbatim<TokenCount>) -> Bytes {
    if let Some(body) = count.native_in(&TOKENS) {
        return body.clone();
    }
    let body = write_object(|object| {
        object.field("input_tokens", count.input_tokens);
        Ok(())
    });
    // Nothing that is written here fails.
    body.unwrap_or_default().into()
}
