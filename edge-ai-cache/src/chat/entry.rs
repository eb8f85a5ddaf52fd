use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{CachePolicy, ChatResponse, Timestamp};
use serde::{Deserialize, Serialize};

use crate::CacheRule;

/// A kept answer, with what decides whether it may still be given.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// When the model was asked, in milliseconds: a purge from then on counts.
    asked: u64,
    /// When the answer was complete: its age counts from here.
    made: u64,
    /// For how many milliseconds it is good.
    good: u64,
    /// The client's tags.
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) answer: ChatResponse,
}

#[derive(Serialize)]
struct Written<'a> {
    asked: u64,
    made: u64,
    good: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    answer: &'a ChatResponse,
}

/// What may be done with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is good.
    Fresh,
    /// It is past its time and may be given; whether a new one is to be asked for behind it.
    Stale { refresh: bool },
    /// It may be given if the model fails.
    Spare,
    /// None.
    Nothing,
}

impl Entry {
    pub(super) fn write(
        asked: Timestamp,
        made: Timestamp,
        good: Duration,
        tags: &[String],
        answer: &ChatResponse,
    ) -> serde_json::Result<Bytes> {
        let written = Written {
            asked: asked.as_millis(),
            made: made.as_millis(),
            good: u64::try_from(good.as_millis()).unwrap_or(u64::MAX),
            tags: tags.iter().map(String::as_str).collect(),
            answer,
        };
        serde_json::to_vec(&written).map(Bytes::from)
    }

    pub(super) fn read(kept: &Bytes) -> serde_json::Result<Self> {
        serde_json::from_slice(kept)
    }

    pub(super) const fn asked(&self) -> Timestamp {
        Timestamp::from_millis(self.asked)
    }

    pub(super) fn age(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::from_millis(self.made))
    }

    /// What may be done with it for a caller.
    pub(super) fn use_for(&self, now: Timestamp, rule: &CacheRule, policy: &CachePolicy) -> Use {
        let age = self.age(now);
        // A time that was shortened since holds for what was kept before.
        let good = Duration::from_millis(self.good).min(rule.longest());
        let too_old = policy.max_age.is_some_and(|oldest| age > oldest);
        let left = good.saturating_sub(age);
        if !too_old && left > Duration::ZERO && policy.min_fresh.is_none_or(|wanted| left >= wanted) {
            return Use::Fresh;
        }
        let late = age.saturating_sub(good);
        let in_time = policy.min_fresh.is_none();
        let refresh = late < rule.stale_while_revalidate;
        let taken = policy.max_stale.is_some_and(|most| late <= most);
        if !too_old && in_time && (taken || refresh) {
            return Use::Stale { refresh };
        }
        // A client that wants no old answer gets one instead of an error only where it says so itself.
        let spare = match policy.stale_if_error {
            Some(most) => late < most,
            None => !too_old && in_time && late < rule.stale_if_error,
        };
        if spare { Use::Spare } else { Use::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn entry() -> Entry {
        let made = Timestamp::from_millis(1_000);
        let written = Entry::write(made, made, secs(60), &[], &ChatResponse::default()).unwrap();
        Entry::read(&written).unwrap()
    }

    fn at(age: u64, rule: &CacheRule, policy: &CachePolicy) -> Use {
        entry().use_for(Timestamp::from_millis(1_000) + secs(age), rule, policy)
    }

    #[test]
    fn an_answer_is_good_until_its_time() {
        let (rule, policy) = (CacheRule::new(secs(60)), CachePolicy::default());
        assert_eq!(at(59, &rule, &policy), Use::Fresh);
        assert_eq!(at(60, &rule, &policy), Use::Nothing);
        assert_eq!(at(30, &CacheRule::new(secs(30)), &policy), Use::Nothing);
    }

    #[test]
    fn past_its_time_it_is_stale_then_spare_then_nothing() {
        let rule = CacheRule::new(secs(60))
            .stale_while_revalidate(secs(10))
            .stale_if_error(secs(100));
        let policy = CachePolicy::default();
        assert_eq!(at(60, &rule, &policy), Use::Stale { refresh: true });
        assert_eq!(at(69, &rule, &policy), Use::Stale { refresh: true });
        assert_eq!(at(70, &rule, &policy), Use::Spare);
        assert_eq!(at(160, &rule, &policy), Use::Nothing);
    }

    #[test]
    fn a_caller_may_want_it_younger_or_take_it_older() {
        let rule = CacheRule::new(secs(60))
            .stale_while_revalidate(secs(10))
            .stale_if_error(secs(100));
        let with = |set: fn(&mut CachePolicy)| {
            let mut policy = CachePolicy::default();
            set(&mut policy);
            policy
        };
        let young = with(|policy| policy.max_age = Some(secs(10)));
        assert_eq!(at(10, &rule, &young), Use::Fresh);
        assert_eq!(at(11, &rule, &young), Use::Nothing);
        let lasting = with(|policy| policy.min_fresh = Some(secs(20)));
        assert_eq!(at(40, &rule, &lasting), Use::Fresh);
        assert_eq!(at(41, &rule, &lasting), Use::Nothing);
        let old = with(|policy| policy.max_stale = Some(secs(30)));
        assert_eq!(at(90, &rule, &old), Use::Stale { refresh: false });
        assert_eq!(at(91, &rule, &old), Use::Spare);
        let any = with(|policy| policy.max_stale = Some(Duration::MAX));
        assert_eq!(at(9_999, &rule, &any), Use::Stale { refresh: false });
        let rescued = with(|policy| {
            policy.max_age = Some(secs(10));
            policy.stale_if_error = Some(secs(20));
        });
        assert_eq!(at(70, &rule, &rescued), Use::Spare);
        assert_eq!(at(80, &rule, &rescued), Use::Nothing);
    }
}
