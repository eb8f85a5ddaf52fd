use std::time::Duration;

use edge_ai_core::Result;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};

use super::{Index, IndexMessage, Job, JobState, Ran};
use crate::Namespace;

impl Index {
    /// A job whenever it has changed, from now until it is over, or for `limit`; looked at once in `every`.
    pub fn watch(
        &self,
        namespace: Namespace,
        job: String,
        every: Duration,
        limit: Duration,
    ) -> BoxStream<'static, Result<Job>> {
        let index = self.clone();
        let end = index.parts.clock.now() + limit;
        let state = (index, namespace, job, None::<Job>, false);
        unfold(state, move |(index, namespace, id, mut last, over)| async move {
            if over {
                return None;
            }
            loop {
                let job = match index.job(&namespace, &id).await {
                    Ok(job) => job,
                    Err(error) => return Some((Err(error), (index, namespace, id, last, true))),
                };
                let over = job.state.is_final();
                if over || last.as_ref() != Some(&job) {
                    last = Some(job.clone());
                    return Some((Ok(job), (index, namespace, id, last, over)));
                }
                if index.parts.clock.now() >= end {
                    return None;
                }
                index.parts.clock.sleep(every).await;
            }
        })
        .boxed()
    }

    /// Works on a job here instead of waiting for a consumer, until searches see what it does, or for `limit`. Gives the job as it is then.
    ///
    /// # Errors
    /// As [`run`](Self::run) and [`job`](Self::job).
    pub async fn wait(&self, namespace: &Namespace, job: &str, limit: Duration) -> Result<Job> {
        const LOOK: Duration = Duration::from_secs(1);
        let end = self.parts.clock.now() + limit;
        let mut known = self.job(namespace, job).await?;
        loop {
            let wait = match known.state {
                JobState::Queued | JobState::Running { .. } => {
                    let message = IndexMessage::new(namespace.clone(), known.document.clone());
                    match self.run(&message).await? {
                        Ran::Done => None,
                        Ran::Again(wait) => Some(wait),
                    }
                }
                JobState::Indexed => Some(LOOK),
                JobState::Searchable | JobState::Failed | JobState::Superseded => return Ok(known),
            };
            let now = self.parts.clock.now();
            if wait.is_some_and(|wait| now + wait > end) || now > end {
                return self.job(namespace, job).await;
            }
            if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                self.parts.clock.sleep(wait).await;
            }
            known = self.job(namespace, job).await?;
        }
    }
}
