//! Parts that fail at a call of one's choice, before or after its effect.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_core::{
    Bytes, Database, EmbeddingModel, EmbeddingRequest, EmbeddingResponse, Error, ErrorKind, KeywordMatch,
    KeywordQuery, KeywordRecord, KeywordStore, Mutation, Result, Row, Statement, StoreInfo,
    VectorCapabilities, VectorMatch, VectorQuery, VectorRecord, VectorStore, async_trait,
};

use crate::{IndexMessage, IndexQueue, ObjectPage, ObjectStore, StoredObject};

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// What fails from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// That call alone.
    Once,
    /// Everything, until somebody restarts: the process is dead.
    Crash,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: AtomicU64,
    yields: AtomicU64,
    crashed: AtomicBool,
    plan: Mutex<Option<(u64, When, Extent)>>,
}

impl Faults {
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn fail_at(&self, call: u64, when: When, extent: Extent) {
        *self.plan.lock().unwrap() = Some((call, when, extent));
    }

    pub(super) fn calm(&self) {
        *self.plan.lock().unwrap() = None;
        self.restart();
    }

    pub(super) fn restart(&self) {
        self.crashed.store(false, Ordering::Relaxed);
    }

    /// Lets every call wait for a few turns, by the bits of a seed.
    pub(super) fn interleave(&self, seed: u64) {
        self.yields.store(seed | 1, Ordering::Relaxed);
    }

    async fn through<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let seed = self.yields.load(Ordering::Relaxed);
        if seed != 0 {
            let mut bits = seed.wrapping_mul(call.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15)) >> 60;
            while bits > 0 {
                bits -= 1;
                yield_once().await;
            }
        }
        let failed = || Err(Error::new(ErrorKind::Unavailable, format!("call {call} failed")));
        if self.crashed.load(Ordering::Relaxed) {
            return failed();
        }
        let plan = *self.plan.lock().unwrap();
        match plan.filter(|(at, ..)| *at == call) {
            None => work.await,
            Some((_, when, extent)) => {
                self.crashed.store(extent == Extent::Crash, Ordering::Relaxed);
                if when == When::After {
                    work.await?;
                }
                failed()
            }
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// A part whose calls go through the faults.
#[derive(Clone)]
pub(super) struct Faulty<T> {
    pub(super) inner: T,
    pub(super) faults: Arc<Faults>,
}

impl<T> fmt::Debug for Faulty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl<T: Database> Database for Faulty<T> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        for statement in &statements {
            // https://developers.cloudflare.com/d1/platform/limits/
            assert!(statement.values.len() <= 100 && statement.sql.len() <= 100_000);
        }
        self.faults.through(self.inner.batch(statements)).await
    }
}

#[async_trait]
impl<T: VectorStore> VectorStore for Faulty<T> {
    fn capabilities(&self) -> VectorCapabilities {
        self.inner.capabilities()
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        self.faults.through(self.inner.upsert(records)).await
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        self.inner.query(query).await
    }

    async fn get(&self, ids: &[String]) -> Result<Vec<VectorRecord>> {
        self.faults.through(self.inner.get(ids)).await
    }

    async fn delete(&self, ids: &[String]) -> Result<Mutation> {
        self.faults.through(self.inner.delete(ids)).await
    }

    async fn info(&self) -> Result<StoreInfo> {
        self.faults.through(self.inner.info()).await
    }
}

#[async_trait]
impl<T: KeywordStore> KeywordStore for Faulty<T> {
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()> {
        self.faults.through(self.inner.upsert(records)).await
    }

    async fn search(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>> {
        self.inner.search(query).await
    }

    async fn delete(&self, ids: &[String]) -> Result<()> {
        self.faults.through(self.inner.delete(ids)).await
    }

    async fn count(&self) -> Result<u64> {
        self.inner.count().await
    }
}

#[async_trait]
impl<T: EmbeddingModel> EmbeddingModel for Faulty<T> {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        self.faults.through(self.inner.embed(request)).await
    }
}

#[async_trait]
impl<T: ObjectStore> ObjectStore for Faulty<T> {
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()> {
        self.faults.through(self.inner.put(key, content_type, body)).await
    }

    async fn get(&self, key: &str, most: u64) -> Result<Option<(StoredObject, Bytes)>> {
        self.faults.through(self.inner.get(key, most)).await
    }

    async fn head(&self, key: &str) -> Result<Option<StoredObject>> {
        self.faults.through(self.inner.head(key)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        self.faults.through(self.inner.delete(keys)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ObjectPage> {
        self.faults.through(self.inner.list(prefix, after, limit)).await
    }
}

#[async_trait]
impl<T: IndexQueue> IndexQueue for Faulty<T> {
    async fn send(&self, messages: Vec<IndexMessage>, delay: Duration) -> Result<()> {
        self.faults.through(self.inner.send(messages, delay)).await
    }
}
