use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use edge_ai_core::{Result, async_trait};

use super::StoredChunk;
use crate::{DocumentId, Namespace};

/// Where retrieval reads chunks by their names. Only those that count are given: what is being written, or on its way out, is not.
#[async_trait]
pub trait ChunkSource: fmt::Debug + Send + Sync + 'static {
    /// The chunks with these ids, in the order of the ids; unknown ones are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when they cannot be read.
    async fn chunks(&self, namespace: &Namespace, ids: &[String]) -> Result<Vec<StoredChunk>>;

    /// The chunks of a document with these ordinals, in order; those that are not there are left out.
    ///
    /// # Errors
    /// As [`chunks`](Self::chunks).
    async fn range(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
        ordinals: Range<u32>,
    ) -> Result<Vec<StoredChunk>>;

    /// A number that rises with every change of the namespace that a search may see: whatever was found under another one may be out of date.
    ///
    /// # Errors
    /// As [`chunks`](Self::chunks).
    async fn version(&self, namespace: &Namespace) -> Result<u64>;
}

#[async_trait]
impl<T: ChunkSource + ?Sized> ChunkSource for Arc<T> {
    async fn chunks(&self, namespace: &Namespace, ids: &[String]) -> Result<Vec<StoredChunk>> {
        (**self).chunks(namespace, ids).await
    }

    async fn range(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
        ordinals: Range<u32>,
    ) -> Result<Vec<StoredChunk>> {
        (**self).range(namespace, document, ordinals).await
    }

    async fn version(&self, namespace: &Namespace) -> Result<u64> {
        (**self).version(namespace).await
    }
}
