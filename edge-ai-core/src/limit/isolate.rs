use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;

use super::{LimitAccount, LimitBackend, LimitHold, LimitKey, LimitOutcome, LimitRule};
use crate::{Clock, Context, Result, Timestamp};

/// Counts in the memory of the isolate: no request waits for it. Callers that reach several isolates, or a new one, get the amount from each.
///
/// # Memory
///
/// Each rule has at most [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY) accounts, and rules that came with keys as many together. When one more is needed, those without
/// anything in use go, and then those that use the smallest share of their amount, an eighth of all. So a flood of made-up callers drives
/// out itself: to make a spent account be forgotten, it has to spend as much in each of an eighth of all accounts. No caller
/// is refused for want of memory.
#[derive(Debug)]
pub struct IsolateLimits {
    clock: Arc<dyn Clock>,
    capacity: usize,
    groups: Mutex<HashMap<Arc<str>, Accounts, RandomState>>,
}

type Accounts = HashMap<Arc<str>, (LimitAccount, Arc<LimitRule>), RandomState>;

impl IsolateLimits {
    /// How many accounts of a rule are held unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// How many rules are told apart; what goes beyond starts anew.
    const MAX_GROUPS: usize = 1_000;

    /// Nothing taken yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            capacity: Self::DEFAULT_CAPACITY,
            groups: Mutex::default(),
        }
    }

    /// Holds at most `capacity` accounts of each rule.
    #[must_use]
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        Self {
            capacity: capacity.get(),
            ..self
        }
    }

    /// How many accounts are held now.
    pub fn len(&self) -> usize {
        self.with(|groups| groups.values().map(HashMap::len).sum())
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take_at(&self, key: &LimitKey, amount: u64, now: Timestamp) -> LimitOutcome {
        self.with(|groups| {
            if !groups.contains_key(&key.group) && groups.len() >= Self::MAX_GROUPS {
                groups.retain(|_, accounts| {
                    accounts.retain(|_, (account, rule)| !account.is_idle(rule, now));
                    !accounts.is_empty()
                });
            }
            if !groups.contains_key(&key.group) && groups.len() >= Self::MAX_GROUPS {
                groups.clear();
            }
            let accounts = groups.entry(Arc::clone(&key.group)).or_default();
            if let Some((account, rule)) = accounts.get_mut(&key.who) {
                *rule = Arc::clone(&key.rule);
                return account.take(rule, now, amount);
            }
            let mut account = LimitAccount::default();
            let outcome = account.take(&key.rule, now, amount);
            if outcome.allowed {
                if accounts.len() >= self.capacity {
                    make_room(accounts, now);
                }
                accounts.insert(Arc::clone(&key.who), (account, Arc::clone(&key.rule)));
            }
            outcome
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<Arc<str>, Accounts, RandomState>) -> T) -> T {
        f(&mut self.groups.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Drops the accounts without anything in use, and of the others those that use the least, until an eighth is free: each search pays for
/// as many newcomers.
fn make_room(accounts: &mut Accounts, now: Timestamp) {
    let room = accounts.len() / 8 + 1;
    let most = accounts.len().saturating_sub(room);
    accounts.retain(|_, (account, rule)| !account.is_idle(rule, now));
    let Some(surplus) = accounts.len().checked_sub(most).filter(|surplus| *surplus > 0) else {
        return;
    };
    let mut shares: Vec<u64> = accounts
        .values()
        .map(|(account, rule)| account.use_per_mille(rule))
        .collect();
    let (_, last, _) = shares.select_nth_unstable(surplus - 1);
    let last = *last;
    let below = shares.iter().filter(|share| **share < last).count();
    let mut equals = surplus - below;
    accounts.retain(|_, (account, rule)| {
        let share = account.use_per_mille(rule);
        if share == last && equals > 0 {
            equals -= 1;
            return false;
        }
        share >= last
    });
}

#[async_trait]
impl LimitBackend for IsolateLimits {
    async fn take(&self, key: &LimitKey, amount: u64, _: &Context) -> Result<LimitOutcome> {
        Ok(self.take_at(key, amount, self.clock.now()))
    }

    fn settle(&self, key: &LimitKey, hold: LimitHold, actual: u64, _: &Context) {
        let now = self.clock.now();
        self.with(|groups| {
            if let Some((account, rule)) = groups
                .get_mut(&key.group)
                .and_then(|accounts| accounts.get_mut(&key.who))
            {
                account.settle(rule, now, hold, actual);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LimitScope, LimitWindow, ManualClock};
    use std::time::Duration;

    fn limits(capacity: usize, clock: &ManualClock) -> IsolateLimits {
        IsolateLimits::new(Arc::new(clock.clone())).capacity(NonZeroUsize::new(capacity).unwrap())
    }

    fn key(who: &str) -> LimitKey {
        LimitKey::new(
            Arc::new(LimitRule::requests(2, LimitWindow::SECOND).per([LimitScope::Ip])),
            who,
        )
    }

    /// A request that is let in counts at once.
    fn request(limits: &IsolateLimits, who: &str) -> LimitOutcome {
        let (key, now) = (key(who), limits.clock.now());
        let outcome = limits.take_at(&key, 1, now);
        if outcome.allowed {
            limits.settle(&key, outcome.hold, 1, &Context::default());
        }
        outcome
    }

    #[test]
    fn a_flood_of_callers_drives_out_itself() {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let limits = limits(16, &clock);
        for _ in 0..2 {
            assert!(request(&limits, "spent").allowed);
        }
        for flood in 0..1_000 {
            assert!(request(&limits, &flood.to_string()).allowed);
            assert!(limits.len() <= 16);
        }
        assert!(
            !request(&limits, "spent").allowed,
            "the flood made it fresh again"
        );
    }

    #[test]
    fn what_is_drained_goes_first() {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let limits = limits(2, &clock);
        request(&limits, "old");
        clock.advance(Duration::from_secs(1));
        request(&limits, "new");
        request(&limits, "newer");
        assert_eq!(limits.len(), 2);
        assert_eq!(request(&limits, "new").remaining, Some(0));
    }

    #[test]
    fn counts_outlive_a_change_of_the_amount() {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let limits = limits(2, &clock);
        request(&limits, "a");
        let more = LimitKey::new(
            Arc::new(LimitRule::requests(5, LimitWindow::SECOND).per([LimitScope::Ip])),
            "a",
        );
        assert_eq!(limits.take_at(&more, 1, clock.now()).remaining, Some(3));
    }
}
