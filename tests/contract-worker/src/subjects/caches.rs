use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::{
    CacheApiCache, CachedChatModel, KeyValueCache, MemoryCache, MemoryKeyValue, PurgeLog, TieredCache,
    WorkersKv,
};
use edge_ai_core::{Cache, ManualClock, Timestamp};
use edge_ai_testkit::contract::cache::{self, CacheSubject};
use edge_ai_testkit::contract::cache_purge::{self, CachePurgeSubject};
use edge_ai_testkit::contract::key_value::{self, KeyValueSubject};
use edge_ai_testkit::scripted::ScriptedChatModel;
use edge_ai_worker::WorkerClock;
use worker::Env;

use super::run_id;
use crate::suite::Suite;

/// Short enough to wait for by the real clock.
const TTL: Duration = Duration::from_secs(1);

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    suite.add("cache/memory", cache::cases(), || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        Ok(CacheSubject::new(MemoryCache::new(clock.clone())).with_clock(clock))
    });
    suite.add("cache/workers_kv", cache::cases(), move || {
        Ok(real(KeyValueCache::new(
            WorkersKv::from_env(env, "CACHE")?,
            WorkerClock,
        )))
    });
    suite.add("cache/cache_api", cache::cases(), || {
        // It counts whole seconds, from a whole second.
        Ok(real(CacheApiCache::new("contract")?).with_granularity(Duration::from_secs(1)))
    });
    suite.add("cache/tiered", cache::cases(), move || {
        let far = KeyValueCache::new(WorkersKv::from_env(env, "CACHE")?, WorkerClock);
        Ok(real(TieredCache::new(
            MemoryCache::new(WorkerClock),
            far,
            WorkerClock,
        )))
    });
    suite.add("cache_purge/log_in_workers_kv", cache_purge::cases(), move || {
        let kv = || WorkersKv::from_env(env, "CACHE");
        let log = Arc::new(PurgeLog::new(kv()?, WorkerClock));
        let cache = Arc::new(KeyValueCache::new(kv()?, WorkerClock));
        let model = Arc::new(ScriptedChatModel::new().otherwise("yes"));
        let cached = CachedChatModel::new(model, cache, WorkerClock, Duration::from_secs(60));
        let subject = CachePurgeSubject::new(cached.purges(Arc::clone(&log)), log);
        Ok(subject.with_clock(WorkerClock).with_scope(run_id()))
    });
    suite.add("key_value/memory", key_value::cases(), || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        Ok(KeyValueSubject::new(MemoryKeyValue::new(clock.clone())).with_clock(clock))
    });
    suite.add("key_value/workers_kv", key_value::cases(), move || {
        // The shortest time to live is a minute; a page has a thousand keys.
        let subject = KeyValueSubject::new(WorkersKv::from_env(env, "CACHE")?).with_clock(WorkerClock);
        Ok(subject.with_scope(run_id()).with_ttl(None).with_page(1_000))
    });
}

/// A cache that goes by the real clock and outlives the run.
fn real(cache: impl Cache) -> CacheSubject {
    CacheSubject::new(cache)
        .with_clock(WorkerClock)
        .with_scope(run_id())
        .with_ttl(Some(TTL))
}
