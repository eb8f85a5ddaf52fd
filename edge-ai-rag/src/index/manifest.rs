//! What the index knows of its documents, in SQL.

mod accept;
mod fence;
mod ledger;
mod read;
mod source;
mod upkeep;

use std::sync::Arc;

use edge_ai_core::{Database, Result, Row, SqlValue, Statement, read_row};
use serde::Deserialize;

use super::job::{JOB_COLUMNS, JobRow};
use crate::{DocumentId, Namespace};

pub(super) use accept::{Change, next_generation};
pub(super) use fence::{Fence, Stop, Taken};
pub(super) use ledger::{Content, Plan, PlannedChunk, Progress, Unwritten, VALUE_BYTES};

/// The manifest of an index: its documents, their chunks and jobs, in a [`Database`]. It is what retrieval reads chunks from, as a
/// [`ChunkSource`](crate::ChunkSource); an [`Index`](crate::Index) writes it. Clones are the same manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    database: Arc<dyn Database>,
}

impl Manifest {
    /// The SQL that makes the tables, for `migrations/` of a Worker.
    pub const MIGRATION: &str = include_str!("schema.sql");

    /// The manifest in a database.
    pub fn new(database: impl Database) -> Self {
        Self {
            database: Arc::new(database),
        }
    }
}

/// A document as its row has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DocumentRow {
    pub(super) id: DocumentId,
    pub(super) generation: u64,
    pub(super) settled: u64,
    pub(super) live: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) hash: Option<String>,
    pub(super) given: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) title: Option<String>,
    pub(super) source: Option<String>,
    pub(super) metadata: String,
    pub(super) bytes: u64,
    pub(super) text_bytes: u64,
    pub(super) chunks: u64,
    pub(super) created: u64,
    pub(super) updated: Option<u64>,
    pub(super) retry_at: u64,
    pub(super) lease: Option<String>,
    pub(super) lease_until: u64,
}

/// A document and what was last asked for it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) document: DocumentRow,
    pub(super) job: JobRow,
}

impl Entry {
    fn read(documents: Option<&mut Vec<Row>>, jobs: Option<&mut Vec<Row>>) -> Result<Option<Self>> {
        let (Some(document), Some(job)) = (documents.and_then(Vec::pop), jobs.and_then(Vec::pop)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            document: read_row(document)?,
            job: read_row(job)?,
        }))
    }
}

/// The two statements that an [`Entry`] is read by.
fn entry(namespace: &Namespace, document: &DocumentId) -> [Statement; 2] {
    let of = [namespace.as_str().into(), document.as_str().into()];
    [
        Statement::new(
            "SELECT * FROM rag_documents WHERE namespace = ?1 AND id = ?2",
            of.clone(),
        ),
        Statement::new(
            format!(
                "SELECT {JOB_COLUMNS} FROM rag_documents d JOIN rag_jobs j ON j.namespace = d.namespace AND j.document = d.id \
                 AND j.generation = d.generation WHERE d.namespace = ?1 AND d.id = ?2"
            ),
            of,
        ),
    ]
}

/// That searches may see something else from now on.
fn bump(namespace: &Namespace) -> Statement {
    Statement::new(
        "INSERT INTO rag_namespaces (namespace, version) VALUES (?1, 1) ON CONFLICT (namespace) DO UPDATE SET version = version + 1",
        [namespace.as_str().into()],
    )
}

/// Texts as one value, for `json_each`.
fn list<T: AsRef<str>>(texts: &[T]) -> SqlValue {
    let texts: Vec<_> = texts.iter().map(|text| text.as_ref().into()).collect();
    serde_json::Value::Array(texts).to_string().into()
}
