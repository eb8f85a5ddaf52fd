use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{
    Clock, Context, Entropy, Error, ErrorKind, KeyValue, LimitBackend, LimitHold, LimitKey, LimitMeasure,
    LimitOutcome, LimitRule, Result, Timestamp,
};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::digest::digest;

/// Counts in the isolate, and tells the other isolates by a key-value store such as Workers KV: no request waits, and what others let in is known late.
///
/// Each isolate writes what it let in under a key of its own and adds up those of the others, so that no count is lost when two write
/// at once. It does so after a request's answer, every ten seconds at most. With the minute that [KV may take](https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency) to show a write,
/// an isolate knows what the others had let in about **70 seconds ago**: over an amount *A*, *N* isolates let in what they can in that time, at most *(N - 1) · A*
/// when all come at once. So windows are an hour or longer, by the calendar in UTC. A store that fails is noted in the request's warnings, and the isolate counts
/// on by itself.
///
/// At most 100 isolates are added up, and 10,000 keys are held; then those of windows that are over go, or all, and what they had let in is read from the store again.
#[derive(Debug)]
pub struct KvLimits<K> {
    shared: Arc<Shared<K>>,
}

#[derive(Debug)]
struct Shared<K> {
    store: K,
    clock: Arc<dyn Clock>,
    isolate: u64,
    counts: Mutex<HashMap<String, Count>>,
}

#[derive(Clone, Debug, Default)]
struct Count {
    start: Timestamp,
    own: u64,
    others: u64,
    synced: Option<Timestamp>,
}

/// How often an isolate tells and asks.
const INTERVAL: Duration = Duration::from_secs(10);

const MAX_ISOLATES: usize = 100;
const MAX_KEYS: usize = 10_000;

impl<K: KeyValue> KvLimits<K> {
    /// Counts in `store`, under a name of chance.
    pub fn new(store: K, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                clock,
                isolate: entropy.next_u64(),
                counts: Mutex::default(),
            }),
        }
    }
}

impl<K: KeyValue> Shared<K> {
    fn with<T>(&self, key: &LimitKey, f: impl FnOnce(&mut Count) -> T) -> T {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, _) = window(&key.rule, self.clock.now());
        let name = digest(&key.name());
        if !counts.contains_key(&name) && counts.len() >= MAX_KEYS {
            counts.retain(|_, count| count.start >= start);
            if counts.len() >= MAX_KEYS {
                counts.clear();
            }
        }
        let count = counts.entry(name).or_default();
        if start > count.start {
            *count = Count {
                start,
                ..Count::default()
            };
        }
        f(count)
    }

    async fn sync(&self, key: &LimitKey) -> Result<()> {
        let count = self.with(key, |count| count.clone());
        let prefix = format!("limits/{}/{}/", digest(&key.name()), count.start.as_secs());
        let own = format!("{prefix}{:016x}", self.isolate);
        let ttl = key.rule.window.map(|window| window.length() + 2 * INTERVAL);
        if count.own > 0 {
            self.store.put(&own, count.own.to_string().into(), ttl).await?;
        }
        let page = self.store.list(&prefix, None).await?;
        let others = page.keys.iter().filter(|key| **key != own).take(MAX_ISOLATES);
        let values = join_all(others.map(|key| self.store.get(key))).await;
        let mut sum = 0_u64;
        for value in values {
            let text = value?.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
            sum = sum.saturating_add(text.unwrap_or(0));
        }
        self.with(key, |now| {
            if now.start == count.start {
                now.others = now.others.max(sum);
            }
        });
        Ok(())
    }
}

/// A window by the calendar, also a short one.
fn window(rule: &LimitRule, now: Timestamp) -> (Timestamp, Timestamp) {
    rule.window
        .map_or((Timestamp::default(), now), |window| window.around(now))
}

#[async_trait]
impl<K: KeyValue> LimitBackend for KvLimits<K> {
    fn check_rule(&self, rule: &LimitRule) -> Result<()> {
        let long = rule
            .window
            .is_some_and(|window| window.length() >= Duration::from_secs(3_600));
        if long && rule.measure != LimitMeasure::Concurrency {
            return Ok(());
        }
        let message = format!(
            "the limit `{}`: a `backend` over KV counts by the hour or longer, and no `concurrency`: what it knows of other isolates is a minute old",
            rule.name
        );
        Err(Error::new(ErrorKind::Configuration, message).with_param("window"))
    }

    async fn take(&self, key: &LimitKey, amount: u64, context: &Context) -> Result<LimitOutcome> {
        let now = self.shared.clock.now();
        let most = key.rule.amount;
        let (outcome, due) = self.shared.with(key, |count| {
            let left = most.saturating_sub(count.own).saturating_sub(count.others);
            let reset = window(&key.rule, count.start.max(now)).1.since(now);
            let outcome = if amount <= left {
                count.own = count.own.saturating_add(amount);
                let hold = LimitHold {
                    amount,
                    epoch: count.start.as_nanos(),
                };
                LimitOutcome::allowed(Some(left - amount), reset, hold)
            } else {
                let retry = if amount > most { Duration::MAX } else { reset };
                LimitOutcome::denied(Some(left), reset, retry)
            };
            let due = count.synced.is_none_or(|synced| now.since(synced) >= INTERVAL);
            if due {
                count.synced = Some(now);
            }
            (outcome, due)
        });
        if let (true, Some(background)) = (due, &context.background) {
            let (shared, key, trail) = (Arc::clone(&self.shared), key.clone(), context.trail.clone());
            background.run(
                async move {
                    if let Err(error) = shared.sync(&key).await {
                        trail.warn(format!(
                            "the limit `{}` was counted in the isolate: {error}",
                            key.rule.name
                        ));
                    }
                }
                .boxed(),
            );
        }
        Ok(outcome)
    }

    fn settle(&self, key: &LimitKey, hold: LimitHold, actual: u64, _: &Context) {
        self.shared.with(key, |count| {
            if count.start.as_nanos() == hold.epoch {
                count.own = count.own.saturating_sub(hold.amount).saturating_add(actual);
            }
        });
    }
}
