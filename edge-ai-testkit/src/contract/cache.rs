//! The contract of [`Cache`].

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Bytes, Cache, CacheKey, Clock, ErrorKind, ManualClock, Timestamp};
use futures_util::future::join;

use super::{fails_with, wait};
use crate::case::{cases, ensure};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A cache under test.
#[derive(Clone, Debug)]
pub struct CacheSubject {
    cache: Arc<dyn Cache>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    ttl: Option<Duration>,
    granularity: Duration,
    settle: Duration,
    max_value: Option<usize>,
}

impl CacheSubject {
    /// A cache whose writes are visible at once, on a clock that jumps over waits.
    pub fn new(cache: impl Cache) -> Self {
        Self {
            cache: Arc::new(cache),
            scope: Scope::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::from_millis(1))),
            ttl: Some(Duration::from_secs(2)),
            granularity: Duration::ZERO,
            settle: Duration::ZERO,
            max_value: None,
        }
    }

    /// Makes keys from a text of this run alone, for a cache that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// Waits by this clock; the cache must go by the same.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Expiry is tried with this `ttl`; `None` when the shortest is too long to wait for.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<Duration>) -> Self {
        Self { ttl, ..self }
    }

    /// The store's clock is so coarse that a value may live longer by this.
    #[must_use]
    pub fn with_granularity(self, granularity: Duration) -> Self {
        Self { granularity, ..self }
    }

    /// Writes are visible after `settle`.
    #[must_use]
    pub fn with_settle(self, settle: Duration) -> Self {
        Self { settle, ..self }
    }

    /// A value over so many bytes is too large.
    #[must_use]
    pub fn with_max_value(self, bytes: usize) -> Self {
        Self {
            max_value: Some(bytes),
            ..self
        }
    }

    fn key(&self, label: &str) -> CacheKey {
        CacheKey::from_digest("contract", self.scope.digest(label).as_bytes())
    }

    async fn put(&self, key: &CacheKey, value: impl Into<Bytes>) -> Check {
        self.cache
            .put(key, value.into(), Duration::from_secs(3_600))
            .await
            .must("`put` keeps a value")?;
        wait(&*self.clock, self.settle).await;
        Ok(())
    }

    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>, Stop> {
        self.cache.get(key).await.must("`get` answers")
    }
}

impl Subject for CacheSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<CacheSubject>> {
    cases![
        an_unknown_key_is_a_miss,
        what_was_put_is_got,
        a_put_replaces,
        values_are_any_bytes,
        a_value_of_a_mebibyte_comes_back,
        keys_are_kept_apart,
        a_deleted_key_is_a_miss,
        deleting_an_unknown_key_is_fine,
        a_zero_ttl_keeps_nothing,
        a_value_is_there_before_its_ttl_ends,
        a_value_expires_after_its_ttl,
        a_put_renews_the_ttl,
        writers_together_never_mix_values,
        a_value_over_the_limit_is_too_large,
    ]
}

async fn an_unknown_key_is_a_miss(subject: CacheSubject) -> Check {
    let found = subject.get(&subject.key("unknown")).await?;
    ensure!(
        found.is_none(),
        "an unknown key is a miss, but `get` answered {found:?}"
    );
    Ok(())
}

async fn what_was_put_is_got(subject: CacheSubject) -> Check {
    let key = subject.key("key");
    subject.put(&key, "value").await?;
    for _ in 0..2 {
        let found = subject.get(&key).await?;
        ensure!(
            found.as_deref() == Some(b"value"),
            "`get` answers what was put, every time, not {found:?}"
        );
    }
    Ok(())
}

async fn a_put_replaces(subject: CacheSubject) -> Check {
    let key = subject.key("key");
    subject.put(&key, "a longer first value").await?;
    subject.put(&key, "second").await?;
    let found = subject.get(&key).await?;
    ensure!(
        found.as_deref() == Some(b"second"),
        "`put` replaces what was there, but `get` answered {found:?}"
    );
    Ok(())
}

async fn values_are_any_bytes(subject: CacheSubject) -> Check {
    let (all, empty) = (subject.key("all"), subject.key("empty"));
    let bytes: Vec<u8> = (0..=255).collect();
    subject.put(&all, bytes.clone()).await?;
    subject.put(&empty, "").await?;
    ensure!(
        subject.get(&all).await?.as_deref() == Some(&bytes[..]),
        "values are bytes and come back as they were"
    );
    let found = subject.get(&empty).await?;
    ensure!(
        found.as_deref() == Some(b""),
        "an empty value is a value, but `get` answered {found:?}"
    );
    Ok(())
}

async fn a_value_of_a_mebibyte_comes_back(subject: CacheSubject) -> Check {
    let size = subject.max_value.unwrap_or(1 << 20).min(1 << 20);
    let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let key = subject.key("large");
    subject.put(&key, bytes.clone()).await?;
    ensure!(
        subject.get(&key).await?.as_deref() == Some(&bytes[..]),
        "a value of {size} bytes comes back as it was"
    );
    Ok(())
}

async fn keys_are_kept_apart(subject: CacheSubject) -> Check {
    let keys: Vec<_> = (0..20)
        .map(|index| (index.to_string(), subject.key(&index.to_string())))
        .collect();
    for (value, key) in &keys {
        subject.put(key, value.clone()).await?;
    }
    for (value, key) in &keys {
        let found = subject.get(key).await?;
        ensure!(
            found.as_deref() == Some(value.as_bytes()),
            "keys do not touch each other: {key:?} has {found:?}"
        );
    }
    Ok(())
}

async fn a_deleted_key_is_a_miss(subject: CacheSubject) -> Check {
    let (gone, kept) = (subject.key("gone"), subject.key("kept"));
    subject.put(&gone, "x").await?;
    subject.put(&kept, "y").await?;
    subject.cache.delete(&gone).await.must("`delete` forgets a key")?;
    wait(&*subject.clock, subject.settle).await;
    ensure!(subject.get(&gone).await?.is_none(), "a deleted key is a miss");
    ensure!(
        subject.get(&kept).await?.is_some(),
        "`delete` forgets its key and no other"
    );
    Ok(())
}

async fn deleting_an_unknown_key_is_fine(subject: CacheSubject) -> Check {
    subject
        .cache
        .delete(&subject.key("unknown"))
        .await
        .must("deleting an unknown key is fine")
}

async fn a_zero_ttl_keeps_nothing(subject: CacheSubject) -> Check {
    let (fresh, known) = (subject.key("fresh"), subject.key("known"));
    subject.put(&known, "old").await?;
    for (key, which) in [(&fresh, "an unknown key"), (&known, "a known key")] {
        subject
            .cache
            .put(key, "new".into(), Duration::ZERO)
            .await
            .must("a `put` with a zero ttl succeeds")?;
        wait(&*subject.clock, subject.settle).await;
        let found = subject.get(key).await?;
        ensure!(
            found.is_none(),
            "a zero ttl under {which} keeps nothing, but `get` answered {found:?}"
        );
    }
    Ok(())
}

async fn a_value_is_there_before_its_ttl_ends(subject: CacheSubject) -> Check {
    let key = subject.key("key");
    let ttl = Duration::from_secs(120);
    subject
        .cache
        .put(&key, "x".into(), ttl)
        .await
        .must("`put` keeps a value for a while")?;
    wait(&*subject.clock, subject.settle).await;
    ensure!(
        subject.get(&key).await?.is_some(),
        "a value is there before its ttl of {ttl:?} ends"
    );
    // Shorter than a whole second: coarse stores must round it up, not down to nothing.
    let brief = subject.key("brief");
    subject
        .cache
        .put(&brief, "x".into(), Duration::from_millis(900))
        .await
        .must("`put` takes a ttl under a second")?;
    ensure!(
        subject.get(&brief).await?.is_some(),
        "a ttl of 900 ms is rounded up, not down to nothing"
    );
    Ok(())
}

async fn a_value_expires_after_its_ttl(subject: CacheSubject) -> Check {
    let Some(ttl) = subject.ttl else {
        return Err(Stop::skipped(
            "the shortest ttl of the cache is too long to wait for",
        ));
    };
    let (short, long) = (subject.key("short"), subject.key("long"));
    subject.put(&long, "x").await?;
    subject
        .cache
        .put(&short, "x".into(), ttl)
        .await
        .must("`put` keeps a value for a while")?;
    subject
        .clock
        .sleep(ttl + subject.granularity + Duration::from_millis(1))
        .await;
    ensure!(
        subject.get(&short).await?.is_none(),
        "a value is a miss after its ttl"
    );
    ensure!(
        subject.get(&long).await?.is_some(),
        "a value with a longer ttl is still there"
    );
    Ok(())
}

async fn a_put_renews_the_ttl(subject: CacheSubject) -> Check {
    let Some(ttl) = subject.ttl else {
        return Err(Stop::skipped(
            "the shortest ttl of the cache is too long to wait for",
        ));
    };
    let key = subject.key("key");
    subject
        .cache
        .put(&key, "x".into(), ttl)
        .await
        .must("`put` keeps a value for a while")?;
    subject.put(&key, "y").await?;
    subject
        .clock
        .sleep(ttl + subject.granularity + Duration::from_millis(1))
        .await;
    let found = subject.get(&key).await?;
    ensure!(
        found.as_deref() == Some(b"y"),
        "a later `put` counts with its own ttl, but `get` answered {found:?}"
    );
    Ok(())
}

async fn writers_together_never_mix_values(subject: CacheSubject) -> Check {
    let key = subject.key("key");
    let size = subject.max_value.unwrap_or(256 << 10).min(256 << 10);
    let values = [Bytes::from(vec![b'a'; size]), Bytes::from(vec![b'b'; size / 2])];
    let [first, second] = values.clone();
    let ttl = Duration::from_secs(3_600);
    let (one, two) = join(
        subject.cache.put(&key, first, ttl),
        subject.cache.put(&key, second, ttl),
    )
    .await;
    one.must("`put` keeps a value")?;
    two.must("`put` keeps a value")?;
    wait(&*subject.clock, subject.settle).await;
    let found = subject
        .get(&key)
        .await?
        .must("one of two values put together is there")?;
    ensure!(
        values.contains(&found),
        "a reader sees one value or the other, never a mix"
    );
    Ok(())
}

async fn a_value_over_the_limit_is_too_large(subject: CacheSubject) -> Check {
    let Some(limit) = subject.max_value else {
        return Err(Stop::skipped("the cache has no limit for one value"));
    };
    let key = subject.key("large");
    let put = subject
        .cache
        .put(&key, Bytes::from(vec![0; limit + 1]), Duration::from_secs(60))
        .await;
    fails_with(put, ErrorKind::TooLarge, "a value over the limit is refused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::key_value::tests::MemoryKeyValue;
    use edge_ai_core::{KeyValue, Result, async_trait};
    use futures_executor::block_on;

    /// The smallest cache that keeps every clause, unless it is told to forget about zero.
    #[derive(Debug)]
    struct OverKeyValue {
        store: MemoryKeyValue,
        keeps_zero: bool,
    }

    #[async_trait]
    impl Cache for OverKeyValue {
        async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
            self.store.get(key.as_str()).await
        }

        async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
            let ttl = if ttl.is_zero() && self.keeps_zero {
                Duration::from_secs(60)
            } else {
                ttl
            };
            self.store.put(key.as_str(), value, Some(ttl)).await
        }

        async fn delete(&self, key: &CacheKey) -> Result<()> {
            self.store.delete(key.as_str()).await
        }
    }

    fn subject(keeps_zero: bool) -> CacheSubject {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        let store = MemoryKeyValue::with_clock(clock.clone());
        CacheSubject::new(OverKeyValue { store, keeps_zero })
            .with_clock(clock)
            .with_max_value(25 << 20)
    }

    #[test]
    fn a_cache_that_keeps_every_clause_passes() {
        block_on(crate::run(cases(), || subject(false))).assert_passed_but(&[]);
    }

    #[test]
    fn a_broken_clause_is_found() {
        let report = block_on(crate::run(cases(), || subject(true)));
        let failed: Vec<_> = report.failed().map(|(name, _)| name).collect();
        assert_eq!(failed, ["a_zero_ttl_keeps_nothing"], "{report}");
    }
}
