use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Cache, CacheKey, Clock, Result};

use crate::expiring;

/// A near cache before a far one: what the far one knows is kept near for the rest of its time.
///
/// A failing tier is passed by as long as the other one works.
#[derive(Debug)]
pub struct TieredCache<N, F, C> {
    near: N,
    far: F,
    clock: C,
}

impl<N: Cache, F: Cache, C: Clock> TieredCache<N, F, C> {
    /// `near` before `far`.
    pub const fn new(near: N, far: F, clock: C) -> Self {
        Self { near, far, clock }
    }

    fn decode(&self, stored: Option<Bytes>) -> Option<(Bytes, Duration)> {
        expiring::decode(stored?, self.clock.now())
    }
}

#[async_trait]
impl<N: Cache, F: Cache, C: Clock> Cache for TieredCache<N, F, C> {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        let near = self.near.get(key).await.unwrap_or_default();
        if let Some((value, _)) = self.decode(near) {
            return Ok(Some(value));
        }
        let Some(stored) = self.far.get(key).await? else {
            return Ok(None);
        };
        let Some((value, left)) = self.decode(Some(stored.clone())) else {
            return Ok(None);
        };
        // The answer is here; a near cache that cannot take it changes nothing.
        let _ = self.near.put(key, stored, left).await;
        Ok(Some(value))
    }

    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
        let stored = expiring::encode(&value, self.clock.now() + ttl);
        let near = self.near.put(key, stored.clone(), ttl).await;
        self.far.put(key, stored, ttl).await.and(near)
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        let near = self.near.delete(key).await;
        self.far.delete(key).await.and(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryCache;
    use edge_ai_core::ManualClock;
    use futures_executor::block_on;
    use std::sync::Arc;

    #[test]
    fn a_value_does_not_outlive_its_time_in_the_near_tier() {
        let clock = ManualClock::default();
        let near = Arc::new(MemoryCache::new(clock.clone()));
        let far = Arc::new(MemoryCache::new(clock.clone()));
        let tiers = TieredCache::new(Arc::clone(&near), far, clock.clone());
        let key = CacheKey::from_digest("t", &[1]);
        block_on(async {
            tiers
                .put(&key, "v".into(), Duration::from_secs(10))
                .await
                .unwrap();
            near.delete(&key).await.unwrap();
            clock.advance(Duration::from_secs(9));
            assert_eq!(tiers.get(&key).await.unwrap().unwrap(), "v");
            assert!(near.get(&key).await.unwrap().is_some(), "not handed on");
            clock.advance(Duration::from_secs(1));
            assert_eq!(tiers.get(&key).await.unwrap(), None);
        });
    }
}
