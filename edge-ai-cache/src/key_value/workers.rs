use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, KeyPage, KeyValue, Result};
use edge_ai_worker::EnvExt;
use worker::kv::{KvError, KvStore};
use worker::send::SendFuture;

use super::rules::{check_key, check_value};
use crate::seconds;

/// A Workers KV namespace.
///
/// Writes are seen at once where they were made, and elsewhere within about a minute
/// ([consistency](https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency)). A time to live is rounded up to whole
/// seconds and to at least 60; over ten years is for good.
#[derive(Debug)]
pub struct WorkersKv(KvStore);

impl WorkersKv {
    /// A namespace.
    pub const fn new(namespace: KvStore) -> Self {
        Self(namespace)
    }

    /// The namespace that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_kv(binding).map(Self)
    }
}

#[async_trait]
impl KeyValue for WorkersKv {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        check_key(key)?;
        let value = SendFuture::new(self.0.get(key).bytes()).await.map_err(failed)?;
        Ok(value.map(Bytes::from))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<()> {
        check_key(key)?;
        check_value(&value)?;
        let mut put = self.0.put_bytes(key, &value).map_err(failed)?;
        if let Some(seconds) = ttl.and_then(seconds::kv_expiration_ttl) {
            put = put.expiration_ttl(seconds);
        }
        SendFuture::new(put.execute()).await.map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        SendFuture::new(self.0.delete(key)).await.map_err(failed)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage> {
        let mut list = self.0.list().prefix(prefix.to_owned());
        if let Some(cursor) = cursor {
            list = list.cursor(cursor.to_owned());
        }
        let page = SendFuture::new(list.execute()).await.map_err(failed)?;
        let keys = page.keys.into_iter().map(|key| key.name).collect();
        Ok(KeyPage::new(keys, page.cursor.filter(|_| !page.list_complete)))
    }
}

fn failed(error: KvError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("Workers KV: {error}"))
}
