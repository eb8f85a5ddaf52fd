use edge_ai_core::{JsonObject, Result, Timestamp};
use serde::Serialize;

use super::Job;
use super::job::rfc3339;
use super::manifest::{DocumentRow, Entry};
use crate::{DocumentId, MediaType};

/// A document as the index knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct IndexedDocument {
    /// Its name.
    pub id: DocumentId,
    /// What searches see of it; `None` for one that was never taken up so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveDocument>,
    /// What was last asked for it, and how far that is.
    pub job: Job,
    /// When it was first given.
    #[serde(serialize_with = "rfc3339")]
    pub created: Timestamp,
}

/// What searches see of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LiveDocument {
    /// What it is.
    pub media_type: MediaType,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it was given with, over what it says about itself.
    pub metadata: JsonObject,
    /// The bytes of the original.
    pub bytes: u64,
    /// The bytes of its text.
    pub text_bytes: u64,
    /// How many chunks it has.
    pub chunks: u64,
    /// The pipeline that made them.
    pub fingerprint: String,
    /// When its content was last taken up.
    #[serde(serialize_with = "rfc3339")]
    pub updated: Timestamp,
}

impl IndexedDocument {
    pub(super) fn of(entry: Entry) -> Result<Self> {
        let Entry { document, job } = entry;
        Ok(Self {
            id: document.id.clone(),
            created: Timestamp::from_millis(document.created),
            live: document.live.map(|_| LiveDocument::of(document)),
            job: job.job()?,
        })
    }
}

impl LiveDocument {
    fn of(row: DocumentRow) -> Self {
        Self {
            media_type: row
                .media_type
                .as_deref()
                .map_or(MediaType::UNKNOWN, MediaType::parse),
            title: row.title,
            source: row.source,
            metadata: serde_json::from_str(&row.metadata).unwrap_or_default(),
            bytes: row.bytes,
            text_bytes: row.text_bytes,
            chunks: row.chunks,
            fingerprint: row.fingerprint.unwrap_or_default(),
            updated: Timestamp::from_millis(row.updated.unwrap_or_default()),
        }
    }
}

/// A part of the list of documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DocumentPage {
    /// In the order of their names.
    pub documents: Vec<IndexedDocument>,
    /// Where the next part begins; `None` for the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
