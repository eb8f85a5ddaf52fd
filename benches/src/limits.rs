//! The token bucket beside `governor`.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{SystemTime, UNIX_EPOCH};

use edge_ai_core::{KeyedTokenBuckets, ManualClock, Quota, Timestamp, TokenBucket};
use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::state::InMemoryState;
use governor::{Quota as GovernorQuota, RateLimiter};

use crate::measure::Pair;

const ONE: NonZeroU32 = NonZeroU32::MIN;
const KEYS: usize = 10_000;

pub(crate) fn pairs() -> Vec<Pair> {
    vec![
        allowed_at_a_given_time(),
        denied_at_a_given_time(),
        with_the_machines_clock(),
        keyed(),
    ]
}

fn plenty() -> NonZeroU32 {
    NonZeroU32::new(1_000_000_000).unwrap_or(ONE)
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// Time moves with every call, so that each is allowed.
fn allowed_at_a_given_time() -> Pair {
    let ours = TokenBucket::new(Quota::per_second(1_000_000_000));
    let mut now = 1;
    let clock = FakeRelativeClock::default();
    let peer: RateLimiter<_, InMemoryState, _, NoOpMiddleware<_>> =
        RateLimiter::direct_with_clock(GovernorQuota::per_second(plenty()), clock);
    Pair::new(
        "token bucket, time given, allowed / governor",
        move || {
            now += 1;
            black_box(ours.take(at(now), ONE).is_ok());
        },
        move || {
            black_box(peer.check().is_ok());
        },
    )
}

fn denied_at_a_given_time() -> Pair {
    let ours = TokenBucket::new(Quota::per_hour(1));
    let _ = ours.take(at(1), ONE);
    let clock = FakeRelativeClock::default();
    let peer: RateLimiter<_, InMemoryState, _, NoOpMiddleware<_>> =
        RateLimiter::direct_with_clock(GovernorQuota::per_hour(ONE), clock);
    let _ = peer.check();
    Pair::new(
        "token bucket, time given, denied / governor",
        move || {
            black_box(ours.take(at(1), ONE).is_ok());
        },
        move || {
            black_box(peer.check().is_ok());
        },
    )
}

/// As a native program uses them: each with the clock it comes with or would be given.
fn with_the_machines_clock() -> Pair {
    let ours = TokenBucket::new(Quota::per_second(1_000_000_000));
    let peer = RateLimiter::direct(GovernorQuota::per_second(plenty()));
    Pair::new(
        "token bucket, clock read / governor (quanta)",
        move || {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_nanos();
            black_box(ours.take(at(now as u64), ONE).is_ok());
        },
        move || {
            black_box(peer.check().is_ok());
        },
    )
}

fn keyed() -> Pair {
    let keys: Vec<String> = (0..KEYS)
        .map(|key| format!("203.0.{}.{}", key / 256, key % 256))
        .collect();
    let ours = KeyedTokenBuckets::new(Quota::per_second(1_000_000_000), ManualClock::default());
    let peer =
        RateLimiter::hashmap_with_clock(GovernorQuota::per_second(plenty()), FakeRelativeClock::default());
    let peer_keys = keys.clone();
    let (mut mine, mut theirs, mut now) = (0, 0, 1);
    Pair::new(
        "10,000 keyed buckets / governor (hashmap)",
        move || {
            mine = (mine + 7) % KEYS;
            now += 1;
            if let Some(key) = keys.get(mine) {
                black_box(ours.check_at(key, at(now), ONE).allowed);
            }
        },
        move || {
            theirs = (theirs + 7) % KEYS;
            if let Some(key) = peer_keys.get(theirs) {
                black_box(peer.check_key(key).is_ok());
            }
        },
    )
}
