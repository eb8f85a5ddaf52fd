use std::sync::Arc;

use edge_ai_core::{
    Error, Metric, Mutation, Result, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery, VectorRecord,
    VectorStore, async_trait,
};

use super::wire::{Ask, Head, Terms, Told, Wanted, What, read, unreadable, vectors, write};
use crate::store::record::{check_query, check_records};
use crate::store::resident::Quantization;

const MAX_ID_BYTES: usize = 512;
const MAX_METADATA_BYTES: usize = 10 << 10;
/// A message's vectors are about so long at most.
const MESSAGE_BYTES: usize = 1 << 20;
const MAX_IDS: usize = 500;

/// The way to an object: a request's bytes for an answer's.
#[async_trait]
pub(super) trait Object: std::fmt::Debug + Send + Sync + 'static {
    async fn ask(&self, body: Vec<u8>) -> Result<Vec<u8>>;
}

/// A vector store in a Durable Object: exact search through vectors that are in the object's memory, kept in its SQLite storage.
///
/// A write is in the next search, wherever in the world it is asked, and none is lost. With 50,000 vectors of 384 values, an object's WebAssembly has 86 MB as they
/// are and 29 MB by [`Quantization::Int8`], of the object's 128; the exact ones are then on disk, and read for the best few of each search. An
/// object that wakes reads its vectors first, in about half a second (`cargo xtask bench search`).
///
/// It is the way to the objects; their class, `VectorObject` (feature `vector-object`), is exported by the Worker. An object is found by its name: one
/// for each index, or for each tenant.
///
/// ```no_run
/// use edge_ai_core::Metric;
/// use edge_ai_rag::{ObjectVectorStore, Quantization};
///
/// # fn store(env: &worker::Env, tenant: &str) -> edge_ai_core::Result<()> {
/// let store = ObjectVectorStore::from_env(env, "VECTORS", tenant, Metric::Cosine)?.quantized(Quantization::Int8);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ObjectVectorStore {
    object: Arc<dyn Object>,
    terms: Terms,
}

impl ObjectVectorStore {
    /// The object of this name in the namespace that is bound as `binding`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) when there is no such binding, with what to add to the Worker's configuration.
    #[cfg(feature = "worker")]
    pub fn from_env(env: &worker::Env, binding: &str, name: &str, metric: Metric) -> Result<Self> {
        super::client::Stub::from_env(env, binding, name).map(|object| Self::over(object, metric))
    }

    pub(super) fn over(object: impl Object, metric: Metric) -> Self {
        Self {
            object: Arc::new(object),
            terms: Terms {
                metric,
                quantization: Quantization::None,
            },
        }
    }

    /// Searches in another way. An object stays with what its first vectors were written with.
    #[must_use]
    pub fn quantized(mut self, quantization: Quantization) -> Self {
        self.terms.quantization = quantization;
        self
    }

    async fn ask<'a>(
        &self,
        what: What,
        vectors: impl Iterator<Item = &'a [f32]> + Send,
    ) -> Result<(Told, Vec<f32>)> {
        let terms = self.terms.name().to_owned();
        let body = write(&Ask { terms, what }, vectors)?;
        read(&self.object.ask(body).await?)
    }
}

#[async_trait]
impl VectorStore for ObjectVectorStore {
    fn capabilities(&self) -> VectorCapabilities {
        let mut capabilities = VectorCapabilities::unlimited(self.terms.metric);
        capabilities.max_id_bytes = MAX_ID_BYTES;
        capabilities
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        let length = check_records(&records, None)?.unwrap_or(1);
        check_sizes(&records)?;
        let count = (MESSAGE_BYTES / (4 * length)).clamp(1, MAX_IDS);
        for records in records.chunks(count) {
            let heads = records.iter().map(Head::of).collect();
            let vectors = records.iter().map(|record| record.values.as_slice());
            self.ask(What::Upsert(heads), vectors).await?;
        }
        Ok(Mutation::VISIBLE)
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        check_query(&query, None)?;
        let what = What::Query(Wanted::of(&query));
        let (told, values) = self.ask(what, std::iter::once(query.vector.as_slice())).await?;
        let heads = heads(told)?;
        let vectors: Vec<_> = vectors(&values, heads.len()).map(<[f32]>::to_vec).collect();
        let to_match = |(head, values): (Head, Vec<f32>)| {
            let mut found = VectorMatch::new(head.id, head.score.ok_or_else(unreadable)?);
            found.namespace = head.namespace;
            found.metadata = head.metadata;
            found.values = query.return_values.then_some(values);
            Ok(found)
        };
        heads.into_iter().zip(vectors).map(to_match).collect()
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        let mut all = Vec::new();
        for ids in ids.chunks(MAX_IDS) {
            let (told, values) = self.ask(What::Get(ids.to_vec()), std::iter::empty()).await?;
            let heads = heads(told)?;
            let vectors: Vec<_> = vectors(&values, heads.len()).collect();
            let records = heads.into_iter().zip(vectors);
            all.extend(records.map(|(head, values)| head.into_record(values)));
        }
        Ok(all)
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        for ids in ids.chunks(MAX_IDS) {
            self.ask(What::Delete(ids.to_vec()), std::iter::empty()).await?;
        }
        Ok(Mutation::VISIBLE)
    }

    async fn info(&self) -> Result<StoreInfo> {
        match self.ask(What::Info, std::iter::empty()).await? {
            (Told::Info { count, dimensions }, _) => Ok(StoreInfo::new(count, dimensions, None)),
            _ => Err(unreadable()),
        }
    }
}

fn heads(told: Told) -> Result<Vec<Head>> {
    match told {
        Told::Heads(heads) => Ok(heads),
        Told::Info { .. } => Err(unreadable()),
    }
}

fn check_sizes(records: &[VectorRecord]) -> Result<()> {
    for (at, record) in records.iter().enumerate() {
        if record.id.len() > MAX_ID_BYTES {
            let message = format!(
                "an id has at most {MAX_ID_BYTES} bytes, this one has {}",
                record.id.len()
            );
            return Err(Error::invalid(format!("records[{at}].id"), message));
        }
        let metadata = serde_json::to_string(&record.metadata).map_or(usize::MAX, |json| json.len());
        if metadata > MAX_METADATA_BYTES {
            let message =
                format!("metadata has at most {MAX_METADATA_BYTES} bytes as JSON, this has {metadata}");
            return Err(Error::invalid(format!("records[{at}].metadata"), message));
        }
    }
    Ok(())
}
