use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, Result, Timestamp};

use super::{Index, Ran};
use crate::digest::Digest;
use crate::index::manifest::Fence;
use crate::index::{JobAction, JobError, JobState};

/// The wait after a first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(600);

impl Index {
    /// Keeps what an attempt failed of. `None` when the job is given up and what it has left can be cleaned up at once.
    pub(super) async fn failed(&self, fence: &Fence, error: Error, unsettled: bool) -> Result<Option<Ran>> {
        let options = &self.parts.options;
        let Ok(Some(entry)) = self.manifest.still(fence).await else {
            return Err(error);
        };
        if entry.document.generation != fence.generation && !unsettled {
            return Ok(None);
        }
        let now = self.parts.clock.now();
        let job = &entry.job;
        let attempts = job.attempts.saturating_add(1);
        let cleaning = job.action == JobAction::Delete
            || job.is(&JobState::Failed)
            || entry.document.live == Some(job.generation);
        let spent = if error.kind() == ErrorKind::RateLimited {
            now.since(Timestamp::from_millis(job.created)) > options.patience
        } else {
            is_hopeless(error.kind()) || attempts >= options.max_attempts
        };
        // What is being cleaned up is never left as it is.
        let given_up = spent && !cleaning;
        let reason = serde_json::json!(JobError::from(&error)).to_string();
        let quiet = if unsettled { options.call } else { Duration::ZERO };
        let wait = if given_up {
            quiet
        } else {
            quiet.max(error.retry_after().unwrap_or_else(|| backoff(attempts, &job.id)))
        };
        let kept = async {
            self.manifest
                .note_failure(fence, &reason, attempts, given_up, now)
                .await?;
            if given_up && !unsettled {
                return Ok(());
            }
            self.manifest.release(fence, now + quiet, now + wait).await
        };
        // Whatever cannot be kept is found again by the lease's end.
        if kept.await.is_err() {
            return Err(error);
        }
        Ok((!given_up || unsettled).then_some(Ran::Again(wait)))
    }
}

/// Whether the same document fails in the same way again.
fn is_hopeless(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidRequest
            | ErrorKind::Unsupported
            | ErrorKind::TooLarge
            | ErrorKind::ContextLength
            | ErrorKind::ContentFiltered
            | ErrorKind::NotFound
    )
}

/// Doubles with each attempt; jobs that failed together do not come back together.
fn backoff(attempts: u32, job: &str) -> Duration {
    let whole = FIRST
        .saturating_mul(1 << attempts.saturating_sub(1).min(10))
        .min(LONGEST);
    let digest = Digest::new("jitter")
        .part(job)
        .part(attempts.to_le_bytes())
        .into_base64();
    let jitter = digest.bytes().map(u32::from).sum::<u32>() % 256;
    whole / 2 + whole / 512 * jitter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_differ_between_jobs() {
        for attempts in 1..40 {
            let wait = backoff(attempts, "a");
            assert!(wait >= FIRST / 2 && wait <= LONGEST, "{attempts}: {wait:?}");
        }
        assert!(backoff(6, "a") > backoff(1, "a"));
        assert_ne!(backoff(3, "a"), backoff(3, "b"));
    }
}
