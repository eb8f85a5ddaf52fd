//! What an agent is to do later, under the one alarm that an object has.

mod cron;

use std::collections::BTreeMap;
use std::time::Duration;

use edge_ai_core::{Error, RawJson, Result, Timestamp};
use serde::{Deserialize, Serialize};

pub use cron::Cron;

/// When something is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// Once, at a time. One that has passed is due at once.
    At(Timestamp),
    /// Once, after a while.
    After(Duration),
    /// Again and again, the first time after the interval. At least a second.
    Every(Duration),
    /// By a [cron expression](Cron), in UTC.
    Cron(Cron),
}

/// What an agent is to do later: a value without I/O, which its host keeps.
///
/// The host sets its alarm to [`next_alarm`](Self::next_alarm) whenever it wakes. At the alarm it takes what is [due](Self::take_due), does it under its
/// [key](Due::key), and keeps the schedules after that: killed in between, it is told the same again under the same key. Nothing is due twice in one waking, and
/// what was missed while nobody was awake is due once.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_agent::{Schedule, Schedules};
/// use edge_ai_core::{RawJson, Timestamp};
///
/// let now = Timestamp::from_millis(0);
/// let mut schedules = Schedules::default();
/// schedules.set("report", Schedule::Cron("0 9 * * 1-5".parse()?), RawJson::parse("{}")?, now)?;
/// // 1970-01-01 was a Thursday.
/// assert_eq!(schedules.next_alarm().map(|at| at.to_rfc3339()).as_deref(), Some("1970-01-01T09:00:00Z"));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedules(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    schedule: Schedule,
    payload: RawJson,
    next: Timestamp,
}

/// Something that is to be done now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Due {
    /// The name under which it was [set](Schedules::set).
    pub id: String,
    /// What is to be done, in the host's words.
    pub payload: RawJson,
    /// When it should have been done.
    pub at: Timestamp,
    /// The same for the same time of the same schedule: what happens under it happens once.
    pub key: String,
}

impl Schedules {
    /// The most schedules.
    pub const MOST: usize = 1_000;

    /// Sets what is to be done under a name. Set again with the same content, it is as it was; with another, it is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for an interval of less than a second, an expression that never comes, or too many
    /// schedules.
    pub fn set(
        &mut self,
        id: impl Into<String>,
        schedule: Schedule,
        payload: RawJson,
        now: Timestamp,
    ) -> Result<()> {
        let id = id.into();
        if self
            .0
            .get(&id)
            .is_some_and(|known| known.schedule == schedule && known.payload == payload)
        {
            return Ok(());
        }
        if self.0.len() >= Self::MOST && !self.0.contains_key(&id) {
            let message = format!("there are {} schedules already: cancel some", Self::MOST);
            return Err(Error::invalid("schedule", message));
        }
        let next = match &schedule {
            Schedule::At(at) => *at,
            Schedule::After(delay) => now + *delay,
            Schedule::Every(interval) if *interval < Duration::from_secs(1) => {
                return Err(Error::invalid(
                    "schedule.every",
                    "an interval is at least a second",
                ));
            }
            Schedule::Every(interval) => now + *interval,
            Schedule::Cron(cron) => cron.next_after(now).ok_or_else(|| {
                Error::invalid("schedule.cron", "the expression names a day that never comes")
            })?,
        };
        self.0.insert(
            id,
            Entry {
                schedule,
                payload,
                next,
            },
        );
        Ok(())
    }

    /// Forgets what was to be done under a name, and says whether there was something.
    pub fn cancel(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }

    /// What is set: name, schedule, and when it is next due.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Schedule, Timestamp)> {
        self.0
            .iter()
            .map(|(id, entry)| (id.as_str(), &entry.schedule, entry.next))
    }

    /// When the alarm must be; `None` when nothing is to be done.
    pub fn next_alarm(&self) -> Option<Timestamp> {
        self.0.values().map(|entry| entry.next).min()
    }

    /// What is due, the oldest first; each is next due after `now`, or never again.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        self.0.retain(|id, entry| {
            let at = entry.next;
            if at > now {
                return true;
            }
            due.push(Due {
                id: id.clone(),
                payload: entry.payload.clone(),
                at,
                key: format!("{id}@{}", at.as_millis()),
            });
            let next = match &entry.schedule {
                Schedule::At(_) | Schedule::After(_) => None,
                Schedule::Every(interval) => Some(after(at, *interval, now)),
                Schedule::Cron(cron) => cron.next_after(now),
            };
            entry.next = next.unwrap_or(at);
            next.is_some()
        });
        due.sort_by_key(|due| due.at);
        due
    }
}

/// The first beat after `now` of an interval that beats at `at`.
fn after(at: Timestamp, interval: Duration, now: Timestamp) -> Timestamp {
    let beats = now.since(at).as_nanos() / interval.as_nanos().max(1) + 1;
    let later = interval.as_nanos().saturating_mul(beats);
    at + Duration::from_nanos(u64::try_from(later).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn payload() -> RawJson {
        RawJson::parse("{}").unwrap()
    }

    #[test]
    fn what_is_set_twice_is_set_once() {
        let mut schedules = Schedules::default();
        let every = || Schedule::Every(Duration::from_secs(60));
        schedules.set("a", every(), payload(), at(0)).unwrap();
        schedules.set("a", every(), payload(), at(30)).unwrap();
        assert_eq!(schedules.next_alarm(), Some(at(60)), "it is not put off");
        schedules
            .set("a", Schedule::After(Duration::from_secs(5)), payload(), at(30))
            .unwrap();
        assert_eq!(schedules.next_alarm(), Some(at(35)));
        assert!(schedules.cancel("a") && !schedules.cancel("a"));
        assert_eq!(schedules.next_alarm(), None);
    }

    #[test]
    fn what_was_missed_is_due_once_and_under_the_same_key() {
        let mut schedules = Schedules::default();
        schedules
            .set("beat", Schedule::Every(Duration::from_secs(10)), payload(), at(0))
            .unwrap();
        schedules
            .set("once", Schedule::At(at(25)), payload(), at(0))
            .unwrap();
        let mut killed = schedules.clone();
        let due = schedules.take_due(at(47));
        let keys: Vec<_> = due.iter().map(|due| due.key.as_str()).collect();
        assert_eq!(keys, ["beat@10000", "once@25000"]);
        assert_eq!(killed.take_due(at(48)), due, "told again after a crash");
        assert_eq!(schedules.next_alarm(), Some(at(50)), "the beat is kept");
        assert!(schedules.take_due(at(47)).is_empty());
    }

    #[test]
    fn what_would_loop_or_never_come_is_refused() {
        let mut schedules = Schedules::default();
        let short = Schedule::Every(Duration::from_millis(999));
        assert_eq!(
            schedules.set("a", short, payload(), at(0)).unwrap_err().param(),
            Some("schedule.every")
        );
        let never = Schedule::Cron("0 0 30 2 *".parse().unwrap());
        assert_eq!(
            schedules.set("a", never, payload(), at(0)).unwrap_err().param(),
            Some("schedule.cron")
        );
    }

    proptest! {
        #[test]
        fn the_next_alarm_is_always_later(interval in 1_u64..100_000, wakes in prop::collection::vec(0_u64..1_000_000, 1..20)) {
            let mut schedules = Schedules::default();
            schedules.set("a", Schedule::Every(Duration::from_secs(interval)), payload(), at(0)).unwrap();
            schedules.set("b", Schedule::Cron("*/7 3,4 * * *".parse().unwrap()), payload(), at(0)).unwrap();
            for wake in wakes {
                schedules.take_due(at(wake));
                prop_assert!(schedules.next_alarm().unwrap() > at(wake));
                prop_assert!(schedules.take_due(at(wake)).is_empty());
            }
        }
    }
}
