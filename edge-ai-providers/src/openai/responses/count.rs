use bytes::Bytes;
use edge_ai_core::{ChatRequest, Result, TokenCount, Verbatim};

use super::RESPONSES;
use super::request_encode::prompt;
use crate::openai::read_token_count;
use crate::wire::{splice, write_object};

/// The dialect of `/v1/responses/input_tokens`: its body is a part of a request's.
const TOKENS: edge_ai_core::Dialect = edge_ai_core::Dialect::new("openai.responses.input_tokens");

/// Writes the body of `POST /v1/responses/input_tokens`. A client's own goes out as it came, with the model set.
///
/// # Errors
/// [`ErrorKind::Unsupported`](edge_ai_core::ErrorKind::Unsupported) for what the dialect cannot say, naming the field.
pub fn encode_input_tokens_request(request: &ChatRequest) -> Result<Bytes> {
    match request.input.native_in(&RESPONSES) {
        Some(body) => {
            let model = serde_json::Value::from(request.model.as_str()).to_string();
            splice(body, &[("model", Some(&model))])
        }
        None => write_object(|object| prompt(object, request)).map(Bytes::from),
    }
}

/// Reads the answer.
///
/// # Errors
/// [`ErrorKind::BadUpstream`](edge_ai_core::ErrorKind::BadUpstream) for a body that is no count.
pub fn decode_input_tokens(body: Bytes) -> Result<Verbatim<TokenCount>> {
    read_token_count(body, TOKENS)
}

/// Writes the answer. One that came in this dialect goes out as it is.
pub fn encode_input_tokens(count: &Verbatim<TokenCount>) -> Bytes {
    if let Some(body) = count.native_in(&TOKENS) {
        return body.clone();
    }
    let body = write_object(|object| {
        object.field("object", "response.input_tokens");
        object.field("input_tokens", count.input_tokens);
        Ok(())
    });
    // Nothing that is written here fails.
    body.unwrap_or_default().into()
}
