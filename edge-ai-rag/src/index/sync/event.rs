use edge_ai_core::{Result, Timestamp};
use serde::Deserialize;

use super::Index;
use crate::index::JobAction;
use crate::index::manifest::{Change, next_generation};
use crate::{DocumentId, Namespace};

/// A message of R2 about a change in a bucket
/// (<https://developers.cloudflare.com/r2/buckets/event-notifications/#message-format>).
///
/// ```
/// use edge_ai_rag::BucketEvent;
///
/// let event: BucketEvent = serde_json::from_str(r#"{
///     "account": "3f4b7e3dcab231cbfdaa90a6a28bd548", "action": "CopyObject", "bucket": "docs",
///     "object": {"key": "new.md", "size": 65536, "eTag": "c846ff7a18f28c2e262116d6e8719ef0"},
///     "eventTime": "2024-05-24T19:36:44.379Z", "copySource": {"bucket": "docs", "object": "old.md"}
/// }"#).unwrap();
/// assert_eq!((event.bucket.as_str(), event.object.key.as_str()), ("docs", "new.md"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BucketEvent {
    /// `PutObject`, `CopyObject`, `CompleteMultipartUpload`, `DeleteObject` or `LifecycleDeletion`.
    pub action: String,
    /// The bucket's name.
    pub bucket: String,
    /// The object.
    pub object: EventObject,
}

/// The object of a [`BucketEvent`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EventObject {
    /// Its key.
    pub key: String,
}

impl Index {
    /// Has a document taken up, or removed, as its object is now. Messages come twice and in any order, so what counts is not what they say but what the
    /// bucket has. Gives whether there was anything to do.
    ///
    /// # Errors
    /// As [`sync`](Self::sync): deliver the message again; [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a key that cannot be a document's id.
    pub async fn take_event(&self, namespace: &Namespace, event: &BucketEvent) -> Result<bool> {
        let id = DocumentId::new(event.object.key.as_str())?;
        let bucket = event.bucket.as_str();
        let object = self.bucket(bucket)?.head(id.as_str()).await?;
        let entry = self.manifest.entry(namespace, &id).await?;
        let change = match (object, &entry) {
            (Some(object), Some(entry)) if self.is_as(entry, bucket, &object) => return Ok(false),
            (Some(object), entry) => self.by_reference(&id, bucket, &object, entry.as_ref()),
            (None, Some(entry))
                if entry.job.action != JobAction::Delete && entry.job.bucket.as_deref() == Some(bucket) =>
            {
                Change::delete(id, next_generation(Some(entry), self.now()))
            }
            (None, _) => return Ok(false),
        };
        self.accept_all(namespace, &[change]).await?;
        Ok(true)
    }

    fn now(&self) -> Timestamp {
        edge_ai_core::Clock::now(&*self.parts.clock)
    }
}
