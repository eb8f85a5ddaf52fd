use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::Timestamp;

/// What an isolate has read from a store, for a while and for so many.
///
/// Plain memory: no request waits for another's read.
#[derive(Debug)]
pub(crate) struct Known<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    capacity: usize,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    value: V,
    /// When the store said so.
    read: Timestamp,
    /// When it is to be asked again.
    due: Timestamp,
}

/// What is known, and how well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge<V> {
    /// The store has said so of late.
    Fresh(V),
    /// The same, and it is time to ask ahead; only one request is told.
    Ageing(V),
    /// The store said so this long ago.
    Stale(V, Duration),
    /// Nothing.
    Nothing,
}

impl<K: Eq + Hash + Clone, V: Clone> Known<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::default(),
            capacity,
        }
    }

    /// What is known of `key`; a value is asked for again once half of `ttl` has passed, and is stale after it.
    pub(crate) fn get(&self, key: &K, now: Timestamp, ttl: Duration) -> Knowledge<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get_mut(key) else {
            return Knowledge::Nothing;
        };
        let age = now.since(entry.read);
        let value = entry.value.clone();
        if now < entry.due {
            return Knowledge::Fresh(value);
        }
        if age < ttl {
            // Whoever asks ahead has until the value is stale.
            entry.due = entry.read + ttl;
            return Knowledge::Ageing(value);
        }
        Knowledge::Stale(value, age)
    }

    /// Keeps what the store has just said.
    pub(crate) fn put(&self, key: K, value: V, now: Timestamp, ttl: Duration) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            make_room(&mut entries, self.capacity);
        }
        let due = now + ttl / 2;
        entries.insert(
            key,
            Entry {
                value,
                read: now,
                due,
            },
        );
    }

    /// Leaves the store alone for a while: it does not answer.
    pub(crate) fn postpone(&self, key: &K, until: Timestamp) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(key) {
            entry.due = until;
        }
    }

    /// Forgets what is no longer so.
    pub(crate) fn forget(&self, gone: impl Fn(&K, &V) -> bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|key, entry| !gone(key, &entry.value));
    }
}

/// Drops the eighth that was read longest ago: each search makes room for many.
fn make_room<K: Eq + Hash + Clone, V>(entries: &mut HashMap<K, Entry<V>>, capacity: usize) {
    let mut order: Vec<_> = entries
        .iter()
        .map(|(key, entry)| (entry.read, key.clone()))
        .collect();
    order.sort_unstable_by_key(|(read, _)| *read);
    for (_, key) in order.into_iter().take(capacity.div_ceil(8)) {
        entries.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    #[test]
    fn a_value_ages_once_and_is_stale_then() {
        let known = Known::new(8);
        known.put("a", 1, at(0), TTL);
        assert_eq!(known.get(&"a", at(29), TTL), Knowledge::Fresh(1));
        assert_eq!(known.get(&"a", at(30), TTL), Knowledge::Ageing(1));
        assert_eq!(known.get(&"a", at(31), TTL), Knowledge::Fresh(1));
        assert_eq!(known.get(&"a", at(60), TTL), Knowledge::Stale(1, TTL));
        known.postpone(&"a", at(65));
        assert_eq!(known.get(&"a", at(64), TTL), Knowledge::Fresh(1));
        assert_eq!(
            known.get(&"a", at(65), TTL),
            Knowledge::Stale(1, Duration::from_secs(65))
        );
        known.forget(|_, value| *value == 1);
        assert_eq!(known.get(&"a", at(65), TTL), Knowledge::Nothing);
    }

    #[test]
    fn the_oldest_make_room() {
        let known = Known::new(16);
        for key in 0..1_000_u64 {
            known.put(key, (), at(key), TTL);
            assert!(known.entries.lock().unwrap().len() <= 16);
        }
        assert_eq!(known.get(&999, at(999), TTL), Knowledge::Fresh(()));
    }
}
