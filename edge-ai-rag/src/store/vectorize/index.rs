use std::fmt;

use edge_ai_core::{
    Metric, Mutation, Result, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery, VectorRecord,
    VectorStore, async_trait,
};
use edge_ai_worker::{EnvExt, VectorizeIndex};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::limits;
use super::wire::{
    Search, decode_info, decode_matches, decode_mutation, decode_records, id_batches, record_batches, search,
};

/// Lookups that are open at once. A request to a Worker may have six connections waiting for their heads
/// ([limits](https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections)).
const LOOKUPS: usize = 4;

/// A vector store in a [Vectorize](https://developers.cloudflare.com/vectorize/) index (V2).
///
/// Writes become visible after seconds to minutes ([`wait_visible`](edge_ai_core::wait_visible)); queries answer approximately unless
/// they [bring vectors along](VectorQuery::return_values). A [filter](edge_ai_core::Filter) sees the fields that have a
/// [metadata index](https://developers.cloudflare.com/vectorize/reference/metadata-filtering/), of records that were written after it
/// was made; what Vectorize's filters cannot say is refused as an invalid request.
///
/// ```no_run
/// use edge_ai_core::{Metric, VectorQuery, VectorStore};
/// use edge_ai_rag::VectorizeStore;
///
/// # async fn example(env: worker::Env) -> edge_ai_core::Result<()> {
/// let store = VectorizeStore::from_env(&env, "DOCS", Metric::Cosine)?.with_dimensions(384);
/// let found = store.query(VectorQuery::new(vec![0.0; 384]).namespace("acme")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct VectorizeStore {
    index: VectorizeIndex,
    capabilities: VectorCapabilities,
}

impl VectorizeStore {
    /// An index and its metric, which only its configuration tells.
    pub fn new(index: VectorizeIndex, metric: Metric) -> Self {
        let mut capabilities = VectorCapabilities::unlimited(metric);
        capabilities.max_top_k = limits::TOP_K;
        capabilities.max_top_k_full = limits::TOP_K_FULL;
        capabilities.max_id_bytes = limits::ID;
        capabilities.immediate = false;
        Self { index, capabilities }
    }

    /// The index bound under this name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) when there is none.
    pub fn from_env(env: &worker::Env, binding: &str, metric: Metric) -> Result<Self> {
        Ok(Self::new(env.required_vectorize(binding)?, metric))
    }

    /// Refuses vectors of another length before they are sent.
    #[must_use]
    pub fn with_dimensions(self, dimensions: usize) -> Self {
        Self {
            capabilities: self.capabilities.with_dimensions(dimensions),
            ..self
        }
    }
}

#[async_trait]
impl VectorStore for VectorizeStore {
    fn capabilities(&self) -> VectorCapabilities {
        self.capabilities
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        let batches = record_batches(&records, self.capabilities.dimensions)?;
        drop(records);
        let mut last = Mutation::VISIBLE;
        // One after another: the service works off mutations in order, so the last one to be visible is the last one sent.
        for (sent, batch) in batches.iter().enumerate() {
            let accepted = self
                .index
                .upsert(batch)
                .await
                .map_err(|error| after(error, sent * limits::UPSERT, "records"))?;
            last = decode_mutation(&accepted)?;
        }
        Ok(last)
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        match search(&query, self.capabilities.dimensions)? {
            Search::Nothing => Ok(Vec::new()),
            Search::Options(options) => decode_matches(&self.index.query(&query.vector, &options).await?),
        }
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        let mut lookups = Vec::new();
        for batch in id_batches(ids, limits::GET) {
            lookups.push(async move { decode_records(&self.index.get_by_ids(&batch).await?) });
        }
        let found: Vec<Vec<VectorRecord>> = stream::iter(lookups).buffered(LOOKUPS).try_collect().await?;
        Ok(found.concat())
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        let mut last = Mutation::VISIBLE;
        for (sent, batch) in id_batches(ids, limits::DELETE).into_iter().enumerate() {
            let accepted = self
                .index
                .delete_by_ids(&batch)
                .await
                .map_err(|error| after(error, sent * limits::DELETE, "ids"))?;
            last = decode_mutation(&accepted)?;
        }
        Ok(last)
    }

    async fn info(&self) -> Result<StoreInfo> {
        decode_info(&self.index.describe().await?)
    }
}

/// An error that came when part of a call was accepted already.
fn after(error: edge_ai_core::Error, accepted: usize, what: &str) -> edge_ai_core::Error {
    if accepted == 0 {
        error
    } else {
        error.with_context(format_args!("after {accepted} {what} were accepted"))
    }
}

impl fmt::Debug for VectorizeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorizeStore")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}
