use std::collections::BTreeMap;
use std::sync::Arc;

use edge_ai_core::{Clock, Entropy, Error, ErrorKind, KeywordStore, Result, VectorStore};

use super::{Index, IndexOptions, IndexQueue, Manifest, ObjectStore, Parts, Pipeline};

/// Puts an [`Index`] together.
#[derive(Debug)]
pub struct IndexBuilder {
    manifest: Manifest,
    originals: Option<Arc<dyn ObjectStore>>,
    pipeline: Option<Pipeline>,
    vectors: Option<Arc<dyn VectorStore>>,
    keywords: Option<Arc<dyn KeywordStore>>,
    queue: Option<Arc<dyn IndexQueue>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    buckets: BTreeMap<String, Arc<dyn ObjectStore>>,
    options: IndexOptions,
}

impl IndexBuilder {
    pub(super) fn new(manifest: Manifest) -> Self {
        Self {
            manifest,
            originals: None,
            pipeline: None,
            vectors: None,
            keywords: None,
            queue: None,
            clock: None,
            entropy: None,
            buckets: BTreeMap::new(),
            options: IndexOptions::default(),
        }
    }

    /// Where the bytes of documents are kept, under `originals/`.
    #[must_use]
    pub fn originals(mut self, store: impl ObjectStore) -> Self {
        self.originals = Some(Arc::new(store));
        self
    }

    /// How documents become chunks and vectors.
    #[must_use]
    pub fn pipeline(mut self, pipeline: Pipeline) -> Self {
        self.pipeline = Some(pipeline);
        self
    }

    /// Where vectors go.
    #[must_use]
    pub fn vectors(mut self, store: impl VectorStore) -> Self {
        self.vectors = Some(Arc::new(store));
        self
    }

    /// Where texts go, to be found by their words, too.
    #[must_use]
    pub fn keywords(mut self, store: impl KeywordStore) -> Self {
        self.keywords = Some(Arc::new(store));
        self
    }

    /// Who tells consumers that there is something to do.
    #[must_use]
    pub fn queue(mut self, queue: impl IndexQueue) -> Self {
        self.queue = Some(Arc::new(queue));
        self
    }

    /// The time.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// What tells consumers apart.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Some(Arc::new(entropy));
        self
    }

    /// A bucket that documents can be taken up from under its name, as R2's notifications name it.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>, store: impl ObjectStore) -> Self {
        self.buckets.insert(name.into(), Arc::new(store));
        self
    }

    /// What the index may take, and how long it waits.
    #[must_use]
    pub fn options(mut self, options: IndexOptions) -> Self {
        self.options = options;
        self
    }

    /// The index.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a part is missing, or an option contradicts another.
    pub fn build(self) -> Result<Index> {
        let options = self.options;
        if options.lease < options.call * 3 {
            return Err(configuration(
                "the index's `lease` must be at least three times as long as `call`: a call that was given up may still take effect for as long again",
            ));
        }
        if options.batch_texts == 0 || options.batches_per_run == 0 || options.max_attempts == 0 {
            return Err(configuration(
                "the index's `batch_texts`, `batches_per_run` and `max_attempts` must be at least 1",
            ));
        }
        let parts = Parts {
            originals: part(self.originals, "originals")?,
            pipeline: part(self.pipeline, "pipeline")?,
            vectors: part(self.vectors, "vectors")?,
            keywords: self.keywords,
            queue: part(self.queue, "queue")?,
            clock: part(self.clock, "clock")?,
            entropy: part(self.entropy, "entropy")?,
            buckets: self.buckets,
            options,
        };
        Ok(Index {
            manifest: self.manifest,
            parts: Arc::new(parts),
        })
    }
}

fn part<T>(part: Option<T>, name: &str) -> Result<T> {
    part.ok_or_else(|| configuration(&format!("the index has no {name}: call `IndexBuilder::{name}`")))
}

fn configuration(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
