//! An index with everything around it in memory, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_core::{
    Bytes, Error, KeywordMatch, KeywordQuery, KeywordRecord, KeywordStore, ManualClock, Metric, Result,
    SeededEntropy, Timestamp, VectorQuery, VectorStore, async_trait,
};
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;

use super::faults::{Faults, Faulty};
use crate::index::chunk::chunk_id;
use crate::{
    Chunk, Document, DocumentId, Index, IndexOptions, Job, JobState, Manifest, MediaType, MemoryObjects,
    MemoryQueue, MemoryVectorStore, Namespace, ObjectStore as _, ParentChunk, ParsedDocument, Parser,
    Pipeline, Ran, Splitter,
};

/// The first line is the title; a body that begins with `!` cannot be read.
#[derive(Debug)]
pub(super) struct Lines;

#[async_trait]
impl Parser for Lines {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        let text = String::from_utf8_lossy(&document.body).into_owned();
        if text.starts_with('!') {
            return Err(Error::invalid("body", "the document cannot be read"));
        }
        let mut parsed = ParsedDocument::new(text, MediaType::PLAIN);
        parsed.metadata.insert("author".to_owned(), "nobody".into());
        Ok(parsed)
    }

    fn fingerprint(&self) -> String {
        "lines/1".to_owned()
    }
}

/// So many lines are a chunk, with the text as its passage.
#[derive(Debug)]
pub(super) struct ByLines(pub(super) usize);

impl Splitter for ByLines {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut at = 0;
        let lines: Vec<&str> = document.text.split_inclusive('\n').collect();
        for lines in lines.chunks(self.0) {
            let text = lines.concat();
            let end = at + text.len();
            if !text.trim().is_empty() {
                let mut chunk = Chunk::new(chunks.len() as u32, text, at..end);
                chunk.heading = vec!["Lines".to_owned()];
                chunk.parent = Some(ParentChunk::new(
                    0,
                    document.text.as_str(),
                    0..document.text.len(),
                ));
                chunks.push(chunk);
            }
            at = end;
        }
        chunks
    }

    fn fingerprint(&self) -> String {
        format!("by_lines/1:{}", self.0)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct MemoryKeywords(pub(super) Arc<Mutex<BTreeMap<String, KeywordRecord>>>);

#[async_trait]
impl KeywordStore for MemoryKeywords {
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()> {
        let mut kept = self.0.lock().unwrap();
        kept.extend(records.into_iter().map(|record| (record.id.clone(), record)));
        Ok(())
    }

    async fn search(&self, _query: KeywordQuery) -> Result<Vec<KeywordMatch>> {
        Ok(Vec::new())
    }

    async fn delete(&self, ids: &[String]) -> Result<()> {
        let mut kept = self.0.lock().unwrap();
        ids.iter().for_each(|id| {
            kept.remove(id);
        });
        Ok(())
    }

    async fn count(&self) -> Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }
}

/// What a document should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) text: String,
    pub(super) team: String,
}

/// The team of documents that came from the bucket and have no metadata.
pub(super) const BUCKET: &str = "";

pub(super) struct World {
    pub(super) faults: Arc<Faults>,
    pub(super) clock: ManualClock,
    pub(super) database: Sqlite,
    pub(super) vectors: MemoryVectorStore,
    pub(super) keywords: MemoryKeywords,
    pub(super) embedder: ScriptedEmbeddingModel,
    pub(super) originals: MemoryObjects,
    pub(super) bucket: MemoryObjects,
    pub(super) queue: MemoryQueue,
    pub(super) index: Index,
    pub(super) wanted: BTreeMap<DocumentId, Wanted>,
    lines: usize,
    model: String,
}

pub(super) fn id(name: &str) -> DocumentId {
    DocumentId::new(name).unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(ScriptedEmbeddingModel::new(8))
    }

    pub(super) fn with(embedder: ScriptedEmbeddingModel) -> Self {
        let faults = Arc::new(Faults::default());
        let clock = ManualClock::new(Timestamp::from_millis(1_000_000));
        let database = Sqlite::new(&[Manifest::MIGRATION]);
        let mut world = Self {
            index: Index::builder(database.clone())
                .originals(MemoryObjects::default())
                .pipeline(Pipeline::new(Lines, ByLines(1), embedder.clone(), "m"))
                .vectors(MemoryVectorStore::new(Metric::Cosine))
                .queue(MemoryQueue::default())
                .clock(clock.clone())
                .entropy(SeededEntropy::new(1))
                .build()
                .unwrap(),
            faults,
            clock,
            database,
            vectors: MemoryVectorStore::new(Metric::Cosine),
            keywords: MemoryKeywords::default(),
            embedder,
            originals: MemoryObjects::default(),
            bucket: MemoryObjects::default(),
            queue: MemoryQueue::default(),
            wanted: BTreeMap::new(),
            lines: 1,
            model: "m".to_owned(),
        };
        world.deploy(1, "m");
        world
    }

    fn faulty<T>(&self, inner: T) -> Faulty<T> {
        Faulty {
            inner,
            faults: Arc::clone(&self.faults),
        }
    }

    /// The index anew, with another splitter and model.
    pub(super) fn deploy(&mut self, lines: usize, model: &str) {
        self.deploy_with(
            lines,
            model,
            IndexOptions {
                batch_texts: 2,
                batches_per_run: 3,
                ..IndexOptions::default()
            },
        );
    }

    pub(super) fn deploy_with(&mut self, lines: usize, model: &str, options: IndexOptions) {
        self.lines = lines;
        self.model = model.to_owned();
        let pipeline = Pipeline::new(Lines, ByLines(lines), self.faulty(self.embedder.clone()), model);
        self.index = Index::builder(self.faulty(self.database.clone()))
            .originals(self.faulty(self.originals.clone()))
            .bucket("docs", self.faulty(self.bucket.clone()))
            .pipeline(pipeline)
            .vectors(self.faulty(self.vectors.clone()))
            .keywords(self.faulty(self.keywords.clone()))
            .queue(self.faulty(self.queue.clone()))
            .clock(self.clock.clone())
            .entropy(SeededEntropy::new(self.clock.clone().now_millis()))
            .options(options)
            .build()
            .unwrap();
    }

    pub(super) fn namespace(&self) -> Namespace {
        Namespace::of(Some("acme"), Some("docs"))
    }

    /// As a client does that tries again until it is told that its document was accepted.
    pub(super) fn put(&mut self, name: &str, text: &str, team: &str) -> Job {
        let document = Document::new(id(name), MediaType::PLAIN, text.to_owned()).metadata("team", team);
        let wanted = Wanted {
            text: text.to_owned(),
            team: team.to_owned(),
        };
        self.wanted.insert(id(name), wanted);
        self.insist(|index, namespace| {
            let document = document.clone();
            async move { index.put(&namespace, document).await.map(|accepted| accepted.job) }
        })
    }

    pub(super) fn delete(&mut self, name: &str) {
        if self.wanted.remove(&id(name)).is_some() {
            self.insist(|index, namespace| async move {
                match index.delete(&namespace, &id(name)).await {
                    Err(error) if error.kind() == edge_ai_core::ErrorKind::NotFound => Ok(()),
                    deleted => deleted.map(drop),
                }
            });
        }
    }

    pub(super) fn reindex(&mut self) {
        self.insist(|index, namespace| async move {
            let mut cursor = None;
            loop {
                let (_, next) = index.reindex(&namespace, cursor.as_deref(), 2).await?;
                if next.is_none() {
                    return Ok(());
                }
                cursor = next;
            }
        });
    }

    pub(super) fn insist<T, F: Future<Output = Result<T>>>(&self, ask: impl Fn(Index, Namespace) -> F) -> T {
        for _ in 0..5 {
            match block_on(ask(self.index.clone(), self.namespace())) {
                Ok(answer) => return answer,
                Err(_) => {
                    self.faults.restart();
                    self.clock.advance(Duration::from_millis(7));
                }
            }
        }
        panic!("nobody answers");
    }

    /// Works on one message; `None` without one.
    pub(super) fn step(&self) -> Option<Result<Ran>> {
        let message = self.queue.take()?;
        let ran = block_on(self.index.run(&message));
        match ran {
            Ok(Ran::Done) => {}
            Ok(Ran::Again(wait)) => {
                self.clock.advance(wait);
                block_on(edge_ai_core_queue(&self.queue, message));
            }
            Err(_) => {
                self.faults.restart();
                // Queues deliver again, or give up; then a sweep finds it.
            }
        }
        Some(ran)
    }

    /// Until nothing is left to do.
    pub(super) fn finish(&self) {
        for _ in 0..400 {
            if self.step().is_some() {
                continue;
            }
            self.clock.advance(Duration::from_secs(700));
            match block_on(self.index.sweep()) {
                Ok(swept) if swept.sent == 0 => {
                    let open = "SELECT * FROM rag_documents WHERE settled < generation";
                    assert!(
                        self.database.rows(open).is_empty(),
                        "{:?}",
                        self.database.rows(open)
                    );
                    return;
                }
                Ok(_) => {}
                Err(_) => self.faults.restart(),
            }
        }
        panic!("it never ends: {}", self.database.dump("rag_jobs"));
    }

    pub(super) fn vector_ids(&self) -> BTreeSet<String> {
        let query = VectorQuery::new(vec![1.0; 8]).top_k(10_000);
        let found = block_on(self.vectors.query(query)).unwrap();
        found.into_iter().map(|found| found.id).collect()
    }

    pub(super) fn ids_of(&self, document: &DocumentId, text: &str) -> Vec<String> {
        let parsed = ParsedDocument::new(text, MediaType::PLAIN);
        let embedding =
            Pipeline::new(Lines, ByLines(1), self.embedder.clone(), self.model.as_str()).embedding();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let chunks = ByLines(self.lines).split(&parsed);
        let ids = chunks.iter().map(|chunk| {
            let occurrence = seen.entry(chunk.text.clone()).or_default();
            *occurrence += 1;
            chunk_id(&self.namespace(), document, &embedding, chunk, *occurrence - 1)
        });
        ids.collect()
    }

    /// The stores, the manifest and the documents are one.
    pub(super) fn check(&self) {
        self.faults.calm();
        let expected: BTreeMap<String, &Wanted> = self
            .wanted
            .iter()
            .filter(|(_, wanted)| !wanted.text.starts_with('!'))
            .flat_map(|(id, wanted)| {
                self.ids_of(id, &wanted.text)
                    .into_iter()
                    .map(move |id| (id, wanted))
            })
            .collect();
        let expected_ids: BTreeSet<String> = expected.keys().cloned().collect();
        let rows = |sql: &str| -> Vec<String> {
            let rows = self.database.rows(sql);
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let all = rows("SELECT id FROM rag_chunks");
        let live: BTreeSet<String> =
            rows("SELECT c.id FROM rag_chunks c JOIN rag_documents d ON d.namespace = c.namespace AND d.id = c.document AND d.live = c.generation")
                .into_iter()
                .collect();
        assert_eq!(live, expected_ids, "live chunks");
        assert_eq!(all.len(), live.len(), "chunks that are nobody's");
        assert_eq!(self.vector_ids(), expected_ids, "vectors");
        let keywords = self.keywords.0.lock().unwrap().clone();
        assert_eq!(
            keywords.keys().cloned().collect::<BTreeSet<_>>(),
            expected_ids,
            "keywords"
        );
        let ids: Vec<_> = expected_ids.iter().cloned().collect();
        for record in block_on(self.vectors.get(&ids)).unwrap() {
            let team = record.metadata.get("team").and_then(|team| team.as_str());
            assert_eq!(
                team.unwrap_or(BUCKET),
                expected[&record.id].team,
                "a vector's metadata"
            );
            assert_eq!(record.namespace.as_deref(), Some(self.namespace().as_str()));
            assert_eq!(
                keywords[&record.id].metadata, record.metadata,
                "a keyword record's metadata"
            );
        }
        let listed = block_on(self.index.list(&self.namespace(), None, 1_000)).unwrap();
        let bodies = block_on(self.originals.list("", None, 1_000)).unwrap().objects;
        let given = self.wanted.values().filter(|wanted| wanted.team != BUCKET);
        assert_eq!(bodies.len(), given.count(), "bodies: {bodies:?}");
        let listed: BTreeSet<_> = listed.documents.into_iter().map(|document| document.id).collect();
        assert_eq!(listed, self.wanted.keys().cloned().collect(), "documents");
        let unfinished = self
            .database
            .rows("SELECT id FROM rag_jobs WHERE state IN ('queued', 'running', 'indexed')");
        assert!(unfinished.is_empty(), "jobs: {unfinished:?}");
    }

    pub(super) fn embedded_texts(&self) -> usize {
        self.embedder
            .requests()
            .iter()
            .map(|request| request.texts.len())
            .sum()
    }

    pub(super) fn state(&self, job: &Job) -> JobState {
        block_on(self.index.job(&self.namespace(), &job.id))
            .unwrap()
            .state
    }

    pub(super) fn body(text: &str) -> Bytes {
        Bytes::from(text.to_owned())
    }
}

async fn edge_ai_core_queue(queue: &MemoryQueue, message: crate::IndexMessage) {
    crate::IndexQueue::send(queue, vec![message], Duration::ZERO)
        .await
        .unwrap();
}

trait NowMillis {
    fn now_millis(&self) -> u64;
}

impl NowMillis for ManualClock {
    fn now_millis(&self) -> u64 {
        edge_ai_core::Clock::now(self).as_millis()
    }
}
