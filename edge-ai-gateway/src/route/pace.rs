mod spread;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::Timestamp;

use spread::Spread;

/// After this time a measurement counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// A target that was not called for this long is unknown again.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How quick targets have lately been, in this isolate. Only those are measured that a route chooses by it, so memory is bounded by the
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
}

/// An exponentially decayed average. Sum and weight decay alike, so measurements of one moment count alike: a Worker's clock stands still
/// between I/O.
#[derive(Clone, Debug, Default)]
struct Average {
    nanos: f64,
    weight: f64,
    measured: Timestamp,
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

impl Average {
    fn add(&mut self, time: Duration, now: Timestamp) {
        let age = now.since(self.measured).as_secs_f64();
        let decay = (-age / HALF_LIFE.as_secs_f64()).exp2();
        self.nanos = self.nanos * decay + time.as_secs_f64() * 1e9;
        self.weight = self.weight * decay + 1.0;
        self.measured = now;
        self.called = Some(now);
        self.spread.add(time, decay, now);
    }

    fn pace(&self, now: Timestamp) -> Pace {
        let lately = |time: &Timestamp| now.since(*time) < FORGOTTEN;
        // The weight is zero, or was at least one at the last measurement.
        let known = self.weight > 0.0 && lately(&self.measured);
        Pace {
            mean: known.then(|| Duration::from_nanos((self.nanos / self.weight) as u64)),
            called: self.called.filter(lately),
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
