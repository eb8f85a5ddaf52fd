mod behavior;
mod degraded;
mod peers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use edge_ai_core::{
    Error, ErrorKind, KeywordMatch, KeywordQuery, KeywordRecord, KeywordStore, ManualClock, Metric, Mutation,
    Result, StoreInfo, Timestamp, VectorCapabilities, VectorMatch, VectorQuery, VectorRecord, VectorStore,
    async_trait,
};
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use futures_executor::block_on;

use super::*;
use crate::testing::Chunks;
use crate::{DocumentId, MemoryVectorStore, Namespace, StoredChunk};

/// A keyword store that counts words, and remembers what it was asked.
#[derive(Clone, Debug, Default)]
struct Words {
    records: Arc<Mutex<BTreeMap<String, KeywordRecord>>>,
    asked: Arc<Mutex<Vec<KeywordQuery>>>,
    down: Option<ErrorKind>,
}

#[async_trait]
impl KeywordStore for Words {
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()> {
        let mut kept = self.records.lock().unwrap();
        kept.extend(records.into_iter().map(|record| (record.id.clone(), record)));
        Ok(())
    }

    async fn search(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>> {
        self.asked.lock().unwrap().push(query.clone());
        if let Some(kind) = self.down {
            return Err(Error::new(kind, "the keyword store is down"));
        }
        let words: Vec<&str> = query.text.split_whitespace().collect();
        let records = self.records.lock().unwrap();
        let mut found: Vec<KeywordMatch> = records
            .values()
            .filter(|record| record.namespace == query.namespace && query.filter.matches(&record.metadata))
            .map(|record| {
                let hits = record
                    .text
                    .split_whitespace()
                    .filter(|word| words.contains(word))
                    .count();
                KeywordMatch::new(record.id.as_str(), hits as f32)
            })
            .filter(|found| found.score > 0.0)
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(query.top_k);
        Ok(found)
    }

    async fn delete(&self, ids: &[String]) -> Result<()> {
        ids.iter()
            .for_each(|id| drop(self.records.lock().unwrap().remove(id)));
        Ok(())
    }

    async fn count(&self) -> Result<u64> {
        Ok(self.records.lock().unwrap().len() as u64)
    }
}

/// A vector store that remembers what it was asked, has caps, and can be down.
#[derive(Clone, Debug)]
struct Vectors {
    inner: MemoryVectorStore,
    asked: Arc<Mutex<Vec<VectorQuery>>>,
    max_top_k: usize,
    down: bool,
}

#[async_trait]
impl VectorStore for Vectors {
    fn capabilities(&self) -> VectorCapabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.max_top_k = self.max_top_k;
        capabilities
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        self.inner.upsert(records).await
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        self.asked.lock().unwrap().push(query.clone());
        if self.down {
            return Err(Error::new(ErrorKind::Unavailable, "the vector store is down"));
        }
        self.inner.query(query).await
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        self.inner.get(ids).await
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        self.inner.delete(ids).await
    }

    async fn info(&self) -> Result<StoreInfo> {
        self.inner.info().await
    }
}

/// An index in memory, filled by hand.
struct Index {
    chunks: Chunks,
    vectors: Vectors,
    words: Words,
    embeddings: ScriptedEmbeddingModel,
    clock: ManualClock,
}

impl Index {
    fn new(metric: Metric) -> Self {
        Self {
            chunks: Chunks::default(),
            vectors: Vectors {
                inner: MemoryVectorStore::new(metric),
                asked: Arc::default(),
                max_top_k: 100,
                down: false,
            },
            words: Words::default(),
            embeddings: ScriptedEmbeddingModel::new(64),
            clock: ManualClock::jumping(Timestamp::from_millis(1_000_000)),
        }
    }

    /// Adds a document of texts, a chunk each.
    fn add(&self, namespace: &Namespace, document: &str, texts: &[&str]) {
        let mut start = 0_u64;
        for (ordinal, text) in texts.iter().enumerate() {
            let range = start..start + text.len() as u64;
            start = range.end;
            let id = format!("{namespace}:{document}:{ordinal}");
            let document = DocumentId::new(document).unwrap();
            self.put(
                namespace,
                StoredChunk::new(id, document, ordinal as u32, *text, range),
            );
        }
    }

    fn put(&self, namespace: &Namespace, chunk: StoredChunk) {
        use edge_ai_core::{EmbeddingModel, EmbeddingRequest};
        let vector = block_on(
            ScriptedEmbeddingModel::new(64).embed(EmbeddingRequest::new("m", [chunk.text.as_str()])),
        );
        let mut vector = VectorRecord::new(chunk.id.as_str(), vector.unwrap().embeddings[0].clone());
        vector = vector.namespace(namespace.as_str());
        vector.metadata = chunk.metadata.clone();
        block_on(self.vectors.upsert(vec![vector])).unwrap();
        let mut word =
            KeywordRecord::new(chunk.id.as_str(), chunk.text.as_str()).namespace(namespace.as_str());
        word.metadata = chunk.metadata.clone();
        block_on(self.words.upsert(vec![word])).unwrap();
        self.chunks.put(namespace, chunk);
    }

    fn retriever(&self) -> Retriever {
        Retriever::new(self.chunks.clone(), self.clock.clone())
            .dense(self.vectors.clone(), self.embeddings.clone(), "m")
            .keyword(self.words.clone())
    }
}

fn namespace() -> Namespace {
    Namespace::of(Some("acme"), Some("docs"))
}

fn find(retriever: &Retriever, query: &str, options: RetrievalOptions) -> Retrieved {
    block_on(retriever.retrieve(Retrieval::new(namespace(), query).with_options(options))).unwrap()
}

fn refused(retriever: &Retriever, query: &str, options: RetrievalOptions) -> Error {
    block_on(retriever.retrieve(Retrieval::new(namespace(), query).with_options(options))).unwrap_err()
}

fn texts(found: &Retrieved) -> Vec<&str> {
    found.chunks.iter().map(|one| one.chunk.text.as_str()).collect()
}

fn handbook(metric: Metric) -> Index {
    let index = Index::new(metric);
    let texts = [
        "days of leave are thirty ",
        "sick leave needs a note ",
        "the canteen opens at noon ",
    ];
    index.add(&namespace(), "handbook", &texts);
    index
}
