use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{Database, Error, ErrorKind, Gcra, Quota, Result, Timestamp};

use super::key_format::KeyDigest;
use super::key_store::Found;
use super::known::{Knowledge, Known};
use super::{Authenticator, KeyStore, Presented, Principal, VirtualKey, refused};

/// How long what was read of a key counts, and so how long a key lives on that was revoked elsewhere.
const TTL: Duration = Duration::from_secs(60);
/// For how long known keys go on working while the database does not answer.
const OUTAGE: Duration = Duration::from_secs(3_600);
/// How long the database is left alone after it has not answered.
const PAUSE: Duration = Duration::from_secs(5);
/// How many keys an isolate remembers, and how many strings that are none; about 1 MiB each.
const CAPACITY: usize = 2_048;
/// How many unknown keys an isolate looks up: the database is not asked for every guess.
const UNKNOWN: Quota = Quota::per_minute(300);
/// How exact the time of the last use is.
const USED: Duration = Duration::from_secs(300);

/// Keys of the gateway's making (`eai_…`), kept in a [`Database`] as digests.
///
/// | what | within |
/// | --- | --- |
/// | a key that was revoked, changed or turned off elsewhere is so here | 60 s |
/// | known keys go on working while the database is out | 1 h |
/// | unknown keys while the database is out | refused with 503, which is no word about the key |
/// | strings of the wrong form | refused without asking the database |
/// | well-formed keys that are unknown | each is asked for once in 60 s, and 300 a minute together in an isolate |
///
/// A key is looked up by its SHA-256; how long a search in an index takes tells nothing about 256 bits that nobody can choose. When a
/// key is half a minute old in memory, the next use reads it again after its answer: keys in use never wait for the database.
///
/// Clones share what they know.
#[derive(Clone, Debug)]
pub struct VirtualKeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: KeyStore,
    keys: Known<KeyDigest, Arc<Entry>>,
    strangers: Known<KeyDigest, ()>,
    unknown: Gcra,
    unknown_state: Mutex<u64>,
}

#[derive(Debug)]
struct Entry {
    found: Found,
    principal: Arc<Principal>,
    /// When its last use was noted, in milliseconds since 1970.
    noted: AtomicU64,
}

impl VirtualKeys {
    /// The SQL that makes the tables, for `migrations/` of a Worker.
    pub const MIGRATION: &str = include_str!("keys.sql");

    /// The keys of a database.
    pub fn new(database: impl Database) -> Self {
        Self(Arc::new(Inner {
            store: KeyStore::new(Arc::new(database)),
            keys: Known::new(CAPACITY),
            strangers: Known::new(CAPACITY),
            unknown: Gcra::new(UNKNOWN),
            unknown_state: Mutex::new(0),
        }))
    }

    pub(crate) fn store(&self) -> &KeyStore {
        &self.0.store
    }

    /// Reads a key again at its next use: it was changed here.
    pub(crate) fn forget(&self, id: &str) {
        self.0.keys.forget(|_, entry| entry.found.key.id == id);
    }
}

#[async_trait]
impl Authenticator for VirtualKeys {
    async fn authenticate(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>> {
        let Some(token) = presented.token().filter(|token| VirtualKey::is_meant(token)) else {
            return Ok(None);
        };
        let Some(key) = VirtualKey::parse(token) else {
            return Err(refused(
                "invalid_api_key",
                "the API key is not well-formed: it starts with `eai_` and its checksum does not match; copy it again, whole",
            ));
        };
        let entry = self.0.look_up(key.digest(), presented).await?;
        let principal = entry.check(presented.now)?;
        self.0.note_use(&entry, presented);
        Ok(Some(principal))
    }
}

impl Inner {
    async fn look_up(self: &Arc<Self>, digest: KeyDigest, presented: &Presented<'_>) -> Result<Arc<Entry>> {
        let now = presented.now;
        match self.keys.get(&digest, now, TTL) {
            Knowledge::Fresh(entry) => Ok(entry),
            Knowledge::Ageing(entry) => {
                let this = Arc::clone(self);
                presented.background.run(Box::pin(async move {
                    // What fails here is asked for again once it is stale.
                    let _ = this.read(digest, now).await;
                }));
                Ok(entry)
            }
            Knowledge::Stale(entry, age) => match self.read(digest, now).await {
                Err(error) if error.is_retryable() && age < OUTAGE => {
                    self.keys.postpone(&digest, now + PAUSE);
                    Ok(entry)
                }
                outcome => outcome.map_err(uncertain)?.ok_or_else(unknown),
            },
            Knowledge::Nothing => self.meet(digest, now).await,
        }
    }

    /// Looks up a key that the isolate has not seen.
    async fn meet(&self, digest: KeyDigest, now: Timestamp) -> Result<Arc<Entry>> {
        if let Knowledge::Fresh(()) | Knowledge::Ageing(()) = self.strangers.get(&digest, now, TTL) {
            return Err(unknown());
        }
        if let Err(wait) = self
            .unknown
            .check(self.unknown_state(), now.as_nanos(), std::num::NonZeroU32::MIN)
        {
            let message = "too many unknown API keys were tried here of late; come back a little later";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_code("key_check_unavailable")
                .with_retry_after(Duration::from_nanos(wait)));
        }
        let found = self.read(digest, now).await.map_err(uncertain)?;
        if found.is_none() {
            self.strangers.put(digest, (), now, TTL);
            let mut state = self.unknown_state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(next) = self
                .unknown
                .check(*state, now.as_nanos(), std::num::NonZeroU32::MIN)
            {
                *state = next;
            }
        }
        found.ok_or_else(unknown)
    }

    fn unknown_state(&self) -> u64 {
        *self.unknown_state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the database, and remembers what it says.
    async fn read(&self, digest: KeyDigest, now: Timestamp) -> Result<Option<Arc<Entry>>> {
        let Some(found) = self.store.find(digest).await? else {
            self.keys.forget(|known, _| *known == digest);
            return Ok(None);
        };
        let entry = Arc::new(Entry {
            principal: Arc::new(found.key.principal()),
            noted: AtomicU64::new(found.key.last_used_at_ms.unwrap_or_default()),
            found,
        });
        self.keys.put(digest, Arc::clone(&entry), now, TTL);
        Ok(Some(entry))
    }

    /// Notes the use after the answer, once in a while.
    fn note_use(self: &Arc<Self>, entry: &Entry, presented: &Presented<'_>) {
        let now = presented.now.as_millis();
        let noted = entry.noted.load(Ordering::Relaxed);
        if u128::from(now.saturating_sub(noted)) < USED.as_millis() {
            return;
        }
        entry.noted.store(now, Ordering::Relaxed);
        let (this, id) = (Arc::clone(self), entry.found.key.id.clone());
        presented.background.run(Box::pin(async move {
            // The next use that is noted makes up for one that is lost.
            let _ = this.store.touch(&id, now).await;
        }));
    }
}

impl Entry {
    fn check(&self, now: Timestamp) -> Result<Arc<Principal>> {
        let id = &self.found.key.id;
        let settings = &self.found.key.settings;
        let over = |until: Option<u64>| until.is_some_and(|until| now.as_millis() >= until);
        if settings.disabled {
            let message =
                format!("the API key `{id}` is turned off; whoever runs the gateway can turn it on");
            return Err(refused("disabled_api_key", message));
        }
        if over(settings.expires_at_ms) {
            let message = format!("the API key `{id}` has expired; ask whoever runs the gateway for another");
            return Err(refused("expired_api_key", message));
        }
        if over(self.found.valid_until_ms) {
            let message = format!("the API key `{id}` was replaced by a newer one; use that");
            return Err(refused("rotated_api_key", message));
        }
        Ok(Arc::clone(&self.principal))
    }
}

fn unknown() -> Error {
    refused(
        "invalid_api_key",
        "the API key is not known here: it was revoked, or is another gateway's",
    )
}

/// A failure of the database says nothing about a key.
fn uncertain(error: Error) -> Error {
    if error.kind() == ErrorKind::Configuration {
        return error;
    }
    Error::new(
        ErrorKind::Unavailable,
        "the API key cannot be checked for now; try again",
    )
    .with_code("key_check_unavailable")
    .with_retry_after(PAUSE)
    .with_source(error)
}
