use bytes::Bytes;
use edge_ai_core::Error;
use http::HeaderMap;
use serde::Deserialize;

use crate::{anthropic, gemini};

/// Reads an error: Google's own, or Anthropic's, which passes through.
pub(super) fn decode_error(status: u16, headers: &HeaderMap, body: Bytes) -> Error {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow)]
        kind: &'a str,
    }
    let anthropics = serde_json::from_slice::<Kind<'_>>(&body).is_ok_and(|body| body.kind == "error");
    if anthropics {
        anthropic::decode_error(status, headers, body)
    } else {
        gemini::decode_error(status, headers, body)
    }
}
