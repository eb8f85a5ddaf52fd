#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use edge_ai_core::{
    Metric, Mutation, Result, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery, VectorRecord,
    VectorStore, async_trait,
};

use super::record::{check_query, check_records};
use super::resident::{Nowhere, Quantization, Resident};

/// A vector store in memory that compares the query with every vector: exact, without an index to build or to wait for.
///
/// Vectors of a namespace lie one behind the other, and a query reads them at the memory's speed; so what a query takes grows with
/// the records of its namespace alone. It suits an index that ships with a Worker, within the 128 MB of an isolate
/// ([limits](https://developers.cloudflare.com/workers/platform/limits/#memory)), and tests.
///
/// Its clones share the records. Matches of equal score come in the order of their ids.
///
/// ```
/// use edge_ai_core::{Metric, VectorQuery, VectorRecord, VectorStore};
/// use edge_ai_rag::MemoryVectorStore;
///
/// # futures_executor::block_on(async {
/// let store = MemoryVectorStore::new(Metric::Euclidean).with_dimensions(2);
/// store.upsert(vec![VectorRecord::new("a", vec![3.0, 4.0])]).await?;
/// assert_eq!(store.query(VectorQuery::new(vec![0.0, 0.0])).await?[0].score, 5.0);
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct MemoryVectorStore {
    capabilities: VectorCapabilities,
    records: Arc<RwLock<Resident>>,
}

impl MemoryVectorStore {
    /// An empty store; its first vector decides the length of all.
    pub fn new(metric: Metric) -> Self {
        Self {
            capabilities: VectorCapabilities::unlimited(metric),
            records: Arc::new(RwLock::new(Resident::new(metric, Quantization::None))),
        }
    }

    /// Searches in another way. By [`Quantization::Int8`] a query reads a quarter of the memory, and a record takes a quarter more of it, since its vector
    /// stays beside its codes.
    ///
    /// Forgets what was kept before.
    #[must_use]
    pub fn quantized(self, quantization: Quantization) -> Self {
        let mut records = Resident::new(self.capabilities.metric, quantization);
        records.dimensions = self.capabilities.dimensions;
        *self.write() = records;
        self
    }

    /// Takes vectors of this length only.
    #[must_use]
    pub fn with_dimensions(self, dimensions: usize) -> Self {
        self.write().dimensions = Some(dimensions);
        Self {
            capabilities: self.capabilities.with_dimensions(dimensions),
            ..self
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Resident> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Resident> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl VectorStore for MemoryVectorStore {
    fn capabilities(&self) -> VectorCapabilities {
        self.capabilities
    }

    async fn upsert(&self, new: Vec<VectorRecord>) -> Result<Mutation> {
        let mut records = self.write();
        records.dimensions = check_records(&new, records.dimensions)?;
        for record in new {
            records.put(record, &Nowhere)?;
        }
        Ok(Mutation::VISIBLE)
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        let records = self.read();
        check_query(&query, records.dimensions)?;
        records.nearest(&query, &Nowhere)
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        self.read().get(ids, &Nowhere)
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        let mut records = self.write();
        for id in ids {
            records.remove(id, &Nowhere)?;
        }
        Ok(Mutation::VISIBLE)
    }

    async fn info(&self) -> Result<StoreInfo> {
        let records = self.read();
        Ok(StoreInfo::new(records.len() as u64, records.dimensions, None))
    }
}
