use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::WorkersKv;
use edge_ai_core::{
    Background, IsolateLimits, KeyedTokenBuckets, LeaseOptions, LimitRule, LimitWindow, ManualClock, Quota,
    Timestamp,
};
use edge_ai_gateway::{DurableLeases, KvLimits, RateLimitBinding};
use edge_ai_testkit::contract::limit_backend::{self, LimitBackendSubject};
use edge_ai_testkit::contract::rate_limiter::{self, RateLimiterSubject};
use edge_ai_worker::{WorkerClock, WorkerEntropy};
use worker::Env;

use super::run_id;
use crate::suite::Suite;

/// What `wrangler.jsonc` gives the rate limiter in ten seconds.
const LIMITER_REQUESTS: NonZeroU32 = match NonZeroU32::new(10) {
    Some(requests) => requests,
    None => NonZeroU32::MIN,
};

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env, background: Arc<dyn Background>) {
    let quota = Quota::per_minute(5);
    suite.add(
        "rate_limiter/keyed_token_buckets",
        rate_limiter::cases(),
        move || {
            let clock = ManualClock::jumping(Timestamp::from_millis(1));
            Ok(
                RateLimiterSubject::new(KeyedTokenBuckets::new(quota, clock.clone()), quota)
                    .with_clock(clock),
            )
        },
    );
    suite.add(
        "rate_limiter/keyed_token_buckets_by_the_workers_clock",
        rate_limiter::cases(),
        move || {
            Ok(
                RateLimiterSubject::new(KeyedTokenBuckets::new(quota, WorkerClock), quota)
                    .with_clock(WorkerClock)
                    .inexact(),
            )
        },
    );

    let cases = limit_backend::cases;
    suite.add("limit_backend/isolate", cases(), || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        Ok(LimitBackendSubject::new(IsolateLimits::new(Arc::new(clock.clone()))).with_clock(clock))
    });
    let behind = Arc::clone(&background);
    suite.add("limit_backend/workers_kv", cases(), move || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1_798_000_000_000));
        let kv = WorkersKv::from_env(env, "CACHE")?;
        let limits = KvLimits::new(kv, Arc::new(clock.clone()), &WorkerEntropy);
        let subject = LimitBackendSubject::new(limits).with_clock(clock);
        Ok(subject.with_scope(run_id()).with_background(Arc::clone(&behind)))
    });
    suite.add("limit_backend/leases_of_a_durable_object", cases(), move || {
        let limits = DurableLeases::from_env(env, "LIMIT_OFFICE")?.limits(LeaseOptions::default());
        let subject = LimitBackendSubject::new(limits)
            .with_clock(WorkerClock)
            .in_real_time();
        Ok(subject
            .with_scope(run_id())
            .with_background(Arc::clone(&background)))
    });
    suite.add("limit_backend/rate_limiting_binding", cases(), move || {
        let window: LimitWindow = "10s".parse()?;
        let limits = RateLimitBinding::from_env(env, "LIMITER", LIMITER_REQUESTS, Duration::from_secs(10))?;
        let subject = LimitBackendSubject::new(limits)
            .with_rule(LimitRule::requests(LIMITER_REQUESTS.get().into(), window))
            .only_counts();
        Ok(subject.with_scope(run_id()))
    });
}
