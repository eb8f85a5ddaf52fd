//! An index that stays true to its documents.

mod batch;
mod builder;
mod chunk;
mod document;
mod job;
mod manifest;
mod objects;
mod options;
mod pipeline;
mod put;
mod queue;
mod run;
mod source;
mod sweep;
mod sync;
#[cfg(test)]
mod tests;
mod visible;
mod watch;
#[cfg(feature = "worker")]
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use edge_ai_core::{Clock, Database, Entropy, Error, ErrorKind, KeywordStore, Result, VectorStore};

use crate::digest::Digest;
use crate::{DocumentId, Namespace};

pub use batch::{BatchLine, BatchOutcome};
pub use builder::IndexBuilder;
pub use chunk::StoredChunk;
pub use document::{DocumentPage, IndexedDocument, LiveDocument};
pub use job::{Job, JobAction, JobError, JobState, JobStep};
pub use manifest::Manifest;
#[cfg(feature = "worker")]
pub use objects::R2Objects;
pub use objects::{MemoryObjects, ObjectPage, ObjectStore, StoredObject};
pub use options::IndexOptions;
pub use pipeline::Pipeline;
pub use put::Accepted;
pub use queue::{IndexMessage, IndexQueue, MemoryQueue};
pub use run::Ran;
pub use source::ChunkSource;
pub use sweep::Swept;
pub use sync::{BucketEvent, EventObject, Synced};
#[cfg(feature = "worker")]
pub use worker::WorkerQueue;

/// Takes documents up, keeps the stores in step with them, and removes what is gone.
///
/// What was asked for is in the [`Manifest`] before the answer, and done by whoever gets word of it from the queue, step by step:
///
/// 1. [`put`](Self::put) keeps the body, and writes the document and its job in one transaction. Word goes to the queue.
/// 2. [`run`](Self::run) parses and splits, and writes the chunks' names down before any store hears of them.
/// 3. It embeds the chunks that the stores do not have, batch by batch, and writes them to the stores.
/// 4. In one transaction the new chunks take the place of the old ones, for [`ChunkSource`].
/// 5. It removes from the stores what is not of the document any more, then from the manifest, then older bodies.
///
/// Whatever breaks off between two steps goes on from there: the queue delivers again, and [`sweep`](Self::sweep) finds what the queue has lost. One consumer at a
/// time has a document; one that was superseded, or took too long, changes nothing any more.
///
/// Clones are the same index.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_core::{ManualClock, Metric, SeededEntropy, Timestamp};
/// use edge_ai_rag::{
///     ChunkSource, Document, DocumentId, Index, JobState, Manifest, MediaType, MemoryObjects, MemoryQueue, MemoryVectorStore, Namespace, Pipeline,
/// };
/// use edge_ai_testkit::{scripted::ScriptedEmbeddingModel, sqlite::Sqlite};
/// # use edge_ai_core::{Result, async_trait};
/// # use edge_ai_rag::{Chunk, ParsedDocument, Parser, Splitter};
/// # #[derive(Debug)]
/// # struct Text;
/// # #[async_trait]
/// # impl Parser for Text {
/// #     async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
/// #         Ok(ParsedDocument::new(String::from_utf8_lossy(&document.body), MediaType::PLAIN))
/// #     }
/// #     fn fingerprint(&self) -> String {
/// #         "text/1".to_owned()
/// #     }
/// # }
/// # #[derive(Debug)]
/// # struct Whole;
/// # impl Splitter for Whole {
/// #     fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
/// #         vec![Chunk::new(0, document.text.as_str(), 0..document.text.len())]
/// #     }
/// #     fn fingerprint(&self) -> String {
/// #         "whole/1".to_owned()
/// #     }
/// # }
///
/// # futures_executor::block_on(async {
/// // In a Worker: D1, R2Objects, VectorizeStore, WorkerQueue, WorkerClock, WorkerEntropy.
/// let index = Index::builder(Sqlite::new(&[Manifest::MIGRATION]))
///     .originals(MemoryObjects::default())
///     .pipeline(Pipeline::new(Text, Whole, ScriptedEmbeddingModel::new(8), "@cf/baai/bge-base-en-v1.5").variant("cls"))
///     .vectors(MemoryVectorStore::new(Metric::Cosine))
///     .queue(MemoryQueue::default())
///     .clock(ManualClock::new(Timestamp::from_millis(1)))
///     .entropy(SeededEntropy::new(1))
///     .build()?;
///
/// let namespace = Namespace::of(Some("acme"), Some("handbook"));
/// let document = Document::new(DocumentId::new("leave.md")?, MediaType::MARKDOWN, "Thirty days.");
/// let accepted = index.put(&namespace, document.clone()).await?;
/// // A queue's consumer does it, or whoever waits.
/// let job = index.wait(&namespace, &accepted.job.id, Duration::from_secs(30)).await?;
/// assert_eq!((job.state, job.embedded), (JobState::Searchable, 1));
///
/// let chunks = index.manifest().range(&namespace, &document.id, 0..10).await?;
/// assert_eq!(chunks[0].text, "Thirty days.");
/// assert!(!index.put(&namespace, document).await?.changed);
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    manifest: Manifest,
    parts: Arc<Parts>,
}

/// What an index is made of.
#[derive(Debug)]
struct Parts {
    originals: Arc<dyn ObjectStore>,
    pipeline: Pipeline,
    vectors: Arc<dyn VectorStore>,
    keywords: Option<Arc<dyn KeywordStore>>,
    queue: Arc<dyn IndexQueue>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    buckets: BTreeMap<String, Arc<dyn ObjectStore>>,
    options: IndexOptions,
}

impl Index {
    /// Begins an index whose manifest is in `database`, with the tables of [`Manifest::MIGRATION`].
    pub fn builder(database: impl Database) -> IndexBuilder {
        IndexBuilder::new(Manifest::new(database))
    }

    /// The manifest: what retrieval reads chunks from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A document, unless it is deleted.
    ///
    /// # Errors
    /// The database's; so for all that reads.
    pub async fn get(&self, namespace: &Namespace, id: &DocumentId) -> Result<Option<IndexedDocument>> {
        let entry = self.manifest.entry(namespace, id).await?;
        entry
            .filter(|entry| entry.job.action != JobAction::Delete)
            .map(IndexedDocument::of)
            .transpose()
    }

    /// A part of the list of documents, from `cursor` on, at most 1,000.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(
        &self,
        namespace: &Namespace,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<DocumentPage> {
        let limit = limit.clamp(1, 1_000);
        let mut entries = self.manifest.list(namespace, cursor, limit + 1).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let documents: Vec<_> = entries
            .into_iter()
            .map(IndexedDocument::of)
            .collect::<Result<_>>()?;
        let last = documents.last().map(|document| document.id.to_string());
        Ok(DocumentPage {
            documents,
            cursor: last.filter(|_| more),
        })
    }

    /// What all documents' vectors and records were made by; whoever has another one is taken up anew by [`reindex`](Self::reindex).
    fn fingerprint(&self) -> String {
        let keywords = if self.parts.keywords.is_some() { "k1" } else { "k0" };
        Digest::new("index/1")
            .part(self.parts.pipeline.fingerprint())
            .part(keywords)
            .part(serde_json::json!(self.parts.options.filterable).to_string())
            .into_base64()
    }
}

pub(crate) fn not_found(what: &str, id: &str) -> Error {
    let shown: String = id.chars().take(64).collect();
    Error::new(
        ErrorKind::NotFound,
        format!("there is no {what} `{shown}` in this namespace"),
    )
}
