use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{ErrorKind, Result, UsageRecord, UsageSink};
use edge_ai_worker::{EnvExt, worker_error};
use worker::Bucket;
use worker::send::SendFuture;

use super::{CaptureStore, ndjson};

/// Keeps records in an R2 bucket as NDJSON, by hour: `usage/date=2026-03-23/hour=11/….ndjson`.
///
/// Behind a gateway it writes an object for each request, so that nothing waits in an isolate's memory, which may end at any time. Behind a
/// [queue](crate::keep_queued_usage) it writes one for each batch: fewer objects, quicker to read. Written twice, an object is the same; a batch that a queue
/// delivers again in another composition repeats lines, so readers count each `request_id` once.
pub struct R2UsageLog {
    bucket: Bucket,
    prefix: String,
}

impl R2UsageLog {
    /// Keeps records in `bucket`, under `usage/`.
    pub fn new(bucket: Bucket) -> Self {
        Self {
            bucket,
            prefix: "usage/".to_owned(),
        }
    }

    /// Keeps records in the bucket that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_bucket(binding).map(Self::new)
    }

    /// Sets what names begin with.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            ..self
        }
    }

    async fn put(&self, records: &[UsageRecord]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let (key, lines) = ndjson::object(&self.prefix, records)?;
        let put = self.bucket.put(key, lines).execute();
        SendFuture::new(put)
            .await
            .map(drop)
            .map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("R2"))
    }
}

impl fmt::Debug for R2UsageLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("R2UsageLog")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl UsageSink for R2UsageLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        self.put(std::slice::from_ref(record)).await
    }

    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        self.put(records).await
    }
}

/// Keeps [captures](crate::Capture) in an R2 bucket, as `captures/<request id>.json`.
///
/// Nothing is deleted here: `wrangler r2 bucket lifecycle add <bucket> captures captures/ --expire-days 30` does it.
pub struct R2Captures(Bucket);

impl R2Captures {
    /// Keeps captures in `bucket`.
    pub const fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    /// Keeps captures in the bucket that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_bucket(binding).map(Self)
    }
}

impl fmt::Debug for R2Captures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("R2Captures")
    }
}

#[async_trait]
impl CaptureStore for R2Captures {
    async fn keep(&self, request_id: &str, document: Bytes) -> Result<()> {
        let put = self
            .0
            .put(format!("captures/{request_id}.json"), document.to_vec())
            .execute();
        SendFuture::new(put)
            .await
            .map(drop)
            .map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("R2"))
    }
}
