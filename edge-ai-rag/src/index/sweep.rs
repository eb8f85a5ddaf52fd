use std::time::Duration;

use edge_ai_core::Result;

use super::Index;

/// What a sweep has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Documents with something to do that word was sent of again.
    pub sent: usize,
    /// Jobs whose writes have become visible.
    pub seen: usize,
}

/// The most documents of one sweep; the next goes on.
const AT_ONCE: usize = 100;
/// The most jobs looked at for visibility.
const LOOKS: usize = 50;

impl Index {
    /// Makes up for what queues and consumers lose; for a cron trigger, once in a minute or so. Sends word again of documents that nobody has worked on for as
    /// long as a lease lasts, looks whether written jobs have become visible, and forgets old jobs.
    ///
    /// # Errors
    /// Errors of the database, the queue and the vector store; the next sweep goes on.
    pub async fn sweep(&self) -> Result<Swept> {
        let now = self.parts.clock.now();
        let options = &self.parts.options;
        let messages = self.manifest.forsaken(now - options.lease, now, AT_ONCE).await?;
        let sent = messages.len();
        if sent > 0 {
            self.parts.queue.send(messages, Duration::ZERO).await?;
        }
        let mut seen = 0;
        for (namespace, job) in self.manifest.indexed(LOOKS).await? {
            seen += usize::from(self.look(&namespace, &job).await?);
        }
        self.manifest.expire(now - options.keep, AT_ONCE).await?;
        Ok(Swept { sent, seen })
    }
}
