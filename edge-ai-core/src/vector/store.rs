use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{VectorMatch, VectorQuery, VectorRecord};
use crate::{Clock, Error, ErrorKind, Result};

/// Keeps vectors and finds the nearest.
///
/// Service limits never reach callers: an implementation splits what is over a [cap](VectorCapabilities) of the service into
/// several calls, and says in its capabilities what remains, such as how many matches it can return.
#[async_trait]
pub trait VectorStore: fmt::Debug + Send + Sync + 'static {
    /// What the store can take and how it behaves.
    fn capabilities(&self) -> VectorCapabilities;

    /// Keeps the records; one with a known id replaces vector, namespace and metadata as a whole. Of records with the same id in one
    /// call the last counts.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a vector of another length or with a value that is not finite, an id that is empty or too
    /// long, or metadata over the limit: then, as far as it can be told before sending, nothing is kept. Service errors by their kind.
    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation>;

    /// The nearest records, nearest first, at most `top_k` of them; an empty store gives none.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a vector of another length or with a value that is not finite, `top_k` of zero, or a filter the service refuses;
    /// [`ErrorKind::Unsupported`] for `top_k` over [`max_top_k`](VectorCapabilities::max_top_k).
    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>>;

    /// The records with these ids, in no set order; unknown ids are left out.
    ///
    /// # Errors
    /// Service errors by their kind.
    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>>;

    /// Removes the records with these ids; unknown ids are fine.
    ///
    /// # Errors
    /// Service errors by their kind.
    async fn delete(&self, ids: &[String]) -> Result<Mutation>;

    /// How many records there are, and up to which mutation that holds.
    ///
    /// # Errors
    /// Service errors by their kind.
    async fn info(&self) -> Result<StoreInfo>;
}

/// What a store can take and how it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VectorCapabilities {
    /// The length of its vectors; `None` when the first one decides or only the service knows.
    pub dimensions: Option<usize>,
    /// How nearness is scored.
    pub metric: Metric,
    /// The most matches of one query that brings no vectors and at most indexed metadata.
    pub max_top_k: usize,
    /// The most matches of one query that brings vectors or all metadata.
    pub max_top_k_full: usize,
    /// The longest id, in bytes.
    pub max_id_bytes: usize,
    /// Whether a write is visible to the next read. If not, [`wait_visible`] waits for it.
    pub immediate: bool,
}

impl VectorCapabilities {
    /// A store in memory: no caps, every write visible at once.
    pub const fn unlimited(metric: Metric) -> Self {
        Self {
            dimensions: None,
            metric,
            max_top_k: usize::MAX,
            max_top_k_full: usize::MAX,
            max_id_bytes: usize::MAX,
            immediate: true,
        }
    }

    /// Of vectors of one length.
    #[must_use]
    pub const fn with_dimensions(self, dimensions: usize) -> Self {
        Self {
            dimensions: Some(dimensions),
            ..self
        }
    }
}

/// How nearness is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// The cosine of the angle, from -1 to 1: higher is nearer.
    Cosine,
    /// The distance, from 0: lower is nearer.
    Euclidean,
    /// The negated inner product, as Vectorize scores it: lower is nearer.
    DotProduct,
}

impl Metric {
    /// Whether a higher score is nearer.
    pub const fn higher_is_nearer(self) -> bool {
        matches!(self, Self::Cosine)
    }

    /// Orders two scores, the nearer one first.
    pub fn order(self, a: f32, b: f32) -> std::cmp::Ordering {
        if self.higher_is_nearer() {
            b.total_cmp(&a)
        } else {
            a.total_cmp(&b)
        }
    }

    /// Whether `score` is at least as near as `threshold`.
    pub fn reaches(self, score: f32, threshold: f32) -> bool {
        if self.higher_is_nearer() {
            score >= threshold
        } else {
            score <= threshold
        }
    }
}

/// A write that was accepted; it may not be visible yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mutation {
    /// The service's name for the last of the writes; `None` when nothing has to be waited for.
    pub id: Option<String>,
}

impl Mutation {
    /// A write that is visible already.
    pub const VISIBLE: Self = Self { id: None };

    /// A write that becomes visible when the store has processed `id`.
    pub fn pending(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()) }
    }
}

/// The state of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreInfo {
    /// How many records are visible.
    pub count: u64,
    /// The length of the vectors, when known.
    pub dimensions: Option<usize>,
    /// The last mutation that is visible.
    pub processed_mutation: Option<String>,
}

impl StoreInfo {
    /// A store's state.
    pub const fn new(count: u64, dimensions: Option<usize>, processed_mutation: Option<String>) -> Self {
        Self {
            count,
            dimensions,
            processed_mutation,
        }
    }
}

/// Waits until a mutation is visible, asking once in `every`, at most for `limit`.
///
/// A later mutation that is visible says so too, but cannot be told from an earlier one; so when several writers share an index, wait
/// for your own last one.
///
/// # Errors
/// [`ErrorKind::Timeout`] after `limit`; the store's errors. The write itself stays accepted.
pub async fn wait_visible(
    store: &dyn VectorStore,
    clock: &dyn Clock,
    mutation: &Mutation,
    every: Duration,
    limit: Duration,
) -> Result<()> {
    let Some(id) = &mutation.id else { return Ok(()) };
    let start = clock.now();
    loop {
        if store.info().await?.processed_mutation.as_deref() == Some(id) {
            return Ok(());
        }
        if clock.now().since(start) >= limit {
            let message = format!("mutation {id} is not visible after {} ms", limit.as_millis());
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        clock.sleep(every).await;
    }
}

#[async_trait]
impl<T: VectorStore + ?Sized> VectorStore for Arc<T> {
    fn capabilities(&self) -> VectorCapabilities {
        (**self).capabilities()
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        (**self).upsert(records).await
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        (**self).query(query).await
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        (**self).get(ids).await
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        (**self).delete(ids).await
    }

    async fn info(&self) -> Result<StoreInfo> {
        (**self).info().await
    }
}
