use std::time::Duration;

use edge_ai_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FORGOTTEN, HALF_LIFE};

/// What is left of a measurement after a time.
pub(super) fn decay(age: Duration) -> f64 {
    (-age.as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
}

/// Measurements that fade: sum and weight decay alike, so that those of one moment count alike, and sums can be added in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    nanos: f64,
    weight: f64,
    pub(super) measured: Timestamp,
}

impl Sum {
    pub(super) fn one(time: Duration, now: Timestamp) -> Self {
        Self {
            nanos: time.as_secs_f64() * 1e9,
            weight: 1.0,
            measured: now,
        }
    }

    /// Both, as they are at the later of their times.
    pub(super) fn plus(self, other: Self) -> Self {
        let measured = self.measured.max(other.measured);
        let fade = |sum: Self| decay(measured.since(sum.measured));
        Self {
            nanos: self.nanos * fade(self) + other.nanos * fade(other),
            weight: self.weight * fade(self) + other.weight * fade(other),
            measured,
        }
    }

    pub(super) fn mean(self, now: Timestamp) -> Option<Duration> {
        let known = self.weight > 0.0 && now.since(self.measured) < FORGOTTEN;
        known.then(|| Duration::from_nanos((self.nanos / self.weight) as u64))
    }
}

/// The same in whole numbers, to be kept elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The mean, in nanoseconds.
    mean: u64,
    /// The weight, in thousandths of a measurement.
    weight: u64,
    at_ms: u64,
}

impl Written {
    pub(super) fn is_empty(&self) -> bool {
        self.weight == 0
    }

    /// Whether it is of use at a time; what comes from a clock that is ahead by minutes is not.
    pub(super) fn is_of_use(&self, now: Timestamp) -> bool {
        let at = Timestamp::from_millis(self.at_ms);
        !self.is_empty() && now.since(at) < FORGOTTEN && at.since(now) < FORGOTTEN
    }
}

impl From<Sum> for Written {
    fn from(sum: Sum) -> Self {
        let weight = (sum.weight * 1e3).round();
        if !(sum.nanos.is_finite() && weight >= 1.0) {
            return Self::default();
        }
        Self {
            mean: (sum.nanos / sum.weight) as u64,
            weight: weight as u64,
            at_ms: sum.measured.as_millis(),
        }
    }
}

impl From<Written> for Sum {
    fn from(written: Written) -> Self {
        let weight = written.weight as f64 / 1e3;
        Self {
            nanos: written.mean as f64 * weight,
            weight,
            measured: Timestamp::from_millis(written.at_ms),
        }
    }
}
