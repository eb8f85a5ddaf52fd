use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// A durable map from names to bytes: Workers KV, Durable Object storage, memory.
///
/// Keys are not empty, not `.` or `..`, and at most 512 bytes; values at most 25 MiB
/// ([Workers KV limits](https://developers.cloudflare.com/kv/platform/limits/)). Every implementation holds callers to the
/// narrowest of these, so that code moves between stores.
#[async_trait]
pub trait KeyValue: fmt::Debug + Send + Sync + 'static {
    /// The value under `key`. Eventually consistent stores may answer an older value for up to a minute.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for a key outside the rules,
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store fails; so for every method.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;

    /// Keeps `value` under `key`, for good or for `ttl`. Workers KV keeps nothing for less than 60 seconds and rounds a
    /// shorter `ttl` up.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) for a value over the limit.
    async fn put(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<()>;

    /// Removes `key`; an unknown key is fine.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn delete(&self, key: &str) -> Result<()>;

    /// The keys that start with `prefix`, in byte order, a page at a time; `cursor` is the last page's.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage>;
}

#[async_trait]
impl<T: KeyValue + ?Sized> KeyValue for Arc<T> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        (**self).get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<()> {
        (**self).put(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        (**self).delete(key).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage> {
        (**self).list(prefix, cursor).await
    }
}

/// Some of the keys, and where the next ones start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPage {
    /// The keys, in byte order.
    pub keys: Vec<String>,
    /// For the next call; `None` on the last page.
    pub cursor: Option<String>,
}

impl KeyPage {
    /// A page.
    pub const fn new(keys: Vec<String>, cursor: Option<String>) -> Self {
        Self { keys, cursor }
    }
}
