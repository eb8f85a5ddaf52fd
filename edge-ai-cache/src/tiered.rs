use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Cache, CacheKey, Clock, Result};
use futures_util::future::join;

use crate::expiring;

/// A near cache before a far one: what the far one knows is kept near for the rest of its time.
///
/// When a tier fails:
/// - `get` answers from the near one when it can, whatever the far one's state. A near one that fails is passed by as if it knew
///   nothing; a far one that fails, when it is asked, is an error, since nobody knows whether it has the value.
/// - `put` goes to both at once and succeeds when one of them took the value. The other is asked to forget the value before,
///   which, should that fail as well, may still be answered until its end.
/// - `delete` goes to both at once and fails when either does: the value may be left there.
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
        if ttl.is_zero() {
            return self.delete(key).await;
        }
        let stored = expiring::encode(&value, self.clock.now() + ttl);
        let both = join(
            self.near.put(key, stored.clone(), ttl),
            self.far.put(key, stored, ttl),
        );
        // Best effort: the value is kept, and where it is not, nothing older shall be.
        match both.await {
            (Ok(()), Ok(())) => {}
            (Ok(()), Err(_)) => drop(self.far.delete(key).await),
            (Err(_), Ok(())) => drop(self.near.delete(key).await),
            (Err(_), Err(far)) => return Err(far),
        }
        Ok(())
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        let (near, far) = join(self.near.delete(key), self.far.delete(key)).await;
        far.and(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryCache;
    use edge_ai_core::{Error, ErrorKind, ManualClock};
    use futures_executor::block_on;
    use futures_util::FutureExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    const TTL: Duration = Duration::from_secs(10);

    /// A cache whose reads, writes or removals fail, or whose writes never end, when it is told so.
    #[derive(Debug)]
    struct Faulty {
        cache: MemoryCache<ManualClock>,
        get: AtomicBool,
        put: AtomicBool,
        delete: AtomicBool,
        hang: AtomicBool,
    }

    impl Faulty {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                cache: MemoryCache::new(ManualClock::default()),
                get: AtomicBool::new(false),
                put: AtomicBool::new(false),
                delete: AtomicBool::new(false),
                hang: AtomicBool::new(false),
            })
        }

        fn check(fault: &AtomicBool) -> Result<()> {
            if fault.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Unavailable, "down"));
            }
            Ok(())
        }
    }

    #[async_trait]
    impl Cache for Faulty {
        async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
            Self::check(&self.get)?;
            self.cache.get(key).await
        }

        async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
            Self::check(&self.put)?;
            self.cache.put(key, value, ttl).await?;
            if self.hang.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(())
        }

        async fn delete(&self, key: &CacheKey) -> Result<()> {
            Self::check(&self.delete)?;
            self.cache.delete(key).await
        }
    }

    type Tiers = TieredCache<Arc<Faulty>, Arc<Faulty>, ManualClock>;

    fn tiers() -> (Arc<Faulty>, Arc<Faulty>, Tiers, CacheKey) {
        let (near, far) = (Faulty::new(), Faulty::new());
        let tiers = TieredCache::new(Arc::clone(&near), Arc::clone(&far), ManualClock::default());
        (near, far, tiers, CacheKey::from_digest("t", &[1]))
    }

    fn fails(fault: &AtomicBool, fails: bool) {
        fault.store(fails, Ordering::Relaxed);
    }

    fn get(tiers: &Tiers, key: &CacheKey) -> Result<Option<Bytes>> {
        block_on(tiers.get(key))
    }

    #[test]
    fn a_read_needs_the_near_tiers_value_or_the_far_tiers_answer() {
        let (near, far, tiers, key) = tiers();
        block_on(tiers.put(&key, "v".into(), TTL)).unwrap();
        fails(&far.get, true);
        assert_eq!(get(&tiers, &key).unwrap().unwrap(), "v");
        block_on(near.delete(&key)).unwrap();
        assert_eq!(get(&tiers, &key).unwrap_err().kind(), ErrorKind::Unavailable);
        fails(&far.get, false);
        fails(&near.get, true);
        assert_eq!(get(&tiers, &key).unwrap().unwrap(), "v");
        block_on(far.delete(&key)).unwrap();
        assert_eq!(get(&tiers, &key).unwrap(), None);
    }

    #[test]
    fn a_write_needs_one_tier_and_leaves_nothing_older() {
        let (near, far, tiers, key) = tiers();
        for (faulty, new) in [(&near, "1"), (&far, "2")] {
            block_on(tiers.put(&key, "old".into(), TTL)).unwrap();
            fails(&faulty.put, true);
            block_on(tiers.put(&key, new.into(), TTL)).unwrap();
            assert_eq!(get(&tiers, &key).unwrap().unwrap(), new);
            assert_eq!(
                block_on(faulty.get(&key)).unwrap(),
                None,
                "something older is left"
            );
            fails(&faulty.put, false);
        }
        fails(&near.put, true);
        fails(&far.put, true);
        let both = block_on(tiers.put(&key, "3".into(), TTL));
        assert_eq!(both.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn a_removal_needs_both_tiers_and_tries_both() {
        for near_fails in [true, false] {
            let (near, far, tiers, key) = tiers();
            let (faulty, other) = if near_fails { (near, far) } else { (far, near) };
            block_on(tiers.put(&key, "v".into(), TTL)).unwrap();
            fails(&faulty.delete, true);
            assert!(block_on(tiers.delete(&key)).is_err());
            assert_eq!(block_on(other.get(&key)).unwrap(), None);
            // Nothing to keep is a removal.
            block_on(tiers.put(&key, "v".into(), TTL)).unwrap();
            assert!(block_on(tiers.put(&key, "v".into(), Duration::ZERO)).is_err());
        }
    }

    #[test]
    fn a_slow_tier_does_not_hold_up_the_other() {
        let (near, far, tiers, key) = tiers();
        fails(&near.hang, true);
        assert!(tiers.put(&key, "v".into(), TTL).now_or_never().is_none());
        assert!(block_on(far.get(&key)).unwrap().is_some());
    }

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
