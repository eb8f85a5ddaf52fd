//! Requests that are queued instead of awaited.

use std::time::Duration;

use edge_ai::gateway::{LongWork, R2Files, WorkerJobs};
use edge_ai::runtime::EnvExt;
use edge_ai::{EdgeAiBuilder, Error, ErrorKind, Result, Secret};
use worker::{Env, MessageBatch};

/// What the name of the queue begins with.
const QUEUE: &str = "edge-ai-jobs";

/// Whether messages are those of long work.
pub(crate) fn is_of(batch: &MessageBatch<String>) -> bool {
    batch.queue().starts_with(QUEUE)
}

/// Turns long work on where there is a queue for it.
pub(crate) fn long_work(edge: EdgeAiBuilder, env: &Env) -> Result<EdgeAiBuilder> {
    if !env.has("JOB_QUEUE") {
        return Ok(edge);
    }
    let mut work = LongWork::new(WorkerJobs::from_env(env, "JOBS")?);
    if let Some(hours) = number(env, "JOBS_KEPT_HOURS")? {
        work = work.keep_for(Duration::from_secs(u64::from(hours) * 3_600));
    }
    if let Some(seconds) = number(env, "JOB_LEASE_SECONDS")? {
        work = work.lease(Duration::from_secs(seconds.into()));
    }
    if env.has("FILES") {
        work = work.batches(R2Files::from_env(env, "FILES")?);
    }
    // A secret that is there and empty is a slip, and is told.
    if let Ok(secret) = env.var("WEBHOOK_SECRET") {
        work = work.webhooks(Secret::new(secret.to_string()))?;
    }
    if env.text("WEBHOOKS_TO_THIS_MACHINE").as_deref() == Some("true") {
        work = work.allow_local_webhooks();
    }
    Ok(edge.long_work(work))
}

/// A number from the variables; zero and nothing both leave what it is for as it is.
fn number(env: &Env, name: &str) -> Result<Option<u32>> {
    let Some(text) = env.text(name) else {
        return Ok(None);
    };
    match text.trim().parse() {
        Ok(0) => Ok(None),
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Error::new(
            ErrorKind::Configuration,
            format!("`{name}` must be a whole number, not `{text}`"),
        )),
    }
}
