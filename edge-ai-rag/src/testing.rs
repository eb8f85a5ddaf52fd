//! Doubles that several modules' tests share.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use edge_ai_core::{Result, async_trait};

use crate::{ChunkSource, DocumentId, Namespace, StoredChunk};

/// Chunks in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    kept: Arc<Mutex<Vec<(Namespace, StoredChunk)>>>,
    version: Arc<Mutex<u64>>,
}

impl Chunks {
    pub(crate) fn put(&self, namespace: &Namespace, chunk: StoredChunk) {
        self.kept.lock().unwrap().push((namespace.clone(), chunk));
        *self.version.lock().unwrap() += 1;
    }

    pub(crate) fn remove(&self, id: &str) {
        self.kept.lock().unwrap().retain(|(_, chunk)| chunk.id != id);
        *self.version.lock().unwrap() += 1;
    }
}

#[async_trait]
impl ChunkSource for Chunks {
    async fn chunks(&self, namespace: &Namespace, ids: &[String]) -> Result<Vec<StoredChunk>> {
        let kept = self.kept.lock().unwrap();
        let find = |id: &String| {
            kept.iter()
                .find(|(own, chunk)| own == namespace && chunk.id == *id)
        };
        Ok(ids
            .iter()
            .filter_map(find)
            .map(|(_, chunk)| chunk.clone())
            .collect())
    }

    async fn range(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
        ordinals: Range<u32>,
    ) -> Result<Vec<StoredChunk>> {
        let kept = self.kept.lock().unwrap();
        let mut found: Vec<StoredChunk> = kept
            .iter()
            .filter(|(own, chunk)| {
                own == namespace && chunk.document == *document && ordinals.contains(&chunk.ordinal)
            })
            .map(|(_, chunk)| chunk.clone())
            .collect();
        found.sort_by_key(|chunk| chunk.ordinal);
        Ok(found)
    }

    async fn version(&self, _: &Namespace) -> Result<u64> {
        Ok(*self.version.lock().unwrap())
    }
}
