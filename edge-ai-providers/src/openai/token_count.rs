use bytes::Bytes;
use edge_ai_core::{Dialect, Error, ErrorKind, Result, TokenCount, Verbatim};
use serde::Deserialize;

use super::usage::Count;

/// Reads a count of tokens, `{"input_tokens": 7}`, as OpenAI and Anthropic answer it.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] for a body that is no count.
pub(crate) fn read_token_count(body: Bytes, dialect: Dialect) -> Result<Verbatim<TokenCount>> {
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
    Ok(Verbatim::new(TokenCount::new(counted.input_tokens.0)).with_native(dialect, body))
}
