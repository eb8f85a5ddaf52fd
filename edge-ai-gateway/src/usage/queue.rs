use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result, UsageRecord, UsageSink};
use edge_ai_worker::{EnvExt, worker_error};
use worker::send::SendFuture;
use worker::{MessageBatch, Queue};

/// Sends records to a Queue, one message each: the JSON of the record as a text.
///
/// The consumer, in the same Worker or another, is [`keep_queued_usage`]. A queue delivers at least once and in any order; the stores keep a record
/// once, by its `request_id`.
pub struct QueueUsageLog(Queue);

impl QueueUsageLog {
    /// Sends to `queue`.
    pub const fn new(queue: Queue) -> Self {
        Self(queue)
    }

    /// Sends to the queue that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_queue(binding).map(Self)
    }
}

impl std::fmt::Debug for QueueUsageLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueUsageLog")
    }
}

fn failed(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("Queue")
}

fn json(record: &UsageRecord) -> Result<String> {
    serde_json::to_string(record)
        .map_err(|error| Error::new(ErrorKind::Internal, "a record cannot be written").with_source(error))
}

#[async_trait]
impl UsageSink for QueueUsageLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        let json = json(record)?;
        SendFuture::new(self.0.send::<String, String>(json))
            .await
            .map_err(failed)
    }
}

/// Keeps a batch of records that a [`QueueUsageLog`] has sent: what a Worker's `queue` event does.
///
/// The batch goes to each sink as one. When one fails, the whole batch is delivered again; those that have it leave it as it is. A message that is no
/// record is logged and taken off the queue, for it will never be one.
///
/// # Errors
/// What a sink has returned; the messages are marked to be retried.
pub async fn keep_queued_usage(batch: MessageBatch<String>, sinks: &[Arc<dyn UsageSink>]) -> Result<()> {
    let mut records = Vec::new();
    for message in batch.iter() {
        let read = message.map_err(|error| error.to_string()).and_then(|message| {
            serde_json::from_str::<UsageRecord>(message.body())
                .map_err(|error| format!("{error}: {}", message.body()))
        });
        match read {
            Ok(record) => records.push(record),
            Err(error) => edge_ai_worker::log(
                edge_ai_worker::Level::Error,
                &format!(
                    "a message of the queue {} is no usage record: {error}",
                    batch.queue()
                ),
            ),
        }
    }
    for sink in sinks {
        if let Err(error) = sink.record_all(&records).await {
            batch.retry_all();
            return Err(error);
        }
    }
    batch.ack_all();
    Ok(())
}
