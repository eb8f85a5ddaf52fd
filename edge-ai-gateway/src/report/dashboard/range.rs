use edge_ai_core::SqlValue;

/// A span of time to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Range {
    Hour,
    #[default]
    Day,
    Week,
    Month,
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// The most records that are read one by one.
pub(super) const MOST: u64 = 20_000;

impl Range {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "1h" => Some(Self::Hour),
            "24h" => Some(Self::Day),
            "7d" => Some(Self::Week),
            "30d" => Some(Self::Month),
            _ => None,
        }
    }

    /// The steps of its charts, in milliseconds.
    pub(super) const fn step(self) -> u64 {
        match self {
            Self::Hour => 2 * MINUTE,
            Self::Day => HOUR,
            Self::Week => 6 * HOUR,
            Self::Month => 24 * HOUR,
        }
    }

    const fn steps(self) -> u64 {
        match self {
            Self::Hour => 30,
            Self::Day => 24,
            Self::Week => 28,
            Self::Month => 30,
        }
    }

    /// From when to when, in whole steps, the one that is under way included.
    pub(super) const fn span(self, now_ms: u64) -> (u64, u64) {
        let step = self.step();
        let end = (now_ms / step + 1) * step;
        (end.saturating_sub(step * self.steps()), end)
    }

    /// What is read, with `?1` and `?2` as its ends, and the column of the time. The hour that is over soon is read from the records themselves, as far as they
    /// are not too many; longer spans from the counters. Both have the time first in an index.
    pub(super) const fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Hour => (
                "(SELECT * FROM usage_points WHERE time_ms >= ?1 AND time_ms < ?2 ORDER BY time_ms DESC LIMIT 20000)",
                "time_ms",
            ),
            _ => (
                "(SELECT * FROM usage_hours WHERE hour_ms >= ?1 AND hour_ms < ?2)",
                "hour_ms",
            ),
        }
    }

    pub(super) fn values(self, now_ms: u64) -> [SqlValue; 2] {
        let (from, to) = self.span(now_ms);
        [from.into(), to.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_whole_steps_up_to_now() {
        for range in [Range::Hour, Range::Day, Range::Week, Range::Month] {
            let now = 1_774_267_199_123;
            let (from, to) = range.span(now);
            assert!(from < now && now < to && to - now <= range.step());
            assert_eq!((to - from) / range.step(), range.steps());
            assert_eq!(from % range.step(), 0);
        }
        assert_eq!(Range::Day.span(0).0, 0);
        assert!(Range::Hour.source().0.contains(&MOST.to_string()));
    }
}
