use edge_ai_core::{KeyedTokenBuckets, ManualClock, Quota, Timestamp};
use edge_ai_testkit::contract::rate_limiter::{RateLimiterSubject, cases};
use edge_ai_worker::WorkerClock;

use crate::suite::Suite;

pub(super) fn add(suite: &mut Suite<'_>) {
    let quota = Quota::per_minute(5);
    suite.add("rate_limiter/keyed_token_buckets", cases(), move || {
        let clock = ManualClock::jumping(Timestamp::from_millis(1));
        Ok(RateLimiterSubject::new(KeyedTokenBuckets::new(quota, clock.clone()), quota).with_clock(clock))
    });
    suite.add(
        "rate_limiter/keyed_token_buckets_by_the_workers_clock",
        cases(),
        move || {
            Ok(
                RateLimiterSubject::new(KeyedTokenBuckets::new(quota, WorkerClock), quota)
                    .with_clock(WorkerClock)
                    .inexact(),
            )
        },
    );
}
