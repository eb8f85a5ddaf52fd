use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, Result};
use futures_util::stream::BoxStream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Keeps files by key: `R2Files` in a bucket, [`MemoryFiles`](crate::MemoryFiles) in one process.
#[async_trait]
pub trait FileStore: std::fmt::Debug + Send + Sync + 'static {
    /// Keeps a file in place of one with the same key, whole or not at all, and returns how many bytes it has. `meta` is a text of at most 1 KB.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store fails; the pieces' own errors.
    async fn put(&self, key: &str, meta: &str, pieces: BoxStream<'static, Result<Bytes>>) -> Result<u64>;

    /// A file with its bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store fails.
    async fn get(&self, key: &str) -> Result<Option<(StoredFile, Body)>>;

    /// A file without its bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store fails.
    async fn head(&self, key: &str) -> Result<Option<StoredFile>>;

    /// Forgets a file, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store fails.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Those whose keys begin with `prefix` and come after `after`, in the order of keys.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store fails.
    async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<StoredFile>>;
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFile {
    /// Its key.
    pub key: String,
    /// What it was kept with.
    pub meta: String,
    /// How many bytes it has.
    pub bytes: u64,
}

impl StoredFile {
    /// A file.
    pub const fn new(key: String, meta: String, bytes: u64) -> Self {
        Self { key, meta, bytes }
    }
}

/// What a file is kept with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) filename: String,
    pub(super) purpose: String,
    pub(super) created_at: u64,
}

/// Where a tenant's things are.
pub(super) fn folder(kind: &str, tenant: Option<&str>) -> String {
    match tenant {
        // The mark keeps a tenant of any name apart from those without one.
        Some(tenant) => format!("{kind}/t-{}/", utf8_percent_encode(tenant, NON_ALPHANUMERIC)),
        None => format!("{kind}/open/"),
    }
}

pub(super) fn key(kind: &str, tenant: Option<&str>, id: &str) -> String {
    format!("{}{id}", folder(kind, tenant))
}

/// A file as OpenAI shows it.
pub(super) fn shown(file: &StoredFile) -> Value {
    let meta: Option<Meta> = serde_json::from_str(&file.meta).ok();
    let id = file.key.rsplit('/').next().unwrap_or_default();
    json!({
        "id": id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": meta.as_ref().map_or(0, |meta| meta.created_at),
        "expires_at": null,
        "filename": meta.as_ref().map(|meta| &meta.filename),
        "purpose": meta.as_ref().map(|meta| &meta.purpose),
        "status": "processed",
        "status_details": null,
    })
}

pub(super) fn no_file(id: &str) -> Error {
    let shown: String = id.chars().take(64).collect();
    let message = format!("there is no file `{shown}`; it may have been deleted, or belong to another key");
    Error::new(ErrorKind::NotFound, message).with_code("file_not_found")
}
