use edge_ai_core::{Bytes, Database, Error, Metric, Result, Statement, async_trait};
use edge_ai_rag::{
    Chunk, ChunkSource, Document, DocumentId, Index, JobState, Manifest, MediaType, MemoryQueue,
    MemoryVectorStore, Namespace, ObjectStore, ParentChunk, ParsedDocument, Parser, Pipeline, R2Objects, Ran,
    Splitter,
};
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use edge_ai_testkit::{Case, Check, Must, Stop, Subject};
use edge_ai_worker::{D1, WorkerClock, WorkerEntropy};
use worker::Env;

use super::run_id;
use crate::suite::Suite;

/// An index in D1 and R2, whose vectors are in memory.
struct InD1 {
    index: Index,
    vectors: MemoryVectorStore,
    embedder: ScriptedEmbeddingModel,
    queue: MemoryQueue,
    bucket: R2Objects,
    database: D1,
    run: String,
}

impl Subject for InD1 {
    fn enter(&mut self, case: &'static str) {
        self.run.push_str(case);
    }
}

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    let cases = vec![
        Case::new("documents_are_taken_up_changed_and_removed", |subject| {
            Box::pin(taken_up_changed_and_removed(subject))
        }),
        Case::new("a_bucket_is_followed", |subject| {
            Box::pin(bucket_is_followed(subject))
        }),
    ];
    suite.add("index/d1_and_r2", cases, move || {
        let vectors = MemoryVectorStore::new(Metric::Cosine);
        let embedder = ScriptedEmbeddingModel::new(8);
        let queue = MemoryQueue::default();
        let pipeline = Pipeline::new(Text, Lines, embedder.clone(), "m");
        let index = Index::builder(D1::from_env(env, "DB")?)
            .originals(R2Objects::from_env(env, "BUCKET")?)
            .bucket("contract", R2Objects::from_env(env, "BUCKET")?)
            .pipeline(pipeline)
            .vectors(vectors.clone())
            .queue(queue.clone())
            .clock(WorkerClock)
            .entropy(WorkerEntropy)
            .build()?;
        Ok(InD1 {
            index,
            vectors,
            embedder,
            queue,
            bucket: R2Objects::from_env(env, "BUCKET")?,
            database: D1::from_env(env, "DB")?,
            run: run_id(),
        })
    });
}

impl InD1 {
    async fn prepare(&self) -> Result<Namespace> {
        let made = |sql: &str| {
            sql.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ")
                .replace("CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ")
                .replace("CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX IF NOT EXISTS ")
        };
        let sql: String = Manifest::MIGRATION
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect::<Vec<_>>()
            .join(" ");
        let statements = sql.split(';').map(str::trim).filter(|sql| !sql.is_empty());
        let statements = statements.map(|sql| Statement::new(made(sql), [])).collect();
        self.database.batch(statements).await?;
        Ok(Namespace::of(Some(&self.run), None))
    }

    /// Works until nothing is left to do.
    async fn finish(&self) -> Result<()> {
        while let Some(message) = self.queue.take() {
            while self.index.run(&message).await? != Ran::Done {}
        }
        Ok(())
    }

    async fn chunks(&self, namespace: &Namespace, document: &DocumentId) -> Result<Vec<String>> {
        let chunks = self.index.manifest().range(namespace, document, 0..100).await?;
        Ok(chunks
            .into_iter()
            .map(|chunk| format!("{}:{}", chunk.ordinal, chunk.text.trim()))
            .collect())
    }

    fn embedded(&self) -> usize {
        self.embedder
            .requests()
            .iter()
            .map(|request| request.texts.len())
            .sum()
    }
}

async fn taken_up_changed_and_removed(subject: InD1) -> Check {
    let namespace = subject.prepare().await.must("the tables can be made")?;
    let id = DocumentId::new("a.txt").must("it is an id")?;
    let put = async |text: &'static str| {
        let document = Document::new(id.clone(), MediaType::PLAIN, text).metadata("team", "x");
        let accepted = subject.index.put(&namespace, document).await?;
        subject.finish().await?;
        let job = subject.index.job(&namespace, &accepted.job.id).await?;
        Ok::<_, Error>((job.state, accepted.changed))
    };
    let first = put("one\ntwo\nthree\n").await.must("a document is taken up")?;
    equal(first, (JobState::Searchable, true), "it is searchable")?;
    let again = put("one\ntwo\nthree\n").await.must("it comes again")?;
    equal(
        again,
        (JobState::Searchable, false),
        "the same document changes nothing",
    )?;
    put("three\nfour\none\n").await.must("it changes")?;
    let chunks = subject.chunks(&namespace, &id).await.must("chunks are read")?;
    equal(
        chunks.join(" "),
        "0:three 1:four 2:one".to_owned(),
        "the new chunks are live",
    )?;
    equal(subject.embedded(), 4, "only a new text is embedded")?;
    let count = edge_ai_core::VectorStore::info(&subject.vectors)
        .await
        .must("the store counts")?
        .count;
    equal(count, 3, "what was stale is removed")?;
    let listed = subject
        .index
        .list(&namespace, None, 10)
        .await
        .must("documents are listed")?;
    let chunks: Vec<_> = listed
        .documents
        .iter()
        .map(|document| document.live.as_ref().map(|live| live.chunks))
        .collect();
    equal(chunks, vec![Some(3)], "a document tells its chunks")?;
    subject
        .index
        .delete(&namespace, &id)
        .await
        .must("it is deleted")?;
    let chunks = subject.chunks(&namespace, &id).await.must("chunks are read")?;
    equal(chunks.len(), 0, "nothing is found of a deleted document")?;
    subject.finish().await.must("the deletion is worked on")?;
    let count = edge_ai_core::VectorStore::info(&subject.vectors)
        .await
        .must("the store counts")?
        .count;
    equal(count, 0, "its vectors are gone")?;
    let bodies = subject
        .bucket
        .list(&format!("originals/{namespace}/"), None, 10)
        .await
        .must("bodies are listed")?;
    equal(bodies.objects.len(), 0, "its bytes are gone")?;
    subject.index.sweep().await.must("a sweep goes through").map(drop)
}

async fn bucket_is_followed(subject: InD1) -> Check {
    let namespace = subject.prepare().await.must("the tables can be made")?;
    let prefix = format!("{}/", subject.run);
    let key = |name: &str| format!("{prefix}{name}");
    for (name, text) in [("a.txt", "one\n"), ("b.txt", "two\n"), ("c.txt", "three\n")] {
        let body = Bytes::from_static(text.as_bytes());
        subject
            .bucket
            .put(&key(name), "text/plain", body)
            .await
            .must("an object is put")?;
    }
    let sync = async || {
        let mut counts = [0; 4];
        let mut cursor = None;
        loop {
            let part = subject
                .index
                .sync(&namespace, "contract", &prefix, cursor.as_deref(), 2)
                .await?;
            let found = [part.added, part.changed, part.unchanged, part.deleted];
            counts
                .iter_mut()
                .zip(found)
                .for_each(|(sum, found)| *sum += found);
            cursor = part.cursor;
            if cursor.is_none() {
                subject.finish().await?;
                return Ok::<_, Error>(counts);
            }
        }
    };
    equal(
        sync().await.must("the bucket is gone through")?,
        [3, 0, 0, 0],
        "all is new",
    )?;
    equal(
        sync().await.must("the bucket is gone through")?,
        [0, 0, 3, 0],
        "nothing is new",
    )?;
    subject
        .bucket
        .delete(&[key("b.txt")])
        .await
        .must("an object is deleted")?;
    let body = Bytes::from_static(b"four\n");
    subject
        .bucket
        .put(&key("c.txt"), "text/plain", body)
        .await
        .must("an object is put")?;
    equal(
        sync().await.must("the bucket is gone through")?,
        [0, 1, 1, 1],
        "one has changed, one is gone",
    )?;
    let count = edge_ai_core::VectorStore::info(&subject.vectors)
        .await
        .must("the store counts")?
        .count;
    equal(count, 2, "the vectors follow")
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, expected: T, sentence: &str) -> Check {
    if found == expected {
        return Ok(());
    }
    Err(Stop::failed(format!("{sentence}: {found:?} is not {expected:?}")))
}

#[derive(Debug)]
struct Text;

#[async_trait]
impl Parser for Text {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        Ok(ParsedDocument::new(
            String::from_utf8_lossy(&document.body),
            MediaType::PLAIN,
        ))
    }

    fn fingerprint(&self) -> String {
        "text/1".to_owned()
    }
}

/// A line is a chunk, and the text its passage.
#[derive(Debug)]
struct Lines;

impl Splitter for Lines {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let mut at = 0;
        let lines = (0..).zip(document.text.split_inclusive('\n'));
        let chunks = lines.map(|(ordinal, line)| {
            let mut chunk = Chunk::new(ordinal, line, at..at + line.len());
            at += line.len();
            chunk.parent = Some(ParentChunk::new(
                0,
                document.text.as_str(),
                0..document.text.len(),
            ));
            chunk
        });
        chunks.collect()
    }

    fn fingerprint(&self) -> String {
        "lines/1".to_owned()
    }
}
