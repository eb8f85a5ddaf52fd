mod shared;
mod spread;
mod store;
mod sum;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::Timestamp;

use spread::Spread;
use sum::{Sum, Written};

pub(super) use shared::Shared;
pub use store::{KeyValuePaces, PaceSnapshot, PaceStore};

/// After this time a measurement counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// A target that was not called for this long is unknown again.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// A stream of fewer tokens says nothing of how many it writes in a time.
const MIN_TOKENS: u32 = 16;

/// How quick targets have lately been, by what this isolate has measured and others have [told](PaceStore). Only those are measured that a route chooses by it, so memory is bounded by the
/// configuration.
#[derive(Debug, Default)]
pub(super) struct Paces(HashMap<Box<str>, Mutex<Measured>>);

/// What is known of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// The time it takes.
    pub(super) mean: Option<Duration>,
    /// When it was last called; a call that failed is one without a measurement.
    pub(super) called: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Measured {
    /// To the first content of a stream.
    first_content: Average,
    /// To a whole answer.
    answer: Average,
    /// For each token of a stream after its first content.
    token: Average,
}

/// An exponentially decayed average: a Worker's clock stands still between I/O, so measurements of one moment count alike.
#[derive(Clone, Debug, Default)]
struct Average {
    /// What other isolates know as well.
    known: Sum,
    /// What was measured here since.
    fresh: Sum,
    called: Option<Timestamp>,
    spread: Spread,
}

impl Paces {
    /// Measures these targets.
    pub(super) fn new<'a>(targets: impl IntoIterator<Item = &'a str>) -> Self {
        let entry = |name: &str| (Box::from(name), Mutex::default());
        Self(targets.into_iter().map(entry).collect())
    }

    /// What is known of a target.
    pub(super) fn get(&self, target: &str, stream: bool, now: Timestamp) -> Pace {
        self.with(target, stream, |average| average.pace(now))
            .unwrap_or_default()
    }

    /// A call took this long.
    pub(super) fn took(&self, target: &str, stream: bool, time: Duration, now: Timestamp) {
        self.with(target, stream, |average| average.add(time, now));
    }

    /// A call failed or was given up after this long: it counts when that is longer than expected.
    pub(super) fn took_at_least(&self, target: &str, stream: bool, time: Duration, now: Timestamp) {
        self.with(target, stream, |average| {
            average.called = Some(now);
            if average.pace(now).mean.is_some_and(|mean| mean < time) {
                average.add(time, now);
            }
        });
    }

    /// The time in which 95 of 100 calls to a target have lately had content; `None` while too few are known.
    pub(super) fn p95(&self, target: &str, stream: bool, now: Timestamp) -> Option<Duration> {
        self.with(target, stream, |average| average.spread.p95(now))
            .flatten()
    }

    /// Whether a target is measured.
    pub(super) fn measures(&self, target: &str) -> bool {
        self.0.contains_key(target)
    }

    /// A stream wrote so many tokens in this time after its first content.
    pub(super) fn wrote(&self, target: &str, tokens: u64, time: Duration, now: Timestamp) {
        let Some(tokens) = u32::try_from(tokens).ok().filter(|tokens| *tokens >= MIN_TOKENS) else {
            return;
        };
        if let Some(measured) = self.0.get(target) {
            let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
            measured.token.add(time / tokens, now);
        }
    }

    /// How long a target takes for a token of a stream.
    pub(super) fn per_token(&self, target: &str, now: Timestamp) -> Option<Duration> {
        let measured = self.0.get(target)?.lock().unwrap_or_else(PoisonError::into_inner);
        measured.token.pace(now).mean
    }

    /// What was measured since it was last taken.
    fn take_fresh(&self) -> PaceSnapshot {
        let targets = self.0.iter().filter_map(|(name, measured)| {
            let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
            let sums = measured.all().map(|average| {
                let fresh = std::mem::take(&mut average.fresh);
                average.known = average.known.plus(fresh);
                Written::from(fresh)
            });
            let any = sums.iter().any(|sum| !sum.is_empty());
            any.then(|| (name.to_string(), sums))
        });
        PaceSnapshot {
            targets: targets.collect(),
        }
    }

    /// Puts back what was taken and could not be kept.
    fn give_back(&self, taken: &PaceSnapshot) {
        self.each(taken, |average, sum| average.fresh = average.fresh.plus(sum));
    }

    /// Takes over what all isolates know.
    fn learn(&self, known: &PaceSnapshot) {
        self.each(known, |average, sum| average.known = sum);
    }

    fn each(&self, snapshot: &PaceSnapshot, apply: impl Fn(&mut Average, Sum)) {
        for (name, sums) in &snapshot.targets {
            if let Some(measured) = self.0.get(name.as_str()) {
                let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
                for (average, sum) in measured.all().into_iter().zip(sums) {
                    apply(average, (*sum).into());
                }
            }
        }
    }

    fn with<T>(&self, target: &str, stream: bool, f: impl FnOnce(&mut Average) -> T) -> Option<T> {
        let mut measured = self.0.get(target)?.lock().unwrap_or_else(PoisonError::into_inner);
        let average = if stream {
            &mut measured.first_content
        } else {
            &mut measured.answer
        };
        Some(f(average))
    }
}

impl Measured {
    /// In the order of a snapshot.
    fn all(&mut self) -> [&mut Average; 3] {
        [&mut self.first_content, &mut self.answer, &mut self.token]
    }
}

impl Average {
    fn add(&mut self, time: Duration, now: Timestamp) {
        self.fresh = self.fresh.plus(Sum::one(time, now));
        self.called = Some(now);
        self.spread.add(time, now);
    }

    fn pace(&self, now: Timestamp) -> Pace {
        let sum = self.known.plus(self.fresh);
        let elsewhere = Some(sum.measured).filter(|_| sum.mean(now).is_some());
        let lately = |time: &Timestamp| now.since(*time) < FORGOTTEN;
        Pace {
            mean: sum.mean(now),
            called: self.called.filter(lately).max(elsewhere),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "p/a";

    fn mean(paces: &Paces, now: Timestamp) -> Option<u64> {
        let mean = paces.get(A, false, now).mean?;
        Some(u64::try_from(mean.as_millis()).unwrap())
    }

    #[test]
    fn a_measurement_counts_half_after_a_minute() {
        let paces = Paces::new([A]);
        let at = Timestamp::from_millis;
        paces.took(A, false, Duration::from_millis(300), at(0));
        paces.took(A, false, Duration::from_millis(600), at(60_000));
        // (300 / 2 + 600) / (1 / 2 + 1)
        assert_eq!(mean(&paces, at(60_000)), Some(500));
        let stream = paces.get(A, true, at(60_000));
        assert_eq!(stream, Pace::default(), "streams are another matter");
        assert_eq!(mean(&paces, at(660_000)), None, "it is forgotten");
    }

    #[test]
    fn measurements_of_one_moment_count_alike() {
        let paces = Paces::new([A]);
        let now = Timestamp::from_millis(5);
        for time in [100, 200, 600] {
            paces.took(A, false, Duration::from_millis(time), now);
        }
        assert_eq!(mean(&paces, now), Some(300));
    }

    #[test]
    fn a_call_that_did_not_end_can_only_make_slower() {
        let paces = Paces::new([A]);
        let now = Timestamp::from_millis(5);
        let given_up = |time| paces.took_at_least(A, false, Duration::from_millis(time), now);
        given_up(100);
        assert_eq!(mean(&paces, now), None);
        assert_eq!(paces.get(A, false, now).called, Some(now), "but it was called");
        paces.took(A, false, Duration::from_millis(200), now);
        given_up(100);
        assert_eq!(mean(&paces, now), Some(200));
        given_up(400);
        assert_eq!(mean(&paces, now), Some(300));
    }

    #[test]
    fn others_are_not_measured_and_no_clock_breaks_it() {
        let paces = Paces::new([A]);
        paces.took("p/other", false, Duration::from_secs(1), Timestamp::default());
        let other = paces.get("p/other", false, Timestamp::default());
        assert_eq!(other, Pace::default());
        paces.took(A, false, Duration::MAX, Timestamp::from_millis(9_000));
        paces.took(A, false, Duration::ZERO, Timestamp::from_millis(1));
        assert!(mean(&paces, Timestamp::default()).is_some());
    }
}
