use std::time::Duration;

use edge_ai_core::Timestamp;

use super::FORGOTTEN;
use super::sum::decay;

/// How measurements lie around their mean: counts by the length of the time, each a fifth longer than the one before, that fade like the mean.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    counts: [f32; BUCKETS],
    measured: Timestamp,
}

/// From a millisecond to more than eight minutes, in quarters of a doubling: a percentile is at most 19 % too high.
const BUCKETS: usize = 76;
const FIRST_MILLIS: f32 = 1.0;

/// Fewer measurements than this have no 95th percentile.
const ENOUGH: f32 = 20.0;

impl Default for Spread {
    fn default() -> Self {
        Self {
            counts: [0.0; BUCKETS],
            measured: Timestamp::default(),
        }
    }
}

impl Spread {
    /// One more time, after all others have faded.
    pub(super) fn add(&mut self, time: Duration, now: Timestamp) {
        let decay = decay(now.since(self.measured)) as f32;
        self.counts.iter_mut().for_each(|count| *count *= decay);
        let at = (time.as_secs_f32() * 1e3 / FIRST_MILLIS).max(1.0).log2() * 4.0;
        if let Some(count) = self.counts.get_mut((at as usize).min(BUCKETS - 1)) {
            *count += 1.0;
        }
        self.measured = now;
    }

    /// The upper end of the bucket that the 95th of 100 lies in.
    pub(super) fn p95(&self, now: Timestamp) -> Option<Duration> {
        let total: f32 = self.counts.iter().sum();
        if total < ENOUGH || now.since(self.measured) >= FORGOTTEN {
            return None;
        }
        let mut below = 0.0;
        let at = self.counts.iter().position(|count| {
            below += count;
            below >= total * 0.95
        })?;
        let millis = FIRST_MILLIS * ((at + 1) as f32 / 4.0).exp2();
        Some(Duration::from_secs_f32(millis / 1e3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn the_percentile_is_near_and_never_below() {
        for worst in [3_u64, 40, 777, 5_000, 60_000] {
            let mut spread = Spread::default();
            for at in 1..=100 {
                let millis = if at <= 94 { 1 } else { worst };
                spread.add(Duration::from_millis(millis), NOW);
            }
            let p95 = spread.p95(NOW).unwrap().as_secs_f64() * 1e3;
            let worst = worst as f64;
            assert!(p95 >= worst * 0.999 && p95 <= worst * 1.2, "{p95} for {worst}");
        }
    }

    #[test]
    fn few_or_old_measurements_say_nothing() {
        let mut spread = Spread::default();
        (0..19).for_each(|_| spread.add(Duration::from_millis(5), NOW));
        assert_eq!(spread.p95(NOW), None);
        spread.add(Duration::MAX, NOW);
        assert!(spread.p95(NOW).is_some());
        assert_eq!(spread.p95(NOW + FORGOTTEN), None);
    }
}
