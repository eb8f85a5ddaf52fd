use edge_ai_core::{JsonObject, Result};

use super::job::JobRow;
use super::run::DOCUMENT_FIELD;
use super::{Index, Job, JobAction, JobState, not_found};
use crate::Namespace;

impl Index {
    /// A job by its id. One whose writes have become visible since is [`Searchable`](JobState::Searchable) from here on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](edge_ai_core::ErrorKind::NotFound) when there is none in this namespace, or it is forgotten; errors of the database and of the vector
    /// store.
    pub async fn job(&self, namespace: &Namespace, id: &str) -> Result<Job> {
        let row = self
            .manifest
            .job(namespace, id)
            .await?
            .ok_or_else(|| not_found("job", id))?;
        if !row.is(&JobState::Indexed) || !self.look(namespace, &row).await? {
            return row.job();
        }
        let row = self
            .manifest
            .job(namespace, id)
            .await?
            .ok_or_else(|| not_found("job", id))?;
        row.job()
    }

    /// Whether a job's writes are visible, or of no interest any more; then it is noted.
    pub(super) async fn look(&self, namespace: &Namespace, row: &JobRow) -> Result<bool> {
        let state = match self.fate(namespace, row).await? {
            None => return Ok(false),
            Some(state) => state,
        };
        let now = self.parts.clock.now();
        self.manifest
            .seen(namespace, &row.id, state.as_str(), now)
            .await?;
        Ok(true)
    }

    async fn fate(&self, namespace: &Namespace, row: &JobRow) -> Result<Option<JobState>> {
        let entry = self.manifest.entry(namespace, &row.document).await?;
        if entry.is_none_or(|entry| entry.document.settled > row.generation) {
            return Ok(Some(JobState::Superseded));
        }
        let info = self.parts.vectors.info().await?;
        if row.mutation.is_none() || info.processed_mutation == row.mutation {
            return Ok(Some(JobState::Searchable));
        }
        // Behind another writer's mutation, one's own cannot be told from those before it: then records tell.
        let probe: Vec<String> = row
            .probe
            .as_deref()
            .and_then(|probe| serde_json::from_str(probe).ok())
            .unwrap_or_default();
        if probe.is_empty() {
            return Ok(Some(JobState::Searchable));
        }
        let records = self.parts.vectors.get(&probe).await?;
        let visible = match row.action {
            JobAction::Delete => records.is_empty(),
            JobAction::Put => {
                let metadata: JsonObject = serde_json::from_str(&row.metadata).unwrap_or_default();
                let mut expected = self.filterable(&metadata);
                expected.insert(DOCUMENT_FIELD.to_owned(), row.document.as_str().into());
                records.len() == probe.len() && records.iter().all(|record| record.metadata == expected)
            }
        };
        Ok(visible.then_some(JobState::Searchable))
    }
}
