use std::fmt;

use bytes::Bytes;
use edge_ai_core::{Body, Result, async_trait};

/// Runs a model of Workers AI: the binding, the REST API, or a script in tests.
#[async_trait]
pub trait AiRunner: fmt::Debug + Send + Sync + 'static {
    /// Runs `model` on `inputs`, the text of a JSON object, which asks for a stream itself where `stream` is set.
    ///
    /// A model that cannot stream may answer whole all the same.
    ///
    /// # Errors
    /// Workers AI's error, by its [code](https://developers.cloudflare.com/workers-ai/platform/errors/).
    async fn run(&self, model: &str, inputs: Bytes, stream: bool) -> Result<AiAnswer>;
}

/// What a model answered with.
#[derive(Debug)]
#[non_exhaustive]
pub enum AiAnswer {
    /// The text of a JSON value.
    Json(Bytes),
    /// Server-sent events, as they arrive.
    Stream(Body),
}

#[cfg(feature = "worker")]
#[async_trait]
impl AiRunner for edge_ai_worker::AiBinding {
    async fn run(&self, model: &str, inputs: Bytes, _stream: bool) -> Result<AiAnswer> {
        use edge_ai_core::{Error, ErrorKind};
        use edge_ai_worker::AiOutput;

        // As text: a `serde_json::Value` would reach JavaScript as a `Map`, of which nothing is sent.
        let inputs = std::str::from_utf8(&inputs).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, "the inputs are not UTF-8").with_source(error)
        })?;
        match Self::run(self, model, inputs, None).await? {
            AiOutput::Json(json) => Ok(AiAnswer::Json(json.into())),
            AiOutput::Stream(body) => Ok(AiAnswer::Stream(body)),
            _ => Err(Error::new(
                ErrorKind::BadUpstream,
                "the binding answered in an unknown form",
            )),
        }
    }
}
