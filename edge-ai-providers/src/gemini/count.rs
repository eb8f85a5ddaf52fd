use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result, TokenCount, Verbatim};
use serde::Deserialize;

use super::GENERATE;
use super::path::model_path;
use crate::openai::Count;
use crate::wire::{splice, write_object};

/// The body of `:countTokens` for a request that is written already
/// (<https://ai.google.dev/api/tokens#method:-models.counttokens>).
pub(super) fn encode_count_request(model: &str, request: &Bytes) -> Result<Bytes> {
    let model = serde_json::Value::from(format!("models/{}", model_path(model)?)).to_string();
    let request = splice(request, &[("model", Some(&model))])?;
    let body = write_object(|body| {
        body.raw("generateContentRequest", &String::from_utf8_lossy(&request));
        Ok(())
    })?;
    Ok(body.into())
}

/// The count in the answer.
pub(super) fn decode_count_response(body: Bytes) -> Result<Verbatim<TokenCount>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Counted {
        total_tokens: Count,
    }
    let counted: Counted = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("the answer has no `totalTokens`: {error}");
        Error::new(ErrorKind::BadUpstream, message).with_source(error)
    })?;
    Ok(Verbatim::new(TokenCount::new(counted.total_tokens.0)).with_native(GENERATE, body))
}
