use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{CachePurge, Clock, Context, Error, KeyValue, Purge, Result, Timestamp};
use sha2::{Digest, Sha256};

/// Which answers were purged, and when: a log in a key-value store that every reader of a cache looks at.
///
/// A store cannot list entries by tag, and a cache may have several tiers, so nothing is deleted: an entry says when it was asked for, and
/// one from before a purge that names it is passed over. Each purge is a key of its own, so that two at once do not overwrite each other.
///
/// It holds in the isolate that purged at once, and elsewhere after the store's own delay (Workers KV: about a minute) and the
/// [interval](Self::interval) at which isolates read the log: 90 seconds together, unless set.
#[derive(Debug)]
pub struct PurgeLog {
    store: Arc<dyn KeyValue>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    purges: BTreeMap<Name, Timestamp>,
    /// Everything from before is taken as purged: the log goes no further back.
    floor: Timestamp,
    /// When the log was read last, or somebody began to.
    read: Option<Timestamp>,
    complete: bool,
}

/// What a purge names.
type Name = [u8; 16];

const PREFIX: &str = "purge-";

/// Pages of the log that are read: with Workers KV, ten thousand purges.
const MAX_PAGES: usize = 10;

/// Names that are remembered.
const MAX_KNOWN: usize = 10_000;

/// As long as any entry lives: a month, and another one past its time.
const KEPT: Duration = Duration::from_secs(62 * 24 * 3_600);

/// The longest part of a name.
const MAX_PART: usize = 512;

impl PurgeLog {
    /// A log in `store`; it may be the one that keeps the answers.
    pub fn new(store: impl KeyValue, clock: impl Clock) -> Self {
        Self {
            store: Arc::new(store),
            clock: Arc::new(clock),
            interval: Duration::from_secs(30),
            known: Mutex::default(),
        }
    }

    /// Sets how often an isolate reads the log, while it is asked; 30 seconds unless set.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Whether what was asked for at `asked` has been purged since. Reads the log when it is time: at first before it answers, later behind
    /// the request.
    pub(crate) async fn has_purged(
        self: &Arc<Self>,
        context: &Context,
        model: &str,
        tags: &[String],
        asked: Timestamp,
    ) -> bool {
        let now = self.clock.now();
        let (due, complete) = self.with(|known| {
            let due = known.read.is_none_or(|read| now.since(read) >= self.interval);
            if due {
                known.read = Some(now);
            }
            (due, known.complete)
        });
        if !complete {
            self.read_and_tell(context).await;
        } else if due {
            let (log, context_) = (Arc::clone(self), context.clone());
            let read = async move { log.read_and_tell(&context_).await };
            context.defer(read).await;
        }
        self.with(|known| known.names(context.tenant.as_deref(), model, tags, asked))
    }

    async fn read_and_tell(&self, context: &Context) {
        if let Err(error) = self.read().await {
            context.trail.warn(format!("cache: the log of purges: {error}"));
        }
    }

    async fn read(&self) -> Result<()> {
        let (mut listed, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
        let cut = loop {
            let page = self.store.list(PREFIX, cursor.as_deref()).await?;
            listed.extend(page.keys.iter().filter_map(|key| parse(key)));
            pages += 1;
            cursor = page.cursor;
            match cursor {
                None => break false,
                Some(_) if pages == MAX_PAGES => break true,
                Some(_) => {}
            }
        };
        self.with(|known| {
            if cut && let Some((time, _)) = listed.last() {
                known.floor = known.floor.max(*time);
            }
            for (time, name) in listed {
                known.add(name, time);
            }
            known.complete = true;
        });
        Ok(())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Known) -> T) -> T {
        f(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl CachePurge for PurgeLog {
    async fn purge(&self, purge: &Purge) -> Result<()> {
        for (field, part) in [
            ("tenant", &purge.tenant),
            ("model", &purge.model),
            ("tag", &purge.tag),
        ] {
            if part.as_ref().is_some_and(|part| part.len() > MAX_PART) {
                return Err(Error::invalid(field, format!("it has at most {MAX_PART} bytes")));
            }
        }
        let now = self.clock.now();
        let name = name(
            purge.tenant.as_deref(),
            purge.model.as_deref(),
            purge.tag.as_deref(),
        );
        self.store.put(&key(now, &name), Bytes::new(), Some(KEPT)).await?;
        self.with(|known| known.add(name, now));
        Ok(())
    }
}

impl Known {
    fn add(&mut self, name: Name, time: Timestamp) {
        let known = self.purges.entry(name).or_insert(time);
        *known = time.max(*known);
        if self.purges.len() > MAX_KNOWN
            && let Some((oldest, time)) = self
                .purges
                .iter()
                .map(|(name, time)| (*name, *time))
                .min_by_key(|(_, time)| *time)
        {
            self.purges.remove(&oldest);
            self.floor = self.floor.max(time);
        }
    }

    /// Whether a purge since `asked` names an entry.
    fn names(&self, tenant: Option<&str>, model: &str, tags: &[String], asked: Timestamp) -> bool {
        // What is asked for in the millisecond of a purge goes with it.
        if asked <= self.floor && self.floor > Timestamp::default() {
            return true;
        }
        if self.purges.values().all(|time| *time < asked) {
            return false;
        }
        let hit = |tenant, model, tag| {
            let time = self.purges.get(&name(tenant, model, tag));
            time.is_some_and(|time| *time >= asked)
        };
        let tags = || tags.iter().map(|tag| Some(tag.as_str())).chain([None]);
        [None, Some(tenant.unwrap_or_default())]
            .into_iter()
            .any(|tenant| {
                [None, Some(model)]
                    .into_iter()
                    .any(|model| tags().any(|tag| hit(tenant, model, tag)))
            })
    }
}

fn name(tenant: Option<&str>, model: Option<&str>, tag: Option<&str>) -> Name {
    let mut hash = Sha256::new();
    for part in [tenant, model, tag] {
        hash.update([u8::from(part.is_some())]);
        hash.update((part.unwrap_or_default().len() as u64).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest;
    first
}

/// The newest comes first in byte order.
fn key(time: Timestamp, name: &Name) -> String {
    let mut key = format!("{PREFIX}{:016x}-", u64::MAX - time.as_millis());
    for byte in name {
        // Writing to a text does not fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

fn parse(key: &str) -> Option<(Timestamp, Name)> {
    let (time, name) = key.strip_prefix(PREFIX)?.split_once('-')?;
    let time = u64::MAX - u64::from_str_radix(time, 16).ok()?;
    let name = u128::from_str_radix(name, 16).ok()?.to_be_bytes();
    Some((Timestamp::from_millis(time), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryKeyValue;
    use edge_ai_core::ManualClock;
    use futures_executor::block_on;

    fn logs() -> (ManualClock, Arc<PurgeLog>, Arc<PurgeLog>) {
        let clock = ManualClock::new(Timestamp::from_millis(1_000));
        let store = Arc::new(MemoryKeyValue::new(clock.clone()));
        let log = || Arc::new(PurgeLog::new(Arc::clone(&store), clock.clone()));
        (clock.clone(), log(), log())
    }

    fn purged(log: &Arc<PurgeLog>, tenant: Option<&str>, model: &str, tags: &[&str], millis: u64) -> bool {
        let mut context = Context::default();
        context.tenant = tenant.map(Into::into);
        let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
        block_on(log.has_purged(&context, model, &tags, Timestamp::from_millis(millis)))
    }

    #[test]
    fn a_key_says_when_and_what_and_the_newest_is_first() {
        let name = name(Some("t"), None, Some("x"));
        let (old, new) = (Timestamp::from_millis(5), Timestamp::from_millis(6));
        assert_eq!(parse(&key(old, &name)), Some((old, name)));
        assert!(key(new, &name) < key(old, &name));
        assert_eq!(parse("purge-x-y"), None);
    }

    #[test]
    fn a_purge_names_what_has_all_of_its_parts() {
        let (clock, log, _) = logs();
        let all = Purge::everything();
        let cases = [
            (all.clone().tagged("x"), [true, false, true, false]),
            (all.clone().of_tenant("a"), [true, true, false, false]),
            (all.clone().of_tenant(""), [false, false, false, true]),
            (
                all.clone().of_tenant("b").tagged("x"),
                [false, false, true, false],
            ),
            (all.clone().of_model("m"), [true, true, true, true]),
            (all.clone().of_model("n"), [false; 4]),
            (all, [true; 4]),
        ];
        for (purge, expect) in cases {
            let asked = clock.now().as_millis();
            block_on(log.purge(&purge)).unwrap();
            let found = [
                purged(&log, Some("a"), "m", &["y", "x"], asked),
                purged(&log, Some("a"), "m", &[], asked),
                purged(&log, Some("b"), "m", &["x"], asked),
                purged(&log, None, "m", &[], asked),
            ];
            assert_eq!(found, expect, "{purge:?}");
            clock.advance(Duration::from_millis(1));
            let now = clock.now().as_millis();
            assert!(
                !purged(&log, Some("a"), "m", &["x"], now),
                "what comes later is kept"
            );
        }
    }

    #[test]
    fn another_isolate_learns_of_it_at_its_next_reading() {
        let (clock, here, there) = logs();
        assert!(!purged(&there, None, "m", &["x"], 1_000));
        block_on(here.purge(&Purge::everything().tagged("x"))).unwrap();
        assert!(purged(&here, None, "m", &["x"], 1_000));
        assert!(!purged(&there, None, "m", &["x"], 1_000));
        clock.advance(Duration::from_secs(30));
        assert!(purged(&there, None, "m", &["x"], 1_000));
    }

    #[test]
    fn a_new_isolate_reads_before_it_answers() {
        let (_, here, there) = logs();
        block_on(here.purge(&Purge::everything())).unwrap();
        assert!(purged(&there, Some("a"), "m", &[], 1_000));
    }

    #[test]
    fn what_is_forgotten_takes_more_with_it_and_never_less() {
        let mut known = Known::default();
        for n in 0..=MAX_KNOWN as u64 {
            let name = u128::from(n).to_be_bytes();
            known.add(name, Timestamp::from_millis(10 + n));
        }
        assert_eq!(known.purges.len(), MAX_KNOWN);
        assert!(known.names(None, "m", &[], Timestamp::from_millis(10)));
        assert!(!known.names(None, "m", &[], Timestamp::from_millis(11)));
    }

    #[test]
    fn a_name_that_is_too_long_is_refused() {
        let (_, log, _) = logs();
        let error = block_on(log.purge(&Purge::everything().tagged("x".repeat(513)))).unwrap_err();
        assert_eq!(error.param(), Some("tag"));
    }
}
