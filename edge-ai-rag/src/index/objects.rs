//! Where the bytes of documents are: the bucket of originals, and buckets to keep the index in step with.

mod memory;
#[cfg(feature = "worker")]
mod r2;

use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Bytes, Result, async_trait};

pub use memory::MemoryObjects;
#[cfg(feature = "worker")]
pub use r2::R2Objects;

/// Keeps bytes by key, as R2 does: `R2Objects` in a bucket (feature `worker`), [`MemoryObjects`] in one process.
#[async_trait]
pub trait ObjectStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps an object in place of one with the same key, whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when the store fails; so for every method.
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()>;

    /// An object with its bytes.
    ///
    /// # Errors
    /// As [`put`](Self::put); [`ErrorKind::TooLarge`](edge_ai_core::ErrorKind::TooLarge) for one over `most` bytes, of which nothing is read then.
    async fn get(&self, key: &str, most: u64) -> Result<Option<(StoredObject, Bytes)>>;

    /// An object without its bytes.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn head(&self, key: &str) -> Result<Option<StoredObject>>;

    /// Forgets objects; unknown keys are fine.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn delete(&self, keys: &[String]) -> Result<()>;

    /// Those whose keys begin with `prefix` and come after `after`, in the order of the keys' bytes, and whether there are more.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ObjectPage>;
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub size: u64,
    /// A text that changes with its bytes.
    pub etag: String,
    /// What it is, where somebody said so.
    pub content_type: Option<String>,
}

impl StoredObject {
    /// An object.
    pub fn new(key: impl Into<String>, size: u64, etag: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            size,
            etag: etag.into(),
            content_type: None,
        }
    }
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectPage {
    /// In the order of their keys.
    pub objects: Vec<StoredObject>,
    /// Whether more come after the last.
    pub more: bool,
}

impl ObjectPage {
    /// A page.
    pub const fn new(objects: Vec<StoredObject>, more: bool) -> Self {
        Self { objects, more }
    }
}

#[async_trait]
impl<T: ObjectStore + ?Sized> ObjectStore for Arc<T> {
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()> {
        (**self).put(key, content_type, body).await
    }

    async fn get(&self, key: &str, most: u64) -> Result<Option<(StoredObject, Bytes)>> {
        (**self).get(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<StoredObject>> {
        (**self).head(key).await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        (**self).delete(keys).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ObjectPage> {
        (**self).list(prefix, after, limit).await
    }
}

/// An object that is larger than whoever asks can take.
fn too_large(key: &str, size: u64, most: u64) -> edge_ai_core::Error {
    edge_ai_core::Error::new(
        edge_ai_core::ErrorKind::TooLarge,
        format!(
            "`{key}` has {size} bytes, over the {most} that a document may have: split it, or raise the limit"
        ),
    )
}
