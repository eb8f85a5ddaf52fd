//! Where answers and counts are kept, for longer than one configuration.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use edge_ai::cache::{CacheRules, KeyValueCache, MemoryCache, PurgeLog, TieredCache, WorkerRooms, WorkersKv};
use edge_ai::core::{Clock, LeaseOptions, LimitRule};
use edge_ai::gateway::{DurableLeases, KeyValuePaces, KvLimits, Limits, RateLimitBinding};
use edge_ai::runtime::{WorkerClock, WorkerEntropy};
use edge_ai::{EdgeAiBuilder, PerIsolate, Result};
use worker::Env;

/// What the isolate remembers: a new configuration forgets no answer and no count.
static ANSWERS: PerIsolate<Arc<MemoryCache<WorkerClock>>> = PerIsolate::new();
static LIMITS: PerIsolate<Limits> = PerIsolate::new();

/// Keeps answers in the isolate, and in Workers KV behind it.
pub(crate) fn with_cache(edge: EdgeAiBuilder, env: &Env, rules: CacheRules) -> Result<EdgeAiBuilder> {
    let near = ANSWERS.get_or_try_init(|| Ok(Arc::new(MemoryCache::new(WorkerClock))))?;
    let kv = || WorkersKv::from_env(env, "CACHE");
    let cache = TieredCache::new(
        Arc::clone(near),
        KeyValueCache::new(kv()?, WorkerClock),
        WorkerClock,
    );
    Ok(edge
        .cache(cache, rules)
        .cache_purges(PurgeLog::new(kv()?, WorkerClock))
        .coalesce(WorkerRooms::from_env(env, "COALESCE")?))
}

/// Shares with the other isolates how quick targets have been.
pub(crate) fn with_shared_paces(edge: EdgeAiBuilder, env: &Env, seconds: u64) -> Result<EdgeAiBuilder> {
    let paces = KeyValuePaces::new(WorkersKv::from_env(env, "CACHE")?);
    Ok(edge.shared_paces(paces, Duration::from_secs(seconds)))
}

/// Limits on every backend that wrangler.jsonc binds.
pub(crate) fn limits(env: &Env) -> Result<&'static Limits> {
    LIMITS.get_or_try_init(|| {
        let clock: Arc<dyn Clock> = Arc::new(WorkerClock);
        let minute = Duration::from_secs(60);
        let leases = DurableLeases::from_env(env, "LIMIT_OFFICE")?.limits(LeaseOptions::default());
        let kv = KvLimits::new(
            WorkersKv::from_env(env, "CACHE")?,
            Arc::clone(&clock),
            &WorkerEntropy,
        );
        let binding = RateLimitBinding::from_env(env, "LIMITER", LIMITER_REQUESTS, minute)?;
        Ok(Limits::new(clock)
            .backend(LimitRule::LEASED, leases)
            .backend(LimitRule::KV, kv)
            .backend(LimitRule::BINDING, binding))
    })
}

/// What wrangler.jsonc allows in the rate limiter's minute.
const LIMITER_REQUESTS: NonZeroU32 = match NonZeroU32::new(100) {
    Some(requests) => requests,
    None => NonZeroU32::MIN,
};
