use std::cmp::Ordering;
use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;

use super::{Decision, Gcra, Quota, RateLimiter};
use crate::{Clock, Result, Timestamp};

/// A token bucket for each key, in bounded memory.
///
/// A bucket that is full again is the same as none, so it is dropped when room is needed. When nearly all of `capacity` buckets
/// are in use, those nearest to full make room, an eighth of all at once: their keys get at most one early burst, and no key is
/// refused for want of memory.
///
/// In a Worker it counts per isolate: a caller whose requests reach several isolates, or a new one, may spend more than the
/// quota. It costs no I/O; an exact count costs a Durable Object.
///
/// ```
/// use std::num::NonZeroU32;
/// use edge_ai_core::{KeyedTokenBuckets, ManualClock, Quota, Timestamp};
///
/// let limiter = KeyedTokenBuckets::new(Quota::per_minute(1), ManualClock::default());
/// let now = Timestamp::from_millis(1);
/// assert!(limiter.check_at("203.0.113.7", now, NonZeroU32::MIN).allowed);
/// assert!(!limiter.check_at("203.0.113.7", now, NonZeroU32::MIN).allowed);
/// assert!(limiter.check_at("203.0.113.8", now, NonZeroU32::MIN).allowed);
/// ```
#[derive(Debug)]
pub struct KeyedTokenBuckets {
    gcra: Gcra,
    clock: Arc<dyn Clock>,
    capacity: usize,
    states: Mutex<HashMap<Box<str>, u64, RandomState>>,
}

impl KeyedTokenBuckets {
    /// How many keys are held unless told otherwise: about 1 MiB of them.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// A full bucket of `quota` for every key.
    pub fn new(quota: Quota, clock: impl Clock) -> Self {
        Self::with_clock(quota, Arc::new(clock))
    }

    /// The same with a clock that is shared already.
    pub fn with_clock(quota: Quota, clock: Arc<dyn Clock>) -> Self {
        Self {
            gcra: Gcra::new(quota),
            clock,
            capacity: Self::DEFAULT_CAPACITY,
            states: Mutex::default(),
        }
    }

    /// Holds at most `capacity` keys.
    #[must_use]
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        Self {
            capacity: capacity.get(),
            ..self
        }
    }

    /// The quota of each key.
    pub fn quota(&self) -> Quota {
        self.gcra.quota()
    }

    /// How many keys are held now.
    pub fn len(&self) -> usize {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes `cost` from the key's bucket at a given time, or nothing when there is less.
    pub fn check_at(&self, key: &str, now: Timestamp, cost: NonZeroU32) -> Decision {
        let now = now.as_nanos();
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(key) {
            return match self.gcra.check(*state, now, cost) {
                Ok(next) => {
                    *state = next;
                    self.gcra.decision(next, now, None)
                }
                Err(wait) => self.gcra.decision(*state, now, Some(wait)),
            };
        }
        match self.gcra.check(0, now, cost) {
            Ok(next) => {
                if states.len() >= self.capacity {
                    make_room(&mut states, now);
                }
                states.insert(key.into(), next);
                self.gcra.decision(next, now, None)
            }
            Err(wait) => self.gcra.decision(0, now, Some(wait)),
        }
    }
}

/// Drops every full bucket and, where these are less than an eighth of all, those nearest to full up to an eighth: each search
/// pays for as many newcomers, so that a flood of keys cannot make every request search.
fn make_room(states: &mut HashMap<Box<str>, u64, RandomState>, now: u64) {
    let before = states.len();
    let room = before / 8 + 1;
    states.retain(|_, state| *state > now);
    let Some(last) = room
        .checked_sub(before - states.len())
        .and_then(|missing| missing.checked_sub(1))
        .filter(|last| *last < states.len())
    else {
        return;
    };
    let mut ages: Vec<u64> = states.values().copied().collect();
    let (nearer, nearest, _) = ages.select_nth_unstable(last);
    let nearest = *nearest;
    // Equal states are dropped only as far as needed: the spent bucket of the flood's own moment stays.
    let mut equals = 1 + nearer.iter().filter(|state| **state == nearest).count();
    states.retain(|_, state| match (*state).cmp(&nearest) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => {
            let stays = equals == 0;
            equals = equals.saturating_sub(1);
            stays
        }
    });
}

#[async_trait]
impl RateLimiter for KeyedTokenBuckets {
    async fn check(&self, key: &str, cost: NonZeroU32) -> Result<Decision> {
        Ok(self.check_at(key, self.clock.now(), cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn limiter(capacity: usize) -> KeyedTokenBuckets {
        KeyedTokenBuckets::new(Quota::per_second(2), ManualClock::default())
            .capacity(NonZeroUsize::new(capacity).unwrap())
    }

    #[test]
    fn memory_stays_bounded_and_full_buckets_go_first() {
        let limiter = limiter(3);
        let at = Timestamp::from_millis;
        for key in ["a", "b"] {
            limiter.check_at(key, at(0), ONE);
        }
        limiter.check_at("c", at(400), ONE);
        // By now a and b are full again: both go, c stays.
        limiter.check_at("d", at(600), ONE);
        assert_eq!(limiter.len(), 2);
        assert_eq!(limiter.check_at("c", at(600), ONE).remaining, 0);
    }

    #[test]
    fn a_flood_of_keys_evicts_the_one_nearest_to_full() {
        let limiter = limiter(2);
        let now = Timestamp::from_millis(1);
        limiter.check_at("spent", now, ONE);
        limiter.check_at("spent", now, ONE);
        for flood in 0..100 {
            limiter.check_at(&flood.to_string(), now, ONE);
        }
        assert_eq!(limiter.len(), 2);
        assert!(
            !limiter.check_at("spent", now, ONE).allowed,
            "the flood reset a spent bucket"
        );
    }

    #[test]
    fn a_search_frees_an_eighth_even_when_few_buckets_are_full() {
        let limiter = limiter(16);
        let at = Timestamp::from_millis;
        for key in 0..16 {
            limiter.check_at(&format!("old {key}"), at(key), ONE);
        }
        // One bucket is full again, 500 ms after its only request: without more room, the next newcomer would search again.
        limiter.check_at("new", at(500), ONE);
        assert_eq!(limiter.len(), 16 - 3 + 1);
        // The nearest to full went, the others count on.
        for (key, remaining) in [(2, 1), (3, 0), (15, 0)] {
            let decision = limiter.check_at(&format!("old {key}"), at(500), ONE);
            assert_eq!(decision.remaining, remaining, "old {key}");
        }
    }

    #[test]
    fn a_denied_newcomer_takes_no_memory() {
        let limiter = limiter(2);
        let decision = limiter.check_at("a", Timestamp::default(), NonZeroU32::new(3).unwrap());
        assert!(!decision.allowed);
        assert!(limiter.is_empty());
    }
}
