use std::fmt;

use edge_ai_core::{Bytes, Error, ErrorKind, Result, async_trait};
use edge_ai_worker::{EnvExt, worker_error};
use worker::send::SendFuture;
use worker::{Bucket, HttpMetadata, Include};

use super::{ObjectPage, ObjectStore, StoredObject, too_large};

/// Objects in an R2 bucket.
pub struct R2Objects(Bucket);

/// The most keys that R2 lists or deletes at once (<https://developers.cloudflare.com/r2/api/workers/workers-api-reference/>).
const AT_ONCE: usize = 1_000;

impl R2Objects {
    /// Those of `bucket`.
    pub const fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    /// Those of the bucket that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_bucket(binding).map(Self)
    }
}

#[async_trait]
impl ObjectStore for R2Objects {
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()> {
        let metadata = HttpMetadata {
            content_type: Some(content_type.to_owned()),
            ..HttpMetadata::default()
        };
        let put = self.0.put(key, Vec::from(body)).http_metadata(metadata);
        SendFuture::new(put.execute()).await.map_err(failed)?;
        Ok(())
    }

    async fn get(&self, key: &str, most: u64) -> Result<Option<(StoredObject, Bytes)>> {
        SendFuture::new(async {
            let Some(object) = self.0.get(key).execute().await.map_err(failed)? else {
                return Ok(None);
            };
            let known = stored(&object);
            if known.size > most {
                return Err(too_large(key, known.size, most));
            }
            let bytes = match object.body() {
                None => Vec::new(),
                Some(body) => body.bytes().await.map_err(failed)?,
            };
            Ok(Some((known, bytes.into())))
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<StoredObject>> {
        let object = SendFuture::new(self.0.head(key)).await.map_err(failed)?;
        Ok(object.as_ref().map(stored))
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        for keys in keys.chunks(AT_ONCE) {
            SendFuture::new(self.0.delete_multiple(keys.to_vec()))
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ObjectPage> {
        SendFuture::new(async {
            let limit = u32::try_from(limit.clamp(1, AT_ONCE)).unwrap_or(1);
            let mut list = self
                .0
                .list()
                .prefix(prefix)
                .limit(limit)
                .include(vec![Include::HttpMetadata]);
            if let Some(after) = after {
                list = list.start_after(after);
            }
            let page = list.execute().await.map_err(failed)?;
            Ok(ObjectPage::new(
                page.objects().iter().map(stored).collect(),
                page.truncated(),
            ))
        })
        .await
    }
}

fn stored(object: &worker::Object) -> StoredObject {
    let mut stored = StoredObject::new(object.key(), object.size(), object.etag());
    stored.content_type = object.http_metadata().content_type;
    stored
}

fn failed(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("R2")
}

impl fmt::Debug for R2Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("R2Objects")
    }
}
