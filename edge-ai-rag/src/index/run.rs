//! What a consumer does: brings one document up to date.

mod clean;
mod embed;
mod failure;
mod split;

use std::future::Future;
use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, Result, Timestamp, timeout};

use super::manifest::{Entry, Fence, Stop, Taken};
use super::{Index, IndexMessage, JobAction, JobState};

pub(super) use embed::DOCUMENT_FIELD;

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ran {
    /// Nothing is left to do for the document.
    Done,
    /// Something is, after this time: deliver the message again.
    Again(Duration),
}

/// How a part of the work ended.
enum Step {
    /// What comes next depends on the rows as they are now.
    Next,
    /// Nothing is left to do.
    Settled,
    /// As much is done as one run may do.
    Pause,
}

/// How often one run takes up what has changed meanwhile.
const TURNS: usize = 32;

impl Index {
    /// Brings a document up to date, as far as one run goes: what a queue's consumer does with a message.
    ///
    /// A failure of the document's, or of a service, is kept with the job, and tried again after a while where that may help: then the answer is
    /// [`Ran::Again`]. A job is given up after [`max_attempts`](super::IndexOptions::max_attempts) failures without progress, and at once when it cannot succeed.
    ///
    /// # Errors
    /// When the database cannot be used: deliver the message again after a while.
    pub async fn run(&self, message: &IndexMessage) -> Result<Ran> {
        let IndexMessage { namespace, document } = message;
        let token = format!("{:016x}", self.parts.entropy.next_u64());
        let (now, until) = self.times();
        let mut entry = match self
            .manifest
            .take(namespace, document, &token, now, until)
            .await?
        {
            Taken::Yes(entry) => *entry,
            Taken::Nothing => return Ok(Ran::Done),
            Taken::Until(time) => return Ok(Ran::Again(time.since(now).max(Duration::from_secs(1)))),
        };
        let mut fence = Fence {
            namespace: namespace.clone(),
            document: document.clone(),
            token,
            generation: entry.document.generation,
        };
        let mut batches = self.parts.options.batches_per_run;
        for _ in 0..TURNS {
            match self.work(&fence, &entry, &mut batches).await {
                Ok(Step::Settled) => return Ok(Ran::Done),
                Ok(Step::Pause) => break,
                Ok(Step::Next) | Err(Stop::Moved) => {}
                Err(Stop::Failed { error, unsettled }) => {
                    if let Some(ran) = self.failed(&fence, error, unsettled).await? {
                        return Ok(ran);
                    }
                }
            }
            entry = match self.manifest.still(&fence).await? {
                Some(entry) => entry,
                None => return Ok(Ran::Done),
            };
            fence.generation = entry.document.generation;
        }
        let now = self.parts.clock.now();
        self.manifest.release(&fence, now, now).await?;
        Ok(Ran::Again(Duration::ZERO))
    }

    async fn work(&self, fence: &Fence, entry: &Entry, batches: &mut usize) -> Result<Step, Stop> {
        let Entry { document, job } = entry;
        if job.action == JobAction::Delete {
            return self.clean(fence, entry, None, batches).await;
        }
        // Of a job that was given up nothing stays but that it was.
        if job.is(&JobState::Failed) || document.live == Some(job.generation) {
            return self.clean(fence, entry, document.live, batches).await;
        }
        let fingerprint = self.fingerprint();
        if job.planned == 0 {
            return self.split(fence, entry, &fingerprint, batches).await;
        }
        if job.fingerprint.as_deref() != Some(&fingerprint) {
            let generation = super::manifest::next_generation(Some(entry), self.parts.clock.now());
            self.manifest.renumber(fence, generation).await?;
            return Ok(Step::Next);
        }
        if !self.embed(fence, job, batches).await? {
            return Ok(Step::Pause);
        }
        self.manifest
            .commit(fence, self.times(), job.generation, &fingerprint)
            .await?;
        self.clean(fence, entry, Some(job.generation), batches).await
    }

    /// Now, and until when a document is held from now on.
    fn times(&self) -> (Timestamp, Timestamp) {
        let now = self.parts.clock.now();
        (now, now + self.parts.options.lease)
    }

    /// A call that changes nothing, or nothing that matters when it comes late.
    async fn call<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        timeout(&*self.parts.clock, self.parts.options.call, work).await
    }

    /// A call that changes a store. One that was neither confirmed nor refused may come to pass later: so nobody takes the document before it must have.
    async fn write<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T, Stop> {
        self.call(work).await.map_err(|error| Stop::Failed {
            unsettled: !is_refusal(error.kind()),
            error,
        })
    }
}

/// Whether the other side said no, rather than nothing.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidRequest
            | ErrorKind::Authentication
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::TooLarge
            | ErrorKind::Unsupported
            | ErrorKind::RateLimited
            | ErrorKind::QuotaExceeded
            | ErrorKind::Configuration
    )
}

fn failure(kind: ErrorKind, message: impl Into<String>) -> Stop {
    Error::new(kind, message).into()
}
