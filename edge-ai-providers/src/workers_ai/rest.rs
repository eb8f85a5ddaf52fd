use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, HttpClient, Result, Secret, async_trait};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{decode_error, reported};
use super::runner::{AiAnswer, AiRunner};
use crate::client::VendorClient;

const BASE_URL: &str = "https://api.cloudflare.com/client/v4";

/// The most bytes of a whole answer that are read.
const MAX_ANSWER: usize = 32 << 20;

/// Workers AI over Cloudflare's REST API, for programs that are no Workers.
#[derive(Clone, Debug)]
pub struct WorkersAiRest {
    client: VendorClient,
    account: String,
}

impl WorkersAiRest {
    /// A client for an account, with an API token that may run Workers AI.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an account id or token that cannot be one.
    pub fn new(http: Arc<dyn HttpClient>, account_id: &str, token: impl Into<Secret>) -> Result<Self> {
        Self::with_base_url(http, BASE_URL, account_id, token)
    }

    /// The same for another address than `https://api.cloudflare.com/client/v4`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and for an address that is none.
    pub fn with_base_url(
        http: Arc<dyn HttpClient>,
        base_url: &str,
        account_id: &str,
        token: impl Into<Secret>,
    ) -> Result<Self> {
        let account = account_id.trim();
        if account.is_empty() || !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message = "the account id of Cloudflare is letters and digits; see `wrangler whoami`";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let token: Secret = token.into();
        if token.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the API token of Cloudflare is empty",
            ));
        }
        let client = VendorClient::new(http, "workers-ai", base_url, "base_url", decode_error)?
            .secret_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))?;
        Ok(Self {
            client,
            account: account.to_owned(),
        })
    }
}

#[async_trait]
impl AiRunner for WorkersAiRest {
    async fn run(&self, model: &str, inputs: Bytes, stream: bool) -> Result<AiAnswer> {
        if !is_path(model) {
            return Err(Error::new(
                ErrorKind::NotFound,
                "no such model: its name has characters that none has",
            )
            .with_param("model"));
        }
        let path = format!("/accounts/{}/ai/run/{model}", self.account);
        let accept = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let answer = self.client.send(&path, inputs, accept).await?;
        let media_type = answer
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if media_type.to_ascii_lowercase().contains("text/event-stream") {
            return Ok(AiAnswer::Stream(answer.into_body()));
        }
        result(answer.into_body().bytes(MAX_ANSWER).await?).map(AiAnswer::Json)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    success: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// Takes the result out of the API's envelope.
fn result(body: Bytes) -> Result<Bytes> {
    let envelope: Envelope<'_> = match serde_json::from_slice(&body) {
        Ok(envelope) => envelope,
        // Models that answer in OpenAI's shape may come without an envelope.
        Err(_) => return Ok(body),
    };
    match envelope.result {
        Some(result) if envelope.success => Ok(body.slice_ref(result.get().as_bytes())),
        _ => {
            let report = serde_json::from_slice(&body).unwrap_or_default();
            let error = reported(&report, None);
            Err(error.unwrap_or_else(|| Error::new(ErrorKind::BadUpstream, "the answer has no result")))
        }
    }
}

/// Whether a model's name stays in its place in an address.
fn is_path(model: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'/' | b'.' | b'_' | b'-' | b':');
    model.bytes().all(allowed)
        && model
            .split('/')
            .all(|part| !part.is_empty() && !part.chars().all(|char| char == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_place() {
        for good in ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@hf/a/b.c:d"] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "",
            "../../x",
            "@cf//x",
            "@cf/a?b=c",
            "@cf/a#b",
            "@cf/a b",
            "@cf/%2e%2e/x",
            "@cf/é",
            "/x",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn the_envelope_comes_off() {
        let take = |text: &'static str| result(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            take(r#"{"success":true,"errors":[],"result": {"response": "hi"}}"#).unwrap(),
            r#"{"response": "hi"}"#
        );
        assert_eq!(take(r#"{"choices":[]}"#).unwrap(), r#"{"choices":[]}"#);
        let failed =
            take(r#"{"success":false,"result":null,"errors":[{"code":3040,"message":"busy"}]}"#).unwrap_err();
        assert_eq!(
            (failed.kind(), failed.code()),
            (ErrorKind::RateLimited, Some("3040"))
        );
        assert_eq!(
            take(r#"{"success":true,"result":null}"#).unwrap_err().kind(),
            ErrorKind::BadUpstream
        );
    }
}
