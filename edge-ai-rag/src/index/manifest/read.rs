use edge_ai_core::{Result, SqlValue, Statement, read_row};

use super::{DocumentRow, Entry, Manifest};
use crate::index::job::{JOB_COLUMNS, JobRow};
use crate::{DocumentId, Namespace};

impl Manifest {
    /// Documents that are not deleted, after `after` in the order of their names.
    pub(in crate::index) async fn list(
        &self,
        namespace: &Namespace,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        self.entries(
            "d.namespace = ?1 AND d.id > ?2 AND j.action <> 'delete' ORDER BY d.id LIMIT ?3",
            [
                namespace.as_str().into(),
                after.unwrap_or_default().into(),
                (limit as u64).into(),
            ],
        )
        .await
    }

    /// Documents of an earlier pipeline that are at rest, after `after`.
    pub(in crate::index) async fn outdated(
        &self,
        namespace: &Namespace,
        fingerprint: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        self.entries(
            "d.namespace = ?1 AND d.id > ?2 AND j.action <> 'delete' AND d.settled = d.generation AND d.fingerprint IS NOT ?4 ORDER BY d.id LIMIT ?3",
            [
                namespace.as_str().into(),
                after.unwrap_or_default().into(),
                (limit as u64).into(),
                fingerprint.into(),
            ],
        )
        .await
    }

    /// Those of some documents that the index knows, deleted ones among them.
    pub(in crate::index) async fn known(
        &self,
        namespace: &Namespace,
        documents: &[DocumentId],
    ) -> Result<Vec<Entry>> {
        self.entries(
            "d.namespace = ?1 AND d.id IN (SELECT value FROM json_each(?2))",
            [namespace.as_str().into(), super::list(documents)],
        )
        .await
    }

    /// Documents that came from a bucket, with names after `after` up to `until`, in order.
    pub(in crate::index) async fn of_bucket(
        &self,
        namespace: &Namespace,
        bucket: &str,
        (after, until): (Option<&str>, Option<&str>),
        limit: usize,
    ) -> Result<Vec<Entry>> {
        self.entries(
            "d.namespace = ?1 AND d.id > ?2 AND (?3 IS NULL OR d.id <= ?3) AND j.bucket = ?4 AND j.action <> 'delete' ORDER BY d.id LIMIT ?5",
            [
                namespace.as_str().into(),
                after.unwrap_or_default().into(),
                until.map(str::to_owned).into(),
                bucket.into(),
                (limit as u64).into(),
            ],
        )
        .await
    }

    async fn entries(&self, condition: &str, values: impl Into<Vec<SqlValue>>) -> Result<Vec<Entry>> {
        let values = values.into();
        let joined = "FROM rag_documents d JOIN rag_jobs j ON j.namespace = d.namespace AND j.document = d.id AND j.generation = d.generation WHERE";
        let documents = Statement::new(format!("SELECT d.* {joined} {condition}"), values.clone());
        let jobs = Statement::new(format!("SELECT {JOB_COLUMNS} {joined} {condition}"), values);
        // Two reads of one transaction, in the same order.
        let mut rows = self.database.batch(vec![documents, jobs]).await?;
        let jobs = rows.pop().unwrap_or_default();
        let documents = rows.pop().unwrap_or_default();
        let mut jobs: std::collections::HashMap<DocumentId, JobRow> = jobs
            .into_iter()
            .map(|row| read_row::<JobRow>(row).map(|job| (job.document.clone(), job)))
            .collect::<Result<_>>()?;
        let entries = documents.into_iter().map(|row| {
            let document: DocumentRow = read_row(row)?;
            Ok(jobs.remove(&document.id).map(|job| Entry { document, job }))
        });
        entries.filter_map(Result::transpose).collect()
    }

    /// A job by its name.
    pub(in crate::index) async fn job(&self, namespace: &Namespace, id: &str) -> Result<Option<JobRow>> {
        let statement = Statement::new(
            format!("SELECT {JOB_COLUMNS} FROM rag_jobs j WHERE j.id = ?1 AND j.namespace = ?2"),
            [id.into(), namespace.as_str().into()],
        );
        self.database
            .query(statement)
            .await?
            .pop()
            .map(read_row)
            .transpose()
    }
}
