use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, Result, async_trait};
use edge_ai_worker::{EnvExt, Level, log, worker_error};
use worker::send::SendFuture;
use worker::{
    BatchMessageBuilder, MessageBatch, MessageBuilder, MessageExt, Queue, QueueRetryOptionsBuilder,
};

use super::{BucketEvent, Index, IndexMessage, IndexQueue, Ran};
use crate::Namespace;

/// Word of changed documents by [Cloudflare Queues](https://developers.cloudflare.com/queues/).
#[derive(Debug)]
pub struct WorkerQueue(Queue);

/// The most messages sent at once, and the longest delay (<https://developers.cloudflare.com/queues/platform/limits/>).
const AT_ONCE: usize = 100;
const LONGEST: Duration = Duration::from_secs(12 * 3_600);

/// A message that could not be worked on is delivered again after this long.
const AGAIN: Duration = Duration::from_secs(30);

impl WorkerQueue {
    /// Sends to a queue.
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

#[async_trait]
impl IndexQueue for WorkerQueue {
    async fn send(&self, messages: Vec<IndexMessage>, delay: Duration) -> Result<()> {
        for messages in messages.chunks(AT_ONCE) {
            let batch = BatchMessageBuilder::new()
                .messages(
                    messages
                        .iter()
                        .map(|message| MessageBuilder::new(message.clone()).build()),
                )
                .delay_seconds(seconds(delay))
                .build();
            let sent = SendFuture::new(self.0.send_batch(batch)).await;
            sent.map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("Queues"))?;
        }
        Ok(())
    }
}

impl Index {
    /// Works on what a Worker's `queue` event delivers, one message after the other. Each is acknowledged when nothing is left to do for its document, and
    /// otherwise comes again when its time has come: as a new message, so that waiting is not counted as failing.
    ///
    /// # Errors
    /// When the batch does not read.
    pub async fn consume(&self, batch: &MessageBatch<IndexMessage>) -> worker::Result<()> {
        for message in batch.messages()? {
            let about = message.body();
            let worked = match self.run(about).await {
                Ok(Ran::Done) => Ok(()),
                Ok(Ran::Again(wait)) => self.parts.queue.send(vec![about.clone()], wait).await,
                Err(error) => Err(error),
            };
            conclude(&message, about.document.as_str(), worked);
        }
        Ok(())
    }

    /// Takes up what R2's event notifications tell, into the namespace that `of` gives for a key; `None` leaves an object out.
    ///
    /// # Errors
    /// When the batch does not read.
    pub async fn consume_events(
        &self,
        batch: &MessageBatch<BucketEvent>,
        of: impl Fn(&BucketEvent) -> Option<Namespace>,
    ) -> worker::Result<()> {
        for message in batch.messages()? {
            let event = message.body();
            let taken = match of(event) {
                None => Ok(()),
                Some(namespace) => match self.take_event(&namespace, event).await {
                    // It will not be a document the next time either.
                    Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                        log(Level::Warn, &format!("{} is left out: {error}", event.object.key));
                        Ok(())
                    }
                    taken => taken.map(drop),
                },
            };
            conclude(&message, &event.object.key, taken);
        }
        Ok(())
    }
}

fn conclude<T>(message: &worker::Message<T>, about: &str, worked: Result<(), Error>) {
    match worked {
        Ok(()) => message.ack(),
        Err(error) => {
            log(Level::Error, &format!("{about} was not worked on: {error}"));
            let options = QueueRetryOptionsBuilder::new()
                .with_delay_seconds(seconds(error.retry_after().unwrap_or(AGAIN)))
                .build();
            message.retry_with_options(&options);
        }
    }
}

fn seconds(delay: Duration) -> u32 {
    let delay = delay.min(LONGEST);
    u32::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}
