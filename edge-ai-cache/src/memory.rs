use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Cache, CacheKey, Clock, Result, Timestamp};
use lru::LruCache;

/// A cache in the memory of one isolate or process; what was not asked for the longest makes room first.
///
/// It is bounded in bytes, since a Worker has 128 MB in all.
#[derive(Debug)]
pub struct MemoryCache<C> {
    clock: C,
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    by_use: LruCache<CacheKey, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    expires: Timestamp,
}

impl<C: Clock> MemoryCache<C> {
    /// The default capacity, 16 MiB: an eighth of a Worker's memory.
    pub const DEFAULT_CAPACITY: usize = 16 << 20;

    /// What an entry takes beside the bytes of its key and value, roughly, on a 64-bit machine; less in a Worker.
    const OVERHEAD: usize = 224;

    /// An empty cache of the [default capacity](Self::DEFAULT_CAPACITY).
    pub fn new(clock: C) -> Self {
        let entries = Entries {
            by_use: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            clock,
            capacity: Self::DEFAULT_CAPACITY,
            entries: Mutex::new(entries),
        }
    }

    /// Holds at most `bytes`, the bookkeeping of entries included. A value that alone takes more than an eighth of it is not kept.
    #[must_use]
    pub fn capacity(self, bytes: NonZeroUsize) -> Self {
        Self {
            capacity: bytes.get(),
            ..self
        }
    }

    fn size(key: &CacheKey, value: &Bytes) -> usize {
        key.as_str().len() + value.len() + Self::OVERHEAD
    }

    fn with<T>(&self, f: impl FnOnce(&mut Entries) -> T) -> T {
        f(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remove(entries: &mut Entries, key: &CacheKey) {
        if let Some((key, entry)) = entries.by_use.pop_entry(key) {
            entries.bytes -= Self::size(&key, &entry.value);
        }
    }
}

#[async_trait]
impl<C: Clock> Cache for MemoryCache<C> {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        let now = self.clock.now();
        Ok(self.with(|entries| match entries.by_use.get(key) {
            Some(entry) if entry.expires > now => Some(entry.value.clone()),
            Some(_) => {
                Self::remove(entries, key);
                None
            }
            None => None,
        }))
    }

    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
        let expires = self.clock.now() + ttl;
        let size = Self::size(key, &value);
        if ttl.is_zero() || size > self.capacity / 8 {
            return self.delete(key).await;
        }
        // The value may be a slice of a larger buffer, which would stay with it. Nobody waits for the copy.
        let value = Bytes::copy_from_slice(&value);
        self.with(|entries| {
            Self::remove(entries, key);
            while entries.bytes + size > self.capacity {
                let Some((key, entry)) = entries.by_use.pop_lru() else {
                    break;
                };
                entries.bytes -= Self::size(&key, &entry.value);
            }
            entries.by_use.put(key.clone(), Entry { value, expires });
            entries.bytes += size;
        });
        Ok(())
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        self.with(|entries| Self::remove(entries, key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::ManualClock;
    use futures_executor::block_on;

    fn key(n: u8) -> CacheKey {
        CacheKey::from_digest("t", &[n])
    }

    #[test]
    fn the_least_used_makes_room() {
        let cache = MemoryCache::new(ManualClock::default()).capacity(NonZeroUsize::new(16_000).unwrap());
        let ttl = Duration::from_secs(1);
        let value = Bytes::from(vec![0; 1_750]);
        block_on(async {
            for n in 0..8 {
                cache.put(&key(n), value.clone(), ttl).await.unwrap();
            }
            assert!(cache.get(&key(0)).await.unwrap().is_some());
            cache.put(&key(8), value.clone(), ttl).await.unwrap();
            cache.put(&key(9), value.clone(), ttl).await.unwrap();
            assert!(
                cache.get(&key(0)).await.unwrap().is_some(),
                "what was just used went"
            );
            assert!(cache.get(&key(1)).await.unwrap().is_none());
            assert!(cache.with(|entries| entries.bytes) <= 16_000);
        });
    }

    #[test]
    fn the_overhead_covers_the_parts_of_an_entry() {
        // What the allocator adds to each allocation.
        const ALLOCATION: usize = 16;
        let pointer = size_of::<usize>();
        let node = size_of::<CacheKey>() + size_of::<Entry>() + 2 * pointer + ALLOCATION;
        // A bucket of two pointers and a control byte, in a table that is 7/16 full after it grew.
        let bucket = (2 * pointer + 1) * 16 / 7;
        let key = 2 * pointer + ALLOCATION;
        // The value, and its counter once it was read.
        let value = ALLOCATION + 3 * pointer + ALLOCATION;
        let parts = node + bucket + key + value;
        let overhead = MemoryCache::<ManualClock>::OVERHEAD;
        assert!((parts..parts * 2).contains(&overhead), "{parts}");
    }

    #[test]
    fn a_small_value_does_not_keep_the_buffer_it_was_cut_from() {
        let cache = MemoryCache::new(ManualClock::default());
        let buffer = Bytes::from(vec![7; 1 << 20]);
        block_on(async {
            cache
                .put(&key(1), buffer.slice(10..20), Duration::from_secs(1))
                .await
                .unwrap();
            let kept = cache.get(&key(1)).await.unwrap().unwrap();
            assert_eq!(kept, buffer.slice(10..20));
            assert!(!buffer.as_ptr_range().contains(&kept.as_ptr()));
        });
        assert!(buffer.is_unique(), "the cache holds on to it");
    }

    #[test]
    fn the_account_of_bytes_returns_to_zero() {
        let clock = ManualClock::default();
        let cache = MemoryCache::new(clock.clone());
        block_on(async {
            cache
                .put(&key(1), "a".into(), Duration::from_secs(1))
                .await
                .unwrap();
            cache
                .put(&key(1), "bcd".into(), Duration::from_secs(1))
                .await
                .unwrap();
            cache
                .put(&key(2), "e".into(), Duration::from_secs(1))
                .await
                .unwrap();
            cache.delete(&key(2)).await.unwrap();
            clock.advance(Duration::from_secs(1));
            assert!(cache.get(&key(1)).await.unwrap().is_none());
        });
        assert_eq!(cache.with(|entries| entries.bytes), 0);
    }
}
