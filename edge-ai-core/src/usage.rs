use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Attempt, CacheStatus, ErrorKind, GuardNote, Money, Result, Timestamp, TraceContext};

mod amount;

pub use amount::{ServiceTier, Usage};

/// What a request asked for, by OpenTelemetry's `gen_ai.operation.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// A chat.
    Chat,
    /// Embeddings.
    Embeddings,
    /// A ranking of documents; not one of OpenTelemetry's names yet.
    Rerank,
    /// Making or changing pictures, such as `POST /v1/images/generations`.
    Image,
    /// Speaking a text, such as `POST /v1/audio/speech`.
    Speech,
    /// Writing down what is said, such as `POST /v1/audio/transcriptions`.
    Transcription,
    /// Judging content, such as `POST /v1/moderations`.
    Moderation,
    /// A conversation over a WebSocket.
    Realtime,
    /// Anything else of a vendor's API.
    Other,
}

impl Operation {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Image => "image",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Moderation => "moderation",
            Self::Realtime => "realtime",
            Self::Other => "other",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Answered, to the end.
    Ok,
    /// Refused or failed, possibly after part of a stream was sent.
    Error(ErrorKind),
}

impl Outcome {
    /// `ok`, or the name of the error.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error(kind) => kind.as_str(),
        }
    }
}

/// The account of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageRecord {
    /// The request's identifier.
    pub request_id: String,
    /// When it arrived.
    pub time: Timestamp,
    /// Whose it was.
    pub tenant: Option<String>,
    /// The public identifier of the key it came with.
    #[serde(default)]
    pub key: Option<String>,
    /// What it asked for.
    pub operation: Operation,
    /// The model name that the client wrote.
    pub requested_model: String,
    /// The provider that answered, or was tried last.
    pub provider: Option<String>,
    /// The model that answered, by its vendor's name.
    pub model: Option<String>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// What was said about a failure, for the operator; the client may have been told less.
    #[serde(default)]
    pub error: Option<String>,
    /// Tokens; `None` when no vendor said, zero when a cache answered.
    pub usage: Option<Usage>,
    /// Whether the tokens were counted here, roughly, since the answer broke off before its vendor told them.
    #[serde(default)]
    pub usage_estimated: bool,
    /// What a cache's answer would have cost at its vendor; `None` without one, or when its price is unknown.
    #[serde(default)]
    pub saved: Option<Money>,
    /// The price; `None` when the model's price or the tokens are unknown, which is not the same as free. What vendors charge for calls that were given
    /// up, such as [hedges](Attempt::hedge), is not known and not in it.
    pub cost: Option<Money>,
    /// From arrival to the end of the answer, in milliseconds.
    pub latency_ms: u64,
    /// From arrival to the first content of a stream, in milliseconds.
    pub time_to_first_token_ms: Option<u64>,
    /// What the cache did.
    pub cache: Option<CacheStatus>,
    /// The variant of an experiment that was drawn for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Every call to a provider.
    pub attempts: Vec<Attempt>,
    /// What went wrong without failing the request.
    pub warnings: Vec<String>,
    /// What guards found, without the text.
    #[serde(default)]
    pub guards: Vec<GuardNote>,
    /// The caller's labels.
    pub metadata: BTreeMap<String, String>,
    /// Why the model stopped, by its name in records.
    #[serde(default)]
    pub finish_reason: Option<String>,
    /// The request's span.
    #[serde(default)]
    pub trace: Option<TraceContext>,
}

impl UsageRecord {
    /// The account of a request that has just arrived.
    pub fn new(
        request_id: impl Into<String>,
        time: Timestamp,
        operation: Operation,
        requested_model: impl Into<String>,
    ) -> Self {
        Self {
            request_id: request_id.into(),
            time,
            tenant: None,
            key: None,
            operation,
            requested_model: requested_model.into(),
            provider: None,
            model: None,
            stream: false,
            outcome: Outcome::Ok,
            error: None,
            usage: None,
            usage_estimated: false,
            saved: None,
            cost: None,
            latency_ms: 0,
            time_to_first_token_ms: None,
            cache: None,
            variant: None,
            attempts: Vec::new(),
            warnings: Vec::new(),
            guards: Vec::new(),
            metadata: BTreeMap::new(),
            finish_reason: None,
            trace: None,
        }
    }
}

impl UsageRecord {
    /// Says that the request failed, and how; a long message is cut.
    pub fn set_error(&mut self, kind: ErrorKind, message: &str) {
        self.outcome = Outcome::Error(kind);
        self.error = Some(crate::context::shortened(message));
    }
}

/// Keeps accounts: D1, a queue, a log.
#[async_trait]
pub trait UsageSink: fmt::Debug + Send + Sync + 'static {
    /// Keeps one record. Called once for each request, after the answer, outside the client's wait.
    ///
    /// # Errors
    /// When the store fails. The request is answered all the same, and the gateway's log is told.
    async fn record(&self, record: &UsageRecord) -> Result<()>;

    /// Keeps several, as a queue delivers them. One after the other, unless a store knows better.
    ///
    /// # Errors
    /// When the store fails. Some may have been kept: whoever tries again gives all of them, and a store keeps each once, by its
    /// [`request_id`](UsageRecord::request_id).
    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        for record in records {
            self.record(record).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<T: UsageSink + ?Sized> UsageSink for Arc<T> {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        (**self).record(record).await
    }

    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        (**self).record_all(records).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_round_trips() {
        let mut record = UsageRecord::new("r", Timestamp::from_millis(5), Operation::Chat, "smart");
        record.outcome = Outcome::Error(ErrorKind::Interrupted);
        let json = serde_json::to_string(&record).unwrap();
        assert!(json.contains(r#""outcome":{"error":"interrupted"}"#), "{json}");
        assert_eq!(serde_json::from_str::<UsageRecord>(&json).unwrap(), record);
    }
}
