use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{Result, async_trait};
use serde::{Deserialize, Serialize};

use crate::{DocumentId, Namespace};

/// Carries word of changed documents to whoever works on them. It may lose messages, deliver them twice and in any order: what is to be done is in
/// the database.
#[async_trait]
pub trait IndexQueue: fmt::Debug + Send + Sync + 'static {
    /// Sends messages, to be delivered after `delay`.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when the queue fails.
    async fn send(&self, messages: Vec<IndexMessage>, delay: Duration) -> Result<()>;
}

#[async_trait]
impl<T: IndexQueue + ?Sized> IndexQueue for Arc<T> {
    async fn send(&self, messages: Vec<IndexMessage>, delay: Duration) -> Result<()> {
        (**self).send(messages, delay).await
    }
}

/// That something is to be done for a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexMessage {
    /// The document's namespace.
    pub namespace: Namespace,
    /// The document.
    pub document: DocumentId,
}

impl IndexMessage {
    /// A message about a document.
    pub const fn new(namespace: Namespace, document: DocumentId) -> Self {
        Self { namespace, document }
    }
}

/// A queue in memory, for native servers and tests: whoever works takes what is there. It forgets delays. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct MemoryQueue(Arc<Mutex<VecDeque<IndexMessage>>>);

impl MemoryQueue {
    /// The oldest message.
    pub fn take(&self) -> Option<IndexMessage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

#[async_trait]
impl IndexQueue for MemoryQueue {
    async fn send(&self, messages: Vec<IndexMessage>, _delay: Duration) -> Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(messages);
        Ok(())
    }
}
