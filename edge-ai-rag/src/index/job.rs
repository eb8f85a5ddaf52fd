use edge_ai_core::{Error, ErrorKind, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::DocumentId;

/// What became of a request to the index: one for each accepted change of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Job {
    /// Its name.
    pub id: String,
    /// The document that it is about.
    pub document: DocumentId,
    /// What is to be done.
    pub action: JobAction,
    /// How far it is.
    #[serde(flatten)]
    pub state: JobState,
    /// How many chunks were embedded for it.
    pub embedded: u64,
    /// How many attempts have failed since the last progress.
    pub attempts: u32,
    /// What the last failed attempt, or the job, failed of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// What was lost or left out on the way from the document's bytes to its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// When it was accepted.
    #[serde(serialize_with = "rfc3339")]
    pub created: Timestamp,
    /// When it was last worked on.
    #[serde(serialize_with = "rfc3339")]
    pub updated: Timestamp,
}

/// What a job is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobAction {
    /// Take up the document as it was given.
    Put,
    /// Remove the document and all that came of it.
    Delete,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// It waits for a consumer, the first or the next one.
    Queued,
    /// A consumer works on it.
    Running {
        /// At what.
        step: JobStep,
        /// How many chunks of `total` are written.
        done: u64,
        /// How many chunks the document has; 0 until they are known.
        total: u64,
    },
    /// Everything is written; the vector store may not show it yet.
    Indexed,
    /// Searches see it.
    Searchable,
    /// It was given up; [`Job::error`] says why. The document stays as it was before.
    Failed,
    /// The document was changed or deleted again before the job was done.
    Superseded,
}

impl JobState {
    /// Whether nothing more happens by itself.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Searchable | Self::Failed | Self::Superseded)
    }

    /// The name, as in JSON and in the database.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Indexed => "indexed",
            Self::Searchable => "searchable",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

/// What a consumer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStep {
    /// Reads, parses and splits the document.
    Split,
    /// Embeds chunks and writes them to the stores.
    Embed,
    /// Removes from the stores what is not of the document any more.
    Clean,
}

impl JobStep {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Embed => "embed",
            Self::Clean => "clean",
        }
    }
}

/// Why an attempt or a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
    /// The service's own code, such as `3040` of Workers AI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<&Error> for JobError {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.to_string(),
            code: error.code().map(str::to_owned),
        }
    }
}

/// A job as its row has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct JobRow {
    pub(super) id: String,
    pub(super) document: DocumentId,
    pub(super) generation: u64,
    pub(super) action: JobAction,
    pub(super) state: String,
    pub(super) step: Option<JobStep>,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) embedded: u64,
    pub(super) attempts: u32,
    pub(super) error: Option<String>,
    pub(super) warnings: String,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) planned: u64,
    pub(super) bucket: Option<String>,
    pub(super) body: Option<String>,
    pub(super) hash: Option<String>,
    pub(super) given: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) record: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) title: Option<String>,
    pub(super) source: Option<String>,
    pub(super) metadata: String,
    pub(super) bytes: u64,
    pub(super) mutation: Option<String>,
    pub(super) probe: Option<String>,
}

/// The columns of a [`JobRow`].
pub(super) const JOB_COLUMNS: &str = "j.id, j.document, j.generation, j.action, j.state, j.step, j.done, j.total, j.embedded, j.attempts, j.error, j.warnings, \
    j.created, j.updated, j.planned, j.bucket, j.body, j.hash, j.given, j.etag, j.fingerprint, j.record, j.media_type, j.title, j.source, j.metadata, j.bytes, \
    j.mutation, j.probe";

impl JobRow {
    pub(super) fn is(&self, state: &JobState) -> bool {
        self.state == state.as_str()
    }

    pub(super) fn job(&self) -> Result<Job> {
        let state = match self.state.as_str() {
            "queued" => JobState::Queued,
            "running" => JobState::Running {
                step: self.step.unwrap_or(JobStep::Split),
                done: self.done,
                total: self.total,
            },
            "indexed" => JobState::Indexed,
            "searchable" => JobState::Searchable,
            "failed" => JobState::Failed,
            "superseded" => JobState::Superseded,
            other => {
                let message = format!("a job's row has the unknown state `{other}`");
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        Ok(Job {
            id: self.id.clone(),
            document: self.document.clone(),
            action: self.action,
            state,
            embedded: self.embedded,
            attempts: self.attempts,
            error: self
                .error
                .as_deref()
                .and_then(|error| serde_json::from_str(error).ok()),
            warnings: serde_json::from_str(&self.warnings).unwrap_or_default(),
            created: Timestamp::from_millis(self.created),
            updated: Timestamp::from_millis(self.updated),
        })
    }
}

pub(super) fn rfc3339<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_shown_with_its_state_beside_the_rest() {
        let job = Job {
            id: "job_1".to_owned(),
            document: DocumentId::new("a.md").unwrap(),
            action: JobAction::Put,
            state: JobState::Running {
                step: JobStep::Embed,
                done: 3,
                total: 9,
            },
            embedded: 2,
            attempts: 0,
            error: None,
            warnings: Vec::new(),
            created: Timestamp::from_millis(1_709_210_096_000),
            updated: Timestamp::from_millis(1_709_210_096_000),
        };
        assert_eq!(
            serde_json::to_value(&job).unwrap(),
            serde_json::json!({
                "id": "job_1", "document": "a.md", "action": "put", "state": "running", "step": "embed", "done": 3, "total": 9,
                "embedded": 2, "attempts": 0, "created": "2024-02-29T12:34:56Z", "updated": "2024-02-29T12:34:56Z",
            })
        );
    }
}
