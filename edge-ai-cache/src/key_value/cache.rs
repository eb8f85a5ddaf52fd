use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Cache, CacheKey, Clock, KeyValue, Result};

use crate::expiring;

/// A cache in a key-value store.
///
/// Values carry their end, so that a store which rounds times to live up, as Workers KV does to 60 seconds, still forgets on time.
#[derive(Debug)]
pub struct KeyValueCache<S, C> {
    store: S,
    clock: C,
}

impl<S: KeyValue, C: Clock> KeyValueCache<S, C> {
    /// A cache in `store`.
    pub const fn new(store: S, clock: C) -> Self {
        Self { store, clock }
    }
}

#[async_trait]
impl<S: KeyValue, C: Clock> Cache for KeyValueCache<S, C> {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        let stored = self.store.get(key.as_str()).await?;
        Ok(stored
            .and_then(|stored| expiring::decode(stored, self.clock.now()))
            .map(|(value, _)| value))
    }

    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
        if ttl.is_zero() {
            return self.delete(key).await;
        }
        let stored = expiring::encode(&value, self.clock.now() + ttl);
        self.store.put(key.as_str(), stored, Some(ttl)).await
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        self.store.delete(key.as_str()).await
    }
}
