use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Body, ErrorKind, Result};
use edge_ai_worker::{EnvExt, body_from_js, worker_error};
use futures_util::stream::{BoxStream, StreamExt};
use worker::send::SendFuture;
use worker::{Bucket, Include, ResponseBody};

use super::{FileStore, StoredFile};

/// Keeps files in an R2 bucket, each tenant's in a folder of its own: `files/t-acme/file-…`.
pub struct R2Files(Bucket);

/// Larger files go up in parts of this size; R2 takes no smaller ones than 5 MiB
/// (<https://developers.cloudflare.com/r2/objects/upload-objects/#part-size-limits>).
const PART: usize = 8 << 20;

/// The object's metadata under this name.
const META: &str = "meta";

impl R2Files {
    /// Keeps files in `bucket`.
    pub const fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    /// Keeps files in the bucket that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_bucket(binding).map(Self)
    }
}

#[async_trait]
impl FileStore for R2Files {
    async fn put(&self, key: &str, meta: &str, mut pieces: BoxStream<'static, Result<Bytes>>) -> Result<u64> {
        SendFuture::new(async {
            let meta = || HashMap::from([(META.to_owned(), meta.to_owned())]);
            let (mut part, mut bytes) = (Vec::new(), 0);
            let mut upload = None;
            let mut parts = Vec::new();
            while let Some(piece) = pieces.next().await {
                let piece = piece?;
                bytes += piece.len() as u64;
                part.extend_from_slice(&piece);
                while part.len() > PART {
                    let rest = part.split_off(PART);
                    let whole = std::mem::replace(&mut part, rest);
                    let upload = match &mut upload {
                        Some(upload) => upload,
                        none => {
                            let begun = self.0.create_multipart_upload(key).custom_metadata(meta());
                            none.insert(begun.execute().await.map_err(failed)?)
                        }
                    };
                    let number = u16::try_from(parts.len() + 1).unwrap_or(u16::MAX);
                    parts.push(upload.upload_part(number, whole).await.map_err(failed)?);
                }
            }
            match upload {
                None => {
                    let put = self.0.put(key, part).custom_metadata(meta());
                    put.execute().await.map_err(failed)?;
                }
                Some(upload) => {
                    let number = u16::try_from(parts.len() + 1).unwrap_or(u16::MAX);
                    parts.push(upload.upload_part(number, part).await.map_err(failed)?);
                    upload.complete(parts).await.map_err(failed)?;
                }
            }
            Ok(bytes)
        })
        .await
    }

    async fn get(&self, key: &str) -> Result<Option<(StoredFile, Body)>> {
        SendFuture::new(async {
            let Some(object) = self.0.get(key).execute().await.map_err(failed)? else {
                return Ok(None);
            };
            let file = stored(&object);
            let body = match object.body() {
                None => Body::empty(),
                Some(body) => match body.response_body().map_err(failed)? {
                    ResponseBody::Stream(stream) => body_from_js(stream),
                    ResponseBody::Body(bytes) => Body::from(bytes),
                    ResponseBody::Empty => Body::empty(),
                },
            };
            Ok(Some((file, body)))
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<StoredFile>> {
        let object = SendFuture::new(self.0.head(key)).await.map_err(failed)?;
        Ok(object.as_ref().map(stored))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        SendFuture::new(self.0.delete(key)).await.map_err(failed)
    }

    async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<StoredFile>> {
        SendFuture::new(async {
            let limit = u32::try_from(limit.min(1_000)).unwrap_or(1_000);
            let mut list = self
                .0
                .list()
                .prefix(prefix)
                .limit(limit)
                .include(vec![Include::CustomMetadata]);
            if !after.is_empty() {
                list = list.start_after(after);
            }
            let objects = list.execute().await.map_err(failed)?;
            Ok(objects.objects().iter().map(stored).collect())
        })
        .await
    }
}

fn stored(object: &worker::Object) -> StoredFile {
    let meta = object
        .custom_metadata()
        .ok()
        .and_then(|mut meta| meta.remove(META));
    StoredFile::new(object.key(), meta.unwrap_or_default(), object.size())
}

fn failed(error: worker::Error) -> edge_ai_core::Error {
    worker_error(ErrorKind::Unavailable, error).with_context("R2")
}

impl fmt::Debug for R2Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("R2Files")
    }
}
