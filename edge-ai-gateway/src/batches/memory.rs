use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, Result};
use futures_util::stream::{BoxStream, StreamExt};

use super::{FileStore, StoredFile};

/// Files in the memory of one process: for native servers that can bear to lose them, and for tests.
#[derive(Clone, Default)]
pub struct MemoryFiles(Arc<Mutex<BTreeMap<String, (String, Bytes)>>>);

impl MemoryFiles {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, (String, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stored(key: &str, meta: &str, bytes: &Bytes) -> StoredFile {
    StoredFile::new(key.to_owned(), meta.to_owned(), bytes.len() as u64)
}

#[async_trait]
impl FileStore for MemoryFiles {
    async fn put(&self, key: &str, meta: &str, mut pieces: BoxStream<'static, Result<Bytes>>) -> Result<u64> {
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            whole.extend_from_slice(&piece?);
        }
        let bytes = whole.len() as u64;
        self.files()
            .insert(key.to_owned(), (meta.to_owned(), whole.freeze()));
        Ok(bytes)
    }

    async fn get(&self, key: &str) -> Result<Option<(StoredFile, Body)>> {
        let files = self.files();
        let found = files.get(key);
        Ok(found.map(|(meta, bytes)| (stored(key, meta, bytes), Body::from(bytes.clone()))))
    }

    async fn head(&self, key: &str) -> Result<Option<StoredFile>> {
        let files = self.files();
        Ok(files.get(key).map(|(meta, bytes)| stored(key, meta, bytes)))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.files().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<StoredFile>> {
        let files = self.files();
        let found = files
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        Ok(found
            .take(limit)
            .map(|(key, (meta, bytes))| stored(key, meta, bytes))
            .collect())
    }
}

impl fmt::Debug for MemoryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryFiles({})", self.files().len())
    }
}
