use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{
    Bytes, Clock, Error, ErrorKind, KeyPage, KeyValue, ManualClock, Result, Timestamp, async_trait,
};
use futures_executor::block_on;

use super::{KeyValueSubject, cases};

const MAX_KEY_BYTES: usize = 512;
const MAX_VALUE_BYTES: usize = 25 << 20;

/// The smallest store that keeps every clause.
#[derive(Clone, Debug)]
pub(in crate::contract) struct MemoryKeyValue {
    clock: Arc<dyn Clock>,
    page: usize,
    entries: Arc<Mutex<BTreeMap<String, Entry>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Bytes,
    expires: Option<Timestamp>,
}

impl MemoryKeyValue {
    /// An empty store by this clock.
    pub(in crate::contract) fn with_clock(clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            page: 1_000,
            entries: Arc::default(),
        }
    }

    /// Lists at most `keys` at a time, and at least one; 1,000 unless told otherwise, as Workers KV does.
    #[must_use]
    pub(in crate::contract) fn with_page(self, keys: usize) -> Self {
        Self {
            page: keys.max(1),
            ..self
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<String, Entry>) -> T) -> T {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.expires.is_none_or(|expires| expires > now));
        f(&mut entries)
    }
}

#[async_trait]
impl KeyValue for MemoryKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        check_key(key)?;
        Ok(self.with(|entries| entries.get(key).map(|entry| entry.value.clone())))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Option<Duration>) -> Result<()> {
        check_key(key)?;
        if value.len() > MAX_VALUE_BYTES {
            let message = format!(
                "a value has at most {MAX_VALUE_BYTES} bytes, this one has {}",
                value.len()
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let expires = ttl.map(|ttl| self.clock.now() + ttl);
        self.with(|entries| entries.insert(key.to_owned(), Entry { value, expires }));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.with(|entries| entries.remove(key));
        Ok(())
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage> {
        let from = cursor.unwrap_or(prefix).to_owned();
        let mut keys: Vec<String> = self.with(|entries| {
            let range = entries.range(from..).map(|(key, _)| key);
            range
                .take_while(|key| key.starts_with(prefix))
                .take(self.page + 1)
                .cloned()
                .collect()
        });
        // The cursor is the first key of the next page.
        let cursor = if keys.len() > self.page { keys.pop() } else { None };
        Ok(KeyPage::new(keys, cursor))
    }
}

fn check_key(key: &str) -> Result<()> {
    if matches!(key, "" | "." | "..") || key.len() > MAX_KEY_BYTES {
        return Err(Error::invalid(
            "key",
            format!("a key has 1 to {MAX_KEY_BYTES} bytes and is not `.` or `..`"),
        ));
    }
    Ok(())
}

#[test]
fn a_store_that_keeps_every_clause_passes() {
    let subject = || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        KeyValueSubject::new(MemoryKeyValue::with_clock(clock.clone()).with_page(7))
            .with_clock(clock)
            .with_page(7)
    };
    block_on(crate::run(cases(), subject)).assert_passed_but(&[]);
}

/// Keeps everything for good, and lists backwards without an end.
#[derive(Debug)]
struct Forgetful(MemoryKeyValue);

#[async_trait]
impl KeyValue for Forgetful {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, _ttl: Option<Duration>) -> Result<()> {
        self.0.put(key, value, None).await
    }

    async fn delete(&self, _key: &str) -> Result<()> {
        Ok(())
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KeyPage> {
        let page = self.0.list(prefix, cursor).await?;
        Ok(KeyPage::new(page.keys.into_iter().rev().collect(), None))
    }
}

#[test]
fn each_broken_clause_is_found() {
    let subject = || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        KeyValueSubject::new(Forgetful(MemoryKeyValue::with_clock(clock.clone()).with_page(7)))
            .with_clock(clock)
            .with_page(7)
    };
    let report = block_on(crate::run(cases(), subject));
    let failed: Vec<_> = report.failed().map(|(name, _)| name).collect();
    let expected = [
        "a_deleted_key_has_no_value",
        "bad_keys_are_refused",
        "a_value_expires_after_its_ttl",
        "a_list_has_the_keys_of_its_prefix_in_byte_order",
        "pages_cover_every_key_once",
    ];
    assert_eq!(failed, expected, "{report}");
}
