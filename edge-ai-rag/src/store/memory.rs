mod kernel;
mod partition;
mod top_k;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use edge_ai_core::{
    Metric, Mutation, Result, ReturnMetadata, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery,
    VectorRecord, VectorStore, async_trait,
};

use super::record::{check_query, check_records};
use kernel::Query;
use partition::Partition;
use top_k::TopK;

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
    records: Arc<RwLock<Records>>,
}

#[derive(Debug, Default)]
struct Records {
    /// The length of all vectors, once there was one.
    dimensions: Option<usize>,
    partitions: HashMap<Namespace, Partition>,
    places: HashMap<Arc<str>, Place>,
}

type Namespace = Option<Arc<str>>;

#[derive(Clone, Debug)]
struct Place {
    namespace: Namespace,
    row: usize,
}

impl MemoryVectorStore {
    /// An empty store; its first vector decides the length of all.
    pub fn new(metric: Metric) -> Self {
        Self {
            capabilities: VectorCapabilities::unlimited(metric),
            records: Arc::default(),
        }
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

    fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Records> {
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
        new.into_iter().for_each(|record| records.put(record));
        Ok(Mutation::VISIBLE)
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        let records = self.read();
        check_query(&query, records.dimensions)?;
        Ok(records.nearest(self.capabilities.metric, &query))
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        let records = self.read();
        Ok(ids.iter().filter_map(|id| records.get(id)).collect())
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        let mut records = self.write();
        ids.iter().for_each(|id| records.remove(id));
        Ok(Mutation::VISIBLE)
    }

    async fn info(&self) -> Result<StoreInfo> {
        let records = self.read();
        Ok(StoreInfo::new(
            records.places.len() as u64,
            records.dimensions,
            None,
        ))
    }
}

impl Records {
    fn put(&mut self, record: VectorRecord) {
        self.remove(&record.id);
        let id: Arc<str> = record.id.into();
        let namespace = record.namespace.map(Arc::from);
        let dimensions = record.values.len();
        let partition = self
            .partitions
            .entry(namespace.clone())
            .or_insert_with(|| Partition::new(dimensions));
        let row = partition.push(Arc::clone(&id), &record.values, record.metadata);
        self.places.insert(id, Place { namespace, row });
    }

    fn get(&self, id: &str) -> Option<VectorRecord> {
        let place = self.places.get(id)?;
        let row = self.partitions.get(&place.namespace)?.row(place.row)?;
        let mut record = VectorRecord::new(id, row.values.to_vec());
        record.namespace = place.namespace.as_deref().map(str::to_owned);
        record.metadata = row.metadata.clone();
        Some(record)
    }

    fn remove(&mut self, id: &str) {
        let Some(Place { namespace, row }) = self.places.remove(id) else {
            return;
        };
        let Entry::Occupied(mut partition) = self.partitions.entry(namespace) else {
            return;
        };
        // The last row fills the gap, so that rows stay one behind the other.
        if let Some(moved) = partition.get_mut().swap_remove(row)
            && let Some(place) = self.places.get_mut(&moved)
        {
            place.row = row;
        }
        if partition.get().is_empty() {
            partition.remove();
        }
    }

    fn nearest(&self, metric: Metric, query: &VectorQuery) -> Vec<VectorMatch> {
        let kernel = Query::new(metric, &query.vector);
        let mut nearest = TopK::new(query.top_k.min(self.places.len()));
        let searched: Vec<(&Namespace, &Partition)> = match &query.namespace {
            Some(namespace) => self
                .partitions
                .get_key_value(&Some(namespace.as_str().into()))
                .into_iter()
                .collect(),
            None => self.partitions.iter().collect(),
        };
        for (at, (_, partition)) in searched.iter().enumerate() {
            partition.scan(&kernel, &query.filter, at, &mut nearest);
        }
        let to_match = |found: top_k::Candidate<'_>| {
            let (namespace, partition) = searched.get(found.partition)?;
            let row = partition.row(found.row)?;
            let mut result = VectorMatch::new(found.id, kernel.score(found.distance));
            result.namespace = namespace.as_deref().map(str::to_owned);
            result.values = query.return_values.then(|| row.values.to_vec());
            if query.return_metadata != ReturnMetadata::None {
                result.metadata = row.metadata.clone();
            }
            Some(result)
        };
        nearest.into_sorted().into_iter().filter_map(to_match).collect()
    }
}
