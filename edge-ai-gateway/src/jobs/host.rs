use async_trait::async_trait;
use edge_ai_core::{Clock, HttpClient, Result, Secret};

use super::record::Record;
use super::serve::RECORD;
use super::shown::shown;
use super::storage::{Storage, get_json, put_json};
use super::webhook;
use crate::batches;

/// What an object's runtime does for it.
#[async_trait]
pub(crate) trait Host: Sync {
    fn clock(&self) -> &dyn Clock;
    /// Sends the message that makes somebody work on a job.
    async fn dispatch(&self, id: &str) -> Result<()>;
    /// What webhooks are sent with, and what they are signed with.
    fn webhooks(&self) -> Option<(&dyn HttpClient, &Secret)>;
    /// What the operator should know.
    fn log(&self, line: &str);
}

/// A message that could not be sent is tried again after this long.
const SEND_AGAIN_MS: u64 = 5_000;

/// Does what is to be done now for the job or the batch that an object keeps, and returns when it has to be looked at again; nothing for one that is
/// forgotten.
pub(super) async fn keep_up(storage: &impl Storage, host: &impl Host) -> Result<Option<u64>> {
    if storage.get(batches::RECORD)?.is_some() {
        batches::upkeep(storage, host).await
    } else {
        upkeep(storage, host).await
    }
}

/// Does what is to be done for a job now, and returns when it has to be looked at again; nothing for one that is forgotten.
async fn upkeep(storage: &impl Storage, host: &impl Host) -> Result<Option<u64>> {
    let now = host.clock().now().as_millis();
    let Some(mut record) = get_json::<Record>(storage, RECORD)? else {
        return Ok(None);
    };
    record.job.tick(now, &record.policy);
    record.tell_the_end(now);
    if record.job.is_past(now, &record.policy) {
        storage.delete("")?;
        return Ok(None);
    }
    put_json(storage, RECORD, &record)?;
    if record.job.is_due(now) {
        if let Err(error) = host.dispatch(&record.id).await {
            host.log(&format!("the message for {} was not sent: {error}", record.id));
            return Ok(Some(now.saturating_add(SEND_AGAIN_MS)));
        }
        // Somebody may have taken it meanwhile.
        let Some(again) = get_json::<Record>(storage, RECORD)? else {
            return Ok(None);
        };
        record = again;
        if record.job.is_due(now) {
            record.job.dispatched(now);
            put_json(storage, RECORD, &record)?;
        }
    }
    Ok(Some(next(&record)))
}

/// The same when an object wakes by itself: then a job's owner is told of its end as well.
pub(super) async fn wake(storage: &impl Storage, host: &impl Host) -> Result<Option<u64>> {
    let next = keep_up(storage, host).await?;
    match next {
        Some(_) if storage.get(RECORD)?.is_some() => tell(storage, host).await,
        _ => Ok(next),
    }
}

/// Tells the job's owner of its end, if it is time to.
async fn tell(storage: &impl Storage, host: &impl Host) -> Result<Option<u64>> {
    let now = host.clock().now().as_millis();
    let Some(record) = get_json::<Record>(storage, RECORD)? else {
        return Ok(None);
    };
    let Some(hook) = record.hook.as_ref().filter(|hook| hook.is_due(now)) else {
        return Ok(Some(next(&record)));
    };
    let outcome = match host.webhooks() {
        Some((http, secret)) => {
            let data = shown(&record);
            let key = webhook::tenant_key(secret, record.ticket.who.tenant.as_deref());
            let event = webhook::Event::new(&record.id, record.job.status, now, data);
            event.send(host.clock(), http, hook, &key).await
        }
        None => Err(webhook::Refusal::lasting(
            "this gateway has no WEBHOOK_SECRET any more",
        )),
    };
    let Some(mut record) = get_json::<Record>(storage, RECORD)? else {
        return Ok(None);
    };
    if let Some(hook) = &mut record.hook {
        hook.sent(outcome, host.clock().now().as_millis());
    }
    put_json(storage, RECORD, &record)?;
    Ok(Some(next(&record)))
}

/// When there is something to do again.
fn next(record: &Record) -> u64 {
    let at = record.job.wake_at(&record.policy);
    match record.hook.as_ref().and_then(|hook| hook.next_ms()) {
        Some(hook) => at.min(hook),
        None => at,
    }
}
