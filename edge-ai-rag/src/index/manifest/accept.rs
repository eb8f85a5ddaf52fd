use edge_ai_core::{Result, Statement, Timestamp, read_row};

use super::{Entry, Manifest, bump, entry};
use crate::digest::Digest;
use crate::index::job::{JOB_COLUMNS, JobAction, JobRow};
use crate::{DocumentId, Namespace};

/// A change of a document that was asked for: what its job's row begins with.
#[derive(Clone, Debug)]
pub(in crate::index) struct Change {
    pub(in crate::index) document: DocumentId,
    pub(in crate::index) generation: u64,
    pub(in crate::index) action: JobAction,
    pub(in crate::index) bucket: Option<String>,
    pub(in crate::index) body: Option<String>,
    pub(in crate::index) hash: Option<String>,
    pub(in crate::index) given: Option<String>,
    pub(in crate::index) etag: Option<String>,
    pub(in crate::index) media_type: Option<String>,
    pub(in crate::index) source: Option<String>,
    pub(in crate::index) metadata: String,
    pub(in crate::index) bytes: u64,
}

impl Change {
    /// A deletion.
    pub(in crate::index) fn delete(document: DocumentId, generation: u64) -> Self {
        Self {
            document,
            generation,
            action: JobAction::Delete,
            bucket: None,
            body: None,
            hash: None,
            given: None,
            etag: None,
            media_type: None,
            source: None,
            metadata: "{}".to_owned(),
            bytes: 0,
        }
    }

    /// What a job was given, once more.
    pub(in crate::index) fn again(job: &JobRow, generation: u64) -> Self {
        Self {
            document: job.document.clone(),
            generation,
            action: job.action,
            bucket: job.bucket.clone(),
            body: job.body.clone(),
            hash: job.hash.clone(),
            given: job.given.clone(),
            etag: job.etag.clone(),
            media_type: job.media_type.clone(),
            source: job.source.clone(),
            metadata: job.metadata.clone(),
            bytes: job.bytes,
        }
    }
}

/// The number of a document's next change: the time, so that it also rises over a document that was forgotten in between.
pub(in crate::index) fn next_generation(entry: Option<&Entry>, now: Timestamp) -> u64 {
    let after = entry.map_or(0, |entry| entry.document.generation + 1);
    now.as_millis().max(after)
}

impl Manifest {
    /// A document and what was last asked for it.
    pub(in crate::index) async fn entry(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
    ) -> Result<Option<Entry>> {
        let mut rows = self.database.batch(entry(namespace, document).into()).await?;
        let mut jobs = rows.pop();
        Entry::read(rows.pop().as_mut(), jobs.as_mut())
    }

    /// Takes changes up, each with its job, in one transaction. Gives the jobs in order; `None` for one whose generation somebody else has taken.
    pub(in crate::index) async fn accept(
        &self,
        namespace: &Namespace,
        changes: &[Change],
        now: Timestamp,
    ) -> Result<Vec<Option<JobRow>>> {
        const STATEMENTS: usize = 5;
        let statements = changes.iter().flat_map(|change| accept(namespace, change, now));
        let rows = self.database.batch(statements.collect()).await?;
        let jobs = rows.into_iter().skip(STATEMENTS - 1).step_by(STATEMENTS);
        jobs.map(|mut rows| rows.pop().map(read_row).transpose())
            .collect()
    }
}

fn accept(namespace: &Namespace, change: &Change, now: Timestamp) -> [Statement; 5] {
    let now = now.as_millis();
    let of = [
        namespace.as_str().into(),
        change.document.as_str().into(),
        change.generation.into(),
    ];
    let with = |more: Vec<edge_ai_core::SqlValue>| of.iter().cloned().chain(more).collect::<Vec<_>>();
    let id = job_id(namespace, &change.document, change.generation, &change.body);
    let deletes = change.action == JobAction::Delete;
    [
        if deletes {
            // A document that is to go is not found any more from here on.
            Statement::new(
                "UPDATE rag_documents SET generation = ?3, touched = ?4, retry_at = 0, live = NULL WHERE namespace = ?1 AND id = ?2 AND generation < ?3",
                with(vec![now.into()]),
            )
        } else {
            Statement::new(
                "INSERT INTO rag_documents (namespace, id, generation, created, touched) VALUES (?1, ?2, ?3, ?4, ?4) \
                 ON CONFLICT (namespace, id) DO UPDATE SET generation = excluded.generation, touched = excluded.touched, retry_at = 0 \
                 WHERE generation < excluded.generation",
                with(vec![now.into()]),
            )
        },
        Statement::new(
            "UPDATE rag_jobs SET state = 'superseded', updated = ?4 \
             WHERE namespace = ?1 AND document = ?2 AND generation < ?3 AND state IN ('queued', 'running')",
            with(vec![now.into()]),
        ),
        Statement::new(
            "INSERT OR IGNORE INTO rag_jobs (namespace, document, generation, id, action, state, created, updated, bucket, body, hash, given, etag, media_type, \
             source, metadata, bytes) SELECT ?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 \
             FROM rag_documents WHERE namespace = ?1 AND id = ?2 AND generation = ?3",
            with(vec![
                id.clone().into(),
                if deletes { "delete" } else { "put" }.into(),
                now.into(),
                change.bucket.clone().into(),
                change.body.clone().into(),
                change.hash.clone().into(),
                change.given.clone().into(),
                change.etag.clone().into(),
                change.media_type.clone().into(),
                change.source.clone().into(),
                change.metadata.clone().into(),
                change.bytes.into(),
            ]),
        ),
        if deletes {
            bump(namespace)
        } else {
            Statement::new("SELECT 1", [])
        },
        Statement::new(
            format!("SELECT {JOB_COLUMNS} FROM rag_jobs j WHERE j.id = ?1"),
            [id.into()],
        ),
    ]
}

fn job_id(namespace: &Namespace, document: &DocumentId, generation: u64, body: &Option<String>) -> String {
    let digest = Digest::new("job")
        .part(namespace.as_str())
        .part(document.as_str())
        .part(generation.to_le_bytes())
        .optional(body.as_deref())
        .into_base64();
    format!("job_{digest}")
}
