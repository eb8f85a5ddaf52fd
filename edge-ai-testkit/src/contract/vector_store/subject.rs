use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Clock, ManualClock, Metric, Mutation, Timestamp, VectorMatch, VectorQuery, VectorRecord, VectorStore,
    wait_visible,
};

use crate::case::ensure;
use crate::scope::Scope;
use crate::{Check, Must, Stop, Subject};

/// The metadata that the suite filters by, with their types: a store that filters only by fields with a metadata index has one for
/// each of them.
pub const FILTERED_FIELDS: [(&str, &str); 4] = [
    ("lang", "string"),
    ("year", "number"),
    ("draft", "boolean"),
    ("author.name", "string"),
];

/// A vector store under test.
#[derive(Clone, Debug)]
pub struct VectorStoreSubject {
    pub(super) store: Arc<dyn VectorStore>,
    pub(super) scope: Scope,
    pub(super) dimensions: usize,
    pub(super) max_metadata: Option<usize>,
    clock: Arc<dyn Clock>,
    every: Duration,
    limit: Duration,
}

impl VectorStoreSubject {
    /// A store of vectors of 32 values, on a clock that jumps over waits.
    pub fn new(store: impl VectorStore) -> Self {
        Self {
            store: Arc::new(store),
            scope: Scope::default(),
            dimensions: 32,
            max_metadata: None,
            clock: Arc::new(ManualClock::jumping(Timestamp::from_millis(1))),
            every: Duration::from_millis(50),
            limit: Duration::from_secs(60),
        }
    }

    /// Makes ids and namespaces from a text of this run alone, for a store that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// Waits by this clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// The length of the store's vectors; at least four.
    #[must_use]
    pub fn with_dimensions(self, dimensions: usize) -> Self {
        Self {
            dimensions: dimensions.max(4),
            ..self
        }
    }

    /// Metadata of more bytes than this, as JSON, is refused.
    #[must_use]
    pub fn with_max_metadata(self, bytes: usize) -> Self {
        Self {
            max_metadata: Some(bytes),
            ..self
        }
    }

    /// Looks once in `every` whether a write is visible, at most for `limit`.
    #[must_use]
    pub fn with_wait(self, every: Duration, limit: Duration) -> Self {
        Self { every, limit, ..self }
    }

    pub(super) fn metric(&self) -> Metric {
        self.store.capabilities().metric
    }

    /// An id of this case alone.
    pub(super) fn id(&self, label: &str) -> String {
        self.scope.name(label)
    }

    /// A namespace of this case alone.
    pub(super) fn namespace(&self, label: &str) -> String {
        self.scope.digest(&format!("namespace {label}"))
    }

    /// A vector that belongs to `label`, of length other than one, so that metrics differ.
    pub(super) fn vector(&self, label: &str) -> Vec<f32> {
        let mut state = self.scope.hash(label);
        let mut value = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
        };
        (0..self.dimensions).map(|_| value()).collect()
    }

    /// The record of `label` in the case's own namespace.
    pub(super) fn record(&self, label: &str) -> VectorRecord {
        VectorRecord::new(self.id(label), self.vector(label)).namespace(self.namespace(""))
    }

    /// A query near `label` in the case's own namespace.
    pub(super) fn near(&self, label: &str) -> VectorQuery {
        VectorQuery::new(self.vector(label)).namespace(self.namespace(""))
    }

    /// Keeps records and waits until they are visible.
    pub(super) async fn keep(&self, records: impl IntoIterator<Item = VectorRecord>) -> Check {
        let mutation = self
            .store
            .upsert(records.into_iter().collect())
            .await
            .must("`upsert` keeps valid records")?;
        self.visible(&mutation).await
    }

    /// Deletes records and waits until that is visible.
    pub(super) async fn delete(&self, ids: &[String]) -> Check {
        let mutation = self.store.delete(ids).await.must("`delete` removes records")?;
        self.visible(&mutation).await
    }

    pub(super) async fn visible(&self, mutation: &Mutation) -> Check {
        let waited = wait_visible(&*self.store, &*self.clock, mutation, self.every, self.limit).await;
        waited.must("an accepted mutation becomes visible")
    }

    pub(super) async fn find(&self, query: VectorQuery) -> Result<Vec<VectorMatch>, Stop> {
        self.store
            .query(query)
            .await
            .must("`query` answers a valid query")
    }

    /// The labels of the matches, in order.
    pub(super) async fn labels(&self, query: VectorQuery) -> Result<Vec<String>, Stop> {
        let prefix = self.id("");
        let label = |found: VectorMatch| {
            found
                .id
                .strip_prefix(&prefix)
                .map_or(found.id.clone(), str::to_owned)
        };
        Ok(self.find(query).await?.into_iter().map(label).collect())
    }

    pub(super) async fn get(&self, labels: &[&str]) -> Result<Vec<VectorRecord>, Stop> {
        let ids: Vec<_> = labels.iter().map(|label| self.id(label)).collect();
        let mut records = self.store.get(&ids).await.must("`get` answers for ids")?;
        records.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(records)
    }

    /// The one record of `label`.
    pub(super) async fn one(&self, label: &str) -> Result<VectorRecord, Stop> {
        let mut records = self.get(&[label]).await?;
        ensure!(
            records.len() <= 1,
            "an id names one record, but `get` answered {}",
            records.len()
        );
        records.pop().must("a record that was kept is got by its id")
    }

    /// The score of two vectors, by the metric's definition.
    pub(super) fn score(&self, a: &[f32], b: &[f32]) -> f32 {
        let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let dot: f64 = pairs().map(|(a, b)| a * b).sum();
        let norm = |vector: &[f32]| {
            vector
                .iter()
                .map(|value| f64::from(*value).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let score = match self.metric() {
            Metric::Cosine => dot / (norm(a) * norm(b)),
            Metric::Euclidean => pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
            _ => -dot,
        };
        score as f32
    }
}

impl Subject for VectorStoreSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}
