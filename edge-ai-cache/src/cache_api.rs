use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Cache, CacheKey, Error, ErrorKind, Result};
use edge_ai_worker::worker_error;
use worker::send::SendFuture;
use worker::{Headers, Response};

use crate::seconds;

/// The [Cache API](https://developers.cloudflare.com/workers/runtime-apis/cache/): the cache of the location that the Worker runs in.
///
/// It costs nothing and answers from the same machine room, but works on custom domains only: on `*.workers.dev` and in previews it keeps
/// nothing, and every read is a miss. Times to live are whole seconds.
#[derive(Debug)]
pub struct CacheApiCache {
    /// Keeps these entries apart from other users of the same cache.
    origin: String,
}

impl CacheApiCache {
    /// Entries under a namespace, a part of a host name such as `answers`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a namespace that is no part of a host name.
    pub fn new(namespace: &str) -> Result<Self> {
        let ok = !namespace.is_empty()
            && namespace.len() <= 63
            && namespace
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !ok {
            let message = "a Cache API namespace has 1 to 63 lower-case letters, digits and `-`";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        // A name that cannot be on the internet: the cache wants an address, nobody ever asks for it.
        Ok(Self {
            origin: format!("https://{namespace}.edge-ai.invalid"),
        })
    }

    fn url(&self, key: &CacheKey) -> String {
        format!("{}/{}", self.origin, key.as_str())
    }
}

#[async_trait]
impl Cache for CacheApiCache {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        let url = self.url(key);
        SendFuture::new(async move {
            let found = worker::Cache::default().get(url, false).await.map_err(failed)?;
            let Some(mut response) = found else {
                return Ok(None);
            };
            let bytes = response.bytes().await.map_err(failed)?;
            Ok(Some(bytes.into()))
        })
        .await
    }

    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
        if ttl.is_zero() {
            return self.delete(key).await;
        }
        let url = self.url(key);
        let seconds = seconds::max_age(ttl);
        SendFuture::new(async move {
            let headers = Headers::new();
            headers
                .set("cache-control", &format!("max-age={seconds}"))
                .map_err(failed)?;
            headers
                .set("content-type", "application/octet-stream")
                .map_err(failed)?;
            let response = Response::from_bytes(value.into())
                .map_err(failed)?
                .with_headers(headers);
            worker::Cache::default().put(url, response).await.map_err(failed)
        })
        .await
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        let url = self.url(key);
        SendFuture::new(async move {
            worker::Cache::default().delete(url, true).await.map_err(failed)?;
            Ok(())
        })
        .await
    }
}

fn failed(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("Cache API")
}
