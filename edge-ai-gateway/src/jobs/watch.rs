use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Body, Clock};
use futures_util::stream;

use super::JobObjects;
use super::envelope::unpack;
use super::record::Record;
use super::serve::ask;
use super::shown::shown;

/// How often the object is asked.
const EVERY: Duration = Duration::from_secs(1);

/// After so many looks without news something is sent that clients pass over.
const QUIET: u32 = 15;

/// After so many looks the stream ends; an `EventSource` comes back by itself.
const MOST: u32 = 600;

/// A job's states as server-sent events, the present one first and its last one last.
pub(super) fn watch(
    objects: Arc<dyn JobObjects>,
    clock: Arc<dyn Clock>,
    record: Record,
    tenant: Option<String>,
) -> Body {
    let id = record.id.clone();
    let start = Watch {
        next: Some(record),
        shown: String::new(),
        looks: 0,
        quiet: 0,
    };
    Body::from_stream(stream::unfold(start, move |mut watch| {
        let (objects, clock, id, tenant) = (
            Arc::clone(&objects),
            Arc::clone(&clock),
            id.clone(),
            tenant.clone(),
        );
        async move {
            loop {
                let record = match watch.next.take() {
                    Some(record) => record,
                    None if watch.looks >= MOST => return None,
                    None => {
                        clock.sleep(EVERY).await;
                        watch.looks += 1;
                        let request = ask("show", tenant.as_deref(), Bytes::new()).ok()?;
                        let response = objects.ask(&id, request).await.ok()?;
                        unpack::<Record>(response.body()).ok()?.0
                    }
                };
                let now = shown(&record).to_string();
                if record.job.status.is_final() {
                    watch.looks = MOST;
                }
                if now != watch.shown {
                    let event = event(&record, &now);
                    watch.shown = now;
                    watch.quiet = 0;
                    return Some((Ok(event), watch));
                }
                watch.quiet += 1;
                if watch.quiet.is_multiple_of(QUIET) {
                    return Some((Ok(Bytes::from_static(b": keep-alive\n\n")), watch));
                }
            }
        }
    }))
}

struct Watch {
    next: Option<Record>,
    shown: String,
    looks: u32,
    quiet: u32,
}

fn event(record: &Record, json: &str) -> Bytes {
    let name = serde_json::to_value(record.job.status).unwrap_or_default();
    let name = name.as_str().unwrap_or("status");
    format!("event: {name}\ndata: {json}\n\n").into()
}
