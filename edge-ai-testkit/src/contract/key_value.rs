//! The contract of [`KeyValue`].

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Bytes, Clock, ErrorKind, KeyValue, ManualClock, Timestamp};
use futures_util::stream::{self, StreamExt};

use super::{fails_with, wait};
use crate::case::{cases, ensure, require};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A key-value store under test.
#[derive(Clone, Debug)]
pub struct KeyValueSubject {
    store: Arc<dyn KeyValue>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    ttl: Option<Duration>,
    settle: Duration,
    page: Option<usize>,
}

impl KeyValueSubject {
    /// A store whose writes are visible at once, on a clock that jumps over waits.
    pub fn new(store: impl KeyValue) -> Self {
        Self {
            store: Arc::new(store),
            scope: Scope::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::from_millis(1))),
            ttl: Some(Duration::from_secs(2)),
            settle: Duration::ZERO,
            page: None,
        }
    }

    /// Prefixes keys with a text of this run alone, for a store that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// Waits by this clock; the store must go by the same.
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

    /// Writes are visible after `settle`.
    #[must_use]
    pub fn with_settle(self, settle: Duration) -> Self {
        Self { settle, ..self }
    }

    /// A list has at most `keys` a page, so that more of them make several pages.
    #[must_use]
    pub fn with_page(self, keys: usize) -> Self {
        Self {
            page: Some(keys),
            ..self
        }
    }

    async fn put(&self, key: &str, value: impl Into<Bytes>) -> Check {
        self.store
            .put(key, value.into(), None)
            .await
            .must("`put` keeps a value")?;
        wait(&*self.clock, self.settle).await;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Stop> {
        self.store.get(key).await.must("`get` answers for a valid key")
    }

    /// All pages of a list.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Stop> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self
                .store
                .list(prefix, cursor.as_deref())
                .await
                .must("`list` answers a page")?;
            keys.extend(page.keys);
            ensure!(
                keys.len() < 100_000,
                "a `list` comes to its end, but cursors keep coming"
            );
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(keys),
            }
        }
    }
}

impl Subject for KeyValueSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<KeyValueSubject>> {
    cases![
        an_unknown_key_has_no_value,
        what_was_put_is_got,
        a_put_replaces,
        values_are_any_bytes,
        a_deleted_key_has_no_value,
        deleting_an_unknown_key_is_fine,
        keys_may_be_any_text_up_to_512_bytes,
        bad_keys_are_refused,
        a_value_over_25_mib_is_too_large,
        a_value_with_a_ttl_is_there_at_first,
        a_value_expires_after_its_ttl,
        a_list_has_the_keys_of_its_prefix_in_byte_order,
        an_unknown_prefix_lists_nothing,
        pages_cover_every_key_once,
    ]
}

async fn an_unknown_key_has_no_value(subject: KeyValueSubject) -> Check {
    let found = subject.get(&subject.scope.name("unknown")).await?;
    ensure!(
        found.is_none(),
        "an unknown key has no value, but `get` answered {found:?}"
    );
    Ok(())
}

async fn what_was_put_is_got(subject: KeyValueSubject) -> Check {
    let (a, b) = (subject.scope.name("a"), subject.scope.name("b"));
    subject.put(&a, "one").await?;
    subject.put(&b, "two").await?;
    let found = (subject.get(&a).await?, subject.get(&b).await?);
    ensure!(
        found == (Some("one".into()), Some("two".into())),
        "`get` answers what was put under each key, but it answered {found:?}"
    );
    Ok(())
}

async fn a_put_replaces(subject: KeyValueSubject) -> Check {
    let key = subject.scope.name("key");
    subject.put(&key, "a longer first value").await?;
    subject.put(&key, "second").await?;
    let found = subject.get(&key).await?;
    ensure!(
        found.as_deref() == Some(b"second"),
        "`put` replaces what was there, but `get` answered {found:?}"
    );
    Ok(())
}

async fn values_are_any_bytes(subject: KeyValueSubject) -> Check {
    let (all, empty) = (subject.scope.name("all"), subject.scope.name("empty"));
    let bytes: Vec<u8> = (0..=255).cycle().take(64 << 10).collect();
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

async fn a_deleted_key_has_no_value(subject: KeyValueSubject) -> Check {
    let (gone, kept) = (subject.scope.name("gone"), subject.scope.name("kept"));
    subject.put(&gone, "x").await?;
    subject.put(&kept, "y").await?;
    subject.store.delete(&gone).await.must("`delete` removes a key")?;
    wait(&*subject.clock, subject.settle).await;
    ensure!(subject.get(&gone).await?.is_none(), "a deleted key has no value");
    ensure!(
        subject.get(&kept).await?.is_some(),
        "`delete` removes its key and no other"
    );
    Ok(())
}

async fn deleting_an_unknown_key_is_fine(subject: KeyValueSubject) -> Check {
    subject
        .store
        .delete(&subject.scope.name("unknown"))
        .await
        .must("deleting an unknown key is fine")
}

async fn keys_may_be_any_text_up_to_512_bytes(subject: KeyValueSubject) -> Check {
    let longest = format!("{:x<512}", subject.scope.name("long"));
    let named = [
        "a/b/../c",
        "with space",
        "ünïcode/キー",
        "percent%2Fplus+",
        "quote\"'`",
        ":",
        "q?a=1&b=2#c",
    ];
    let keys: Vec<String> = named
        .into_iter()
        .map(|label| subject.scope.name(label))
        .chain([longest])
        .collect();
    for key in &keys {
        subject.put(key, key.clone()).await?;
    }
    for key in &keys {
        let found = subject.get(key).await?;
        ensure!(
            found.as_deref() == Some(key.as_bytes()),
            "the key `{key}` is kept apart, but `get` answered {found:?}"
        );
    }
    Ok(())
}

async fn bad_keys_are_refused(subject: KeyValueSubject) -> Check {
    let long = "x".repeat(513);
    for key in ["", ".", "..", long.as_str()] {
        let shown = if key.len() > 9 { "a key of 513 bytes" } else { key };
        let kind = ErrorKind::InvalidRequest;
        let store = &subject.store;
        fails_with(
            store.get(key).await,
            kind,
            &format!("`get` refuses the key `{shown}`"),
        )?;
        fails_with(
            store.put(key, "x".into(), None).await,
            kind,
            &format!("`put` refuses the key `{shown}`"),
        )?;
        fails_with(
            store.delete(key).await,
            kind,
            &format!("`delete` refuses the key `{shown}`"),
        )?;
    }
    Ok(())
}

async fn a_value_over_25_mib_is_too_large(subject: KeyValueSubject) -> Check {
    let value = Bytes::from(vec![0; (25 << 20) + 1]);
    let put = subject.store.put(&subject.scope.name("large"), value, None).await;
    fails_with(put, ErrorKind::TooLarge, "a value over 25 MiB is refused")
}

async fn a_value_with_a_ttl_is_there_at_first(subject: KeyValueSubject) -> Check {
    for ttl in [
        Duration::from_secs(1),
        Duration::from_millis(90_500),
        Duration::from_secs(86_400),
    ] {
        let key = subject.scope.name(&ttl.as_millis().to_string());
        let put = subject.store.put(&key, "x".into(), Some(ttl)).await;
        put.must(&format!(
            "a ttl of {ttl:?} is taken, rounded up where the store is coarser"
        ))?;
        if subject.settle < ttl {
            wait(&*subject.clock, subject.settle).await;
            ensure!(
                subject.get(&key).await?.is_some(),
                "a value with a ttl of {ttl:?} is there before its end"
            );
        }
    }
    Ok(())
}

async fn a_value_expires_after_its_ttl(subject: KeyValueSubject) -> Check {
    let Some(ttl) = subject.ttl else {
        return Err(Stop::skipped(
            "the shortest ttl of the store is too long to wait for",
        ));
    };
    let (short, forever) = (subject.scope.name("short"), subject.scope.name("forever"));
    subject.put(&forever, "x").await?;
    subject
        .store
        .put(&short, "x".into(), Some(ttl))
        .await
        .must("`put` keeps a value for a while")?;
    subject.clock.sleep(ttl + Duration::from_millis(1)).await;
    ensure!(
        subject.get(&short).await?.is_none(),
        "a value is gone after its ttl"
    );
    let listed = subject.list(&subject.scope.digest("")).await?;
    ensure!(
        listed == [forever.clone()],
        "an expired key is not listed, but `list` answered {listed:?}"
    );
    subject.put(&short, "again").await?;
    ensure!(
        subject.get(&short).await?.is_some(),
        "a value that is put anew without a ttl is kept"
    );
    Ok(())
}

async fn a_list_has_the_keys_of_its_prefix_in_byte_order(subject: KeyValueSubject) -> Check {
    let mut keys: Vec<String> = ["b", "a", "a/2", "a/10", "B", "é", "z", "~"]
        .into_iter()
        .map(|label| subject.scope.name(label))
        .collect();
    for key in &keys {
        subject.put(key, "x").await?;
    }
    keys.sort_unstable();
    let all = subject.list(&subject.scope.name("")).await?;
    ensure!(
        all == keys,
        "`list` answers the keys of a prefix in byte order, {keys:?}, but it answered {all:?}"
    );
    let prefix = subject.scope.name("a");
    let some = subject.list(&prefix).await?;
    let expected: Vec<String> = keys.into_iter().filter(|key| key.starts_with(&prefix)).collect();
    ensure!(
        some == expected,
        "`list` answers only keys of the prefix, {expected:?}, but it answered {some:?}"
    );
    Ok(())
}

async fn an_unknown_prefix_lists_nothing(subject: KeyValueSubject) -> Check {
    let page = subject
        .store
        .list(&subject.scope.name("none"), None)
        .await
        .must("`list` answers for an unknown prefix")?;
    ensure!(
        page.keys.is_empty() && page.cursor.is_none(),
        "an unknown prefix has one empty page, not {page:?}"
    );
    Ok(())
}

async fn pages_cover_every_key_once(subject: KeyValueSubject) -> Check {
    require!(subject.page.is_some(), "the subject names no page size");
    let count = subject.page.unwrap_or_default() * 2 + 1;
    let keys: Vec<String> = (0..count)
        .map(|index| subject.scope.name(&format!("{index:06}")))
        .collect();
    let puts = stream::iter(keys.clone()).map(|key| {
        let store = Arc::clone(&subject.store);
        async move { store.put(&key, Bytes::from_static(b"x"), None).await }
    });
    for put in puts.buffer_unordered(16).collect::<Vec<_>>().await {
        put.must("`put` keeps a value")?;
    }
    wait(&*subject.clock, subject.settle).await;
    let first = subject
        .store
        .list(&subject.scope.name(""), None)
        .await
        .must("`list` answers a page")?;
    ensure!(
        first.cursor.is_some(),
        "a list of {count} keys has more than one page"
    );
    let listed = subject.list(&subject.scope.name("")).await?;
    ensure!(
        listed == keys,
        "the pages of a list have every key once and in order: {} of {count}",
        listed.len()
    );
    Ok(())
}
