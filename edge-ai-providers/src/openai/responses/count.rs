use bytes::Bytes;
use edge_ai_core::{ChatRequest, Error, ErrorKind, Result, TokenCount, Verbatim};
use serde::Deserialize;

use super::RESPONSES;
use super::request_encode::prompt;
use crate::openai::Count;
use crate::wire::{splice, write_object};

/// The dialect of `/v1/responses/input_tokens`: its body is a part of a request's.
const TOKENS: edge_ai_core::Dialect = edge_ai_core::Dialect::new("openai.responses.input_tokens");

/// Writes the body of `POST /v1/responses/input_tokens`. A client's own goes out as it came, with the model set.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what the dialect cannot say, naming the field.
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
/// [`ErrorKind::BadUpstream`] for a body that is no count.
pub fn decode_input_tokens(body: Bytes) -> Result<Verbatim<TokenCount>> {
    #[derive(Deserialize)]
    struct Counted {
        input_tokens: Count,
    }
    let counted: Counted = serde_json::from_slice(&body).map_err(|error| {
        Error::new(
            ErrorKind::BadUpstream,
            format!("the answer is not a count of tokens: {error}"),
        )
        .with_source(error)
    })?;
    Ok(Verbatim::new(TokenCount::new(counted.input_tokens.0)).with_native(TOKENS, body))
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
