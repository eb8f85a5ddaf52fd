use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Clock, KeyPage, KeyValue, Result, Timestamp};

use super::rules::{check_key, check_value};

/// A key-value store in memory: for native programs and tests.
#[derive(Debug)]
pub struct MemoryKeyValue<C> {
    clock: C,
    entries: Mutex<BTreeMap<String, (Bytes, Option<Timestamp>)>>,
}

impl<C: Clock> MemoryKeyValue<C> {
    /// Keys in one page of a list; as many as Workers KV gives.
    const PAGE: usize = 1_000;

    /// An empty store.
    pub const fn new(clock: C) -> Self {
        Self {
            clock,
            entries: Mutex::new(BTreeMap::new()),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<String, (Bytes, Option<Timestamp>)>) -> T) -> T {
        f(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<C: Clock> KeyValue for MemoryKeyValue<C> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        check_key(key)?;
        let now = self.clock.now();
        Ok(self.with(|entries| {
            if entries.get(key)?.1.is_some_and(|expires| expires <= now) {
                entries.remove(key);
            }
            entries.get(key).map(|(value, _)| value.clone())
        }))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<()> {
        check_key(key)?;
        check_value(&value)?;
        let expires = ttl.map(|ttl| self.clock.now() + ttl);
        self.with(|entries| entries.insert(key.to_owned(), (value, expires)));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.with(|entries| entries.remove(key));
        Ok(())
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage> {
        let now = self.clock.now();
        let mut keys: Vec<String> = self.with(|entries| {
            let start = cursor.map_or(Bound::Included(prefix), Bound::Excluded);
            entries
                .range::<str, _>((start, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter(|(_, (_, expires))| expires.is_none_or(|expires| expires > now))
                .map(|(key, _)| key.clone())
                .take(Self::PAGE + 1)
                .collect()
        });
        let more = keys.len() > Self::PAGE;
        keys.truncate(Self::PAGE);
        let cursor = if more { keys.last().cloned() } else { None };
        Ok(KeyPage::new(keys, cursor))
    }
}
