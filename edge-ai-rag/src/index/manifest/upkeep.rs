use edge_ai_core::{Result, Statement, Timestamp, read_row};
use serde::Deserialize;

use super::{Manifest, bump};
use crate::index::IndexMessage;
use crate::index::job::{JOB_COLUMNS, JobRow};
use crate::{DocumentId, Namespace};

impl Manifest {
    /// Documents with something to do that nobody has touched since `since`, and marks them as touched.
    pub(in crate::index) async fn forsaken(
        &self,
        since: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<IndexMessage>> {
        #[derive(Deserialize)]
        struct Found {
            namespace: Namespace,
            id: DocumentId,
        }
        let statement = Statement::new(
            "UPDATE rag_documents SET touched = ?2 WHERE (namespace, id) IN (SELECT namespace, id FROM rag_documents \
             WHERE settled < generation AND touched <= ?1 AND lease_until <= ?2 AND retry_at <= ?2 ORDER BY touched LIMIT ?3) RETURNING namespace, id",
            [
                since.as_millis().into(),
                now.as_millis().into(),
                (limit as u64).into(),
            ],
        );
        let rows = self.database.query(statement).await?.into_iter();
        rows.map(|row| read_row(row).map(|Found { namespace, id }| IndexMessage::new(namespace, id)))
            .collect()
    }

    /// Jobs whose writes may not be visible yet, those first that have waited longest.
    pub(in crate::index) async fn indexed(&self, limit: usize) -> Result<Vec<(Namespace, JobRow)>> {
        #[derive(Deserialize)]
        struct Of {
            namespace: Namespace,
        }
        let statement = Statement::new(
            format!(
                "SELECT j.namespace, {JOB_COLUMNS} FROM rag_jobs j WHERE j.state = 'indexed' ORDER BY j.updated LIMIT ?1"
            ),
            [(limit as u64).into()],
        );
        let rows = self.database.query(statement).await?.into_iter();
        rows.map(|row| Ok((read_row::<Of>(row.clone())?.namespace, read_row(row)?)))
            .collect()
    }

    /// Notes what became of a job that was waiting to be visible.
    pub(in crate::index) async fn seen(
        &self,
        namespace: &Namespace,
        job: &str,
        state: &str,
        now: Timestamp,
    ) -> Result<()> {
        let statement = Statement::new(
            "UPDATE rag_jobs SET state = ?2, updated = ?3 WHERE id = ?1 AND state = 'indexed'",
            [job.into(), state.into(), now.as_millis().into()],
        );
        self.database
            .batch(vec![statement, bump(namespace)])
            .await
            .map(drop)
    }

    /// Forgets jobs that are over and documents that are gone since before `before`.
    pub(in crate::index) async fn expire(&self, before: Timestamp, limit: usize) -> Result<()> {
        let values = || [before.as_millis().into(), (limit as u64).into()];
        let jobs = Statement::new(
            "DELETE FROM rag_jobs WHERE id IN (SELECT j.id FROM rag_jobs j JOIN rag_documents d ON d.namespace = j.namespace AND d.id = j.document \
             WHERE j.state IN ('searchable', 'superseded', 'failed') AND j.updated < ?1 \
             AND (j.generation < d.generation OR (j.action = 'delete' AND d.settled = d.generation)) LIMIT ?2)",
            values(),
        );
        let documents = Statement::new(
            "DELETE FROM rag_documents WHERE (namespace, id) IN (SELECT d.namespace, d.id FROM rag_documents d WHERE d.live IS NULL AND d.settled = d.generation \
             AND d.touched < ?1 AND NOT EXISTS (SELECT 1 FROM rag_jobs j WHERE j.namespace = d.namespace AND j.document = d.id) LIMIT ?2)",
            values(),
        );
        self.database.batch(vec![jobs, documents]).await.map(drop)
    }
}
