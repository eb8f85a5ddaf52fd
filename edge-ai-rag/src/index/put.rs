use std::time::Duration;

use edge_ai_core::{Bytes, Error, ErrorKind, JsonObject, Result};
use serde_json::Value;

use super::manifest::{Change, Entry, next_generation};
use super::{Index, IndexMessage, Job, JobAction, JobState, not_found};
use crate::digest::Digest;
use crate::{Document, DocumentId, Namespace};

/// What came of a request to change a document.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Accepted {
    /// The job that does it, or has done it before.
    pub job: Job,
    /// Whether there was anything to do: not for a document that is the same as before.
    pub changed: bool,
}

/// How often a document's next number is tried for while others take it.
const TRIES: usize = 5;

impl Index {
    /// Takes a document up, or its new content: keeps its bytes, and has the rest done by a job. The same document again changes nothing and calls no model and no store.
    ///
    /// Once this returns, the document is not lost: if word of it is, [`sweep`](Self::sweep) sends another.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] and [`ErrorKind::InvalidRequest`] for a body or metadata that the index does not take; errors of the database and of the
    /// originals' store, and then nothing is promised.
    pub async fn put(&self, namespace: &Namespace, document: Document) -> Result<Accepted> {
        self.check(&document)?;
        let hash = content_hash(
            document.content_type.essence(),
            document.content_type.charset(),
            &document.body,
        );
        let metadata = Value::Object(document.metadata.clone()).to_string();
        let given = given_hash(document.source.as_deref(), &metadata);
        for _ in 0..TRIES {
            let entry = self.manifest.entry(namespace, &document.id).await?;
            if let Some(entry) = &entry
                && entry.job.hash.as_deref() == Some(&hash)
                && entry.job.given.as_deref() == Some(&given)
                && self.is_current(entry)
            {
                return Ok(Accepted {
                    job: entry.job.job()?,
                    changed: false,
                });
            }
            let generation = next_generation(entry.as_ref(), self.parts.clock.now());
            let key = format!("{}{generation:016}-{hash}", body_folder(namespace, &document.id));
            let content_type = document.content_type.to_string();
            self.parts
                .originals
                .put(&key, &content_type, document.body.clone())
                .await?;
            let change = Change {
                document: document.id.clone(),
                generation,
                action: JobAction::Put,
                bucket: None,
                body: Some(key.clone()),
                hash: Some(hash.clone()),
                given: Some(given.clone()),
                etag: None,
                media_type: Some(content_type),
                source: document.source.clone(),
                metadata: metadata.clone(),
                bytes: document.body.len() as u64,
            };
            if let Some(job) = self.accept(namespace, change).await? {
                return Ok(Accepted { job, changed: true });
            }
            self.parts.originals.delete(&[key]).await?;
        }
        Err(contended())
    }

    /// Removes a document, its chunks, their records in the stores and its bytes. From here on nothing is answered from it; the rest is a job's.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such document; the database's.
    pub async fn delete(&self, namespace: &Namespace, id: &DocumentId) -> Result<Accepted> {
        for _ in 0..TRIES {
            let Some(entry) = self.manifest.entry(namespace, id).await? else {
                return Err(not_found("document", id.as_str()));
            };
            if entry.job.action == JobAction::Delete {
                if entry.document.settled == entry.document.generation {
                    return Err(not_found("document", id.as_str()));
                }
                return Ok(Accepted {
                    job: entry.job.job()?,
                    changed: false,
                });
            }
            let generation = next_generation(Some(&entry), self.parts.clock.now());
            if let Some(job) = self
                .accept(namespace, Change::delete(id.clone(), generation))
                .await?
            {
                return Ok(Accepted { job, changed: true });
            }
        }
        Err(contended())
    }

    /// Does once more what a failed job was to do, as a new job.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown job; [`ErrorKind::InvalidRequest`] for one that has not failed, or whose document has changed since; the database's.
    pub async fn retry(&self, namespace: &Namespace, job: &str) -> Result<Job> {
        let row = self
            .manifest
            .job(namespace, job)
            .await?
            .ok_or_else(|| not_found("job", job))?;
        let entry = self.manifest.entry(namespace, &row.document).await?;
        let Some(entry) = entry.filter(|entry| entry.job.id == row.id && row.is(&JobState::Failed)) else {
            return Err(Error::invalid(
                "job",
                "only the failed job that is its document's last one can be tried again",
            ));
        };
        let generation = next_generation(Some(&entry), self.parts.clock.now());
        let change = Change::again(&entry.job, generation);
        self.accept(namespace, change).await?.ok_or_else(contended)
    }

    /// Takes up anew what another pipeline has made, at most `limit` documents from `cursor` on. Gives how many, and where to go on.
    ///
    /// # Errors
    /// The database's.
    pub async fn reindex(
        &self,
        namespace: &Namespace,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(usize, Option<String>)> {
        let limit = limit.clamp(1, super::sync::AT_ONCE);
        let entries = self
            .manifest
            .outdated(namespace, &self.fingerprint(), cursor, limit)
            .await?;
        let last = entries.last().map(|entry| entry.document.id.to_string());
        let more = entries.len() == limit;
        let now = self.parts.clock.now();
        let changes: Vec<_> = entries
            .iter()
            .map(|entry| Change::again(&entry.job, next_generation(Some(entry), now)))
            .collect();
        self.accept_all(namespace, &changes).await?;
        Ok((changes.len(), last.filter(|_| more)))
    }

    /// Whether what was last asked for a document is still as it would be done now, done or on its way.
    pub(super) fn is_current(&self, entry: &Entry) -> bool {
        let settled = entry.document.settled == entry.document.generation;
        entry.job.action == JobAction::Put
            && !entry.job.is(&JobState::Failed)
            && (!settled || entry.document.fingerprint.as_deref() == Some(&self.fingerprint()))
    }

    async fn accept(&self, namespace: &Namespace, change: Change) -> Result<Option<Job>> {
        Ok(self.accept_all(namespace, &[change]).await?.pop())
    }

    /// Takes changes up and sends word of them. Those that somebody else was faster with are left out.
    pub(super) async fn accept_all(&self, namespace: &Namespace, changes: &[Change]) -> Result<Vec<Job>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .manifest
            .accept(namespace, changes, self.parts.clock.now())
            .await?;
        let jobs: Vec<_> = rows
            .iter()
            .flatten()
            .map(|row| row.job())
            .collect::<Result<_>>()?;
        let messages: Vec<_> = jobs
            .iter()
            .map(|job| IndexMessage::new(namespace.clone(), job.document.clone()))
            .collect();
        // What is to be done is in the database: a message that does not go out now is made up for by a sweep.
        let _ = self.parts.queue.send(messages, Duration::ZERO).await;
        Ok(jobs)
    }

    fn check(&self, document: &Document) -> Result<()> {
        let options = &self.parts.options;
        if document.body.is_empty() {
            return Err(Error::invalid("body", "the document is empty"));
        }
        if document.body.len() as u64 > options.max_bytes {
            let message = format!(
                "the document has {} bytes, over the {} that it may have: split it, or raise `max_bytes`",
                document.body.len(),
                options.max_bytes
            );
            return Err(Error::new(ErrorKind::TooLarge, message).with_param("body"));
        }
        check_metadata(&document.metadata, options.max_metadata_bytes)
    }
}

/// Field names as [Vectorize takes them](https://developers.cloudflare.com/vectorize/reference/metadata-filtering/).
fn check_metadata(metadata: &JsonObject, most: usize) -> Result<()> {
    for name in metadata.keys() {
        let param = || format!("metadata.{name}");
        if name.is_empty() || name.starts_with('$') || name.contains(['"', '.', '|']) {
            return Err(Error::invalid(
                param(),
                "a field's name must not be empty, begin with `$`, or contain `\"`, `.` or `|`",
            ));
        }
        if name == super::run::DOCUMENT_FIELD {
            return Err(Error::invalid(
                param(),
                "`document` is the index's own field, for the document's id: use another name",
            ));
        }
    }
    let bytes = Value::Object(metadata.clone()).to_string().len();
    if bytes > most {
        let message =
            format!("the metadata has {bytes} bytes as JSON, over the {most} that a document may have");
        return Err(Error::new(ErrorKind::TooLarge, message).with_param("metadata"));
    }
    Ok(())
}

pub(super) fn content_hash(essence: &str, charset: Option<&str>, body: &Bytes) -> String {
    Digest::new("content")
        .part(essence)
        .optional(charset)
        .part(body)
        .into_base64()
}

pub(super) fn given_hash(source: Option<&str>, metadata: &str) -> String {
    Digest::new("given").optional(source).part(metadata).into_base64()
}

/// Where the bodies of a document are; below it their keys are in the order of their generations.
pub(super) fn body_folder(namespace: &Namespace, document: &DocumentId) -> String {
    let document = Digest::new("body").part(document.as_str()).into_base64();
    format!("originals/{}/{document}/", namespace.as_str())
}

fn contended() -> Error {
    let message = "the document is being changed by others over and over; try again";
    Error::new(ErrorKind::Unavailable, message)
}
