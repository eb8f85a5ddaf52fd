use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, ErrorKind, Result, Timestamp, calendar};

/// How long a limit's amount lasts.
///
/// - Shorter than a day it slides: a token bucket holds the amount and is refilled evenly, so that callers come back bit by bit.
/// - Whole days and months follow the calendar in UTC: what is left at midnight, or at the end of the month, is gone, and all is there again.
///   Several days are counted from 1970-01-01.
///
/// ```
/// use edge_ai_core::{LimitWindow, Timestamp};
///
/// let month: LimitWindow = "month".parse()?;
/// let moment = Timestamp::from_millis(1_709_211_600_000); // 2024-02-29T13:00Z
/// let (start, end) = month.around(moment);
/// assert_eq!((start.as_secs(), end.as_secs()), (1_706_745_600, 1_709_251_200)); // February to March
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitWindow {
    /// So many seconds, at most 366 days.
    Seconds(NonZeroU32),
    /// A month of the calendar.
    Month,
}

const fn seconds(seconds: u32) -> LimitWindow {
    match NonZeroU32::new(seconds) {
        Some(seconds) => LimitWindow::Seconds(seconds),
        None => LimitWindow::Seconds(NonZeroU32::MIN),
    }
}

impl LimitWindow {
    /// A second.
    pub const SECOND: Self = seconds(1);
    /// Sixty seconds.
    pub const MINUTE: Self = seconds(60);
    /// Sixty minutes.
    pub const HOUR: Self = seconds(3_600);
    /// A day of the calendar.
    pub const DAY: Self = seconds(SECONDS_OF_DAY);

    const MAX_SECONDS: u32 = 366 * SECONDS_OF_DAY;

    /// Whether it follows the calendar; otherwise it slides.
    pub const fn is_calendar(self) -> bool {
        match self {
            Self::Month => true,
            Self::Seconds(seconds) => seconds.get() % SECONDS_OF_DAY == 0,
        }
    }

    /// Its length; 31 days for a month.
    pub const fn length(self) -> Duration {
        match self {
            Self::Month => Duration::from_secs(31 * SECONDS_OF_DAY as u64),
            Self::Seconds(seconds) => Duration::from_secs(seconds.get() as u64),
        }
    }

    /// The start of the window that `now` is in, and the start of the next, in UTC.
    pub fn around(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let at = |seconds: u64| Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000));
        match self {
            Self::Seconds(length) => {
                let length = u64::from(length.get());
                let start = now.as_secs() / length * length;
                (at(start), at(start.saturating_add(length)))
            }
            Self::Month => {
                let (year, month, _) = calendar::date(now.as_secs() / calendar::SECONDS_OF_DAY);
                let next = if month == 12 {
                    (year + 1, 1)
                } else {
                    (year, month + 1)
                };
                let start = |(year, month)| at(calendar::days_before(year, month) * calendar::SECONDS_OF_DAY);
                (start((year, month)), start(next))
            }
        }
    }
}

const SECONDS_OF_DAY: u32 = calendar::SECONDS_OF_DAY as u32;

impl fmt::Display for LimitWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match self {
            Self::Month => return f.write_str("month"),
            Self::Seconds(seconds) => seconds.get(),
        };
        match (seconds, UNITS.iter().find(|(_, _, length)| seconds % length == 0)) {
            (seconds, Some((name, _, length))) if seconds == *length => f.write_str(name),
            (seconds, Some((_, short, length))) => write!(f, "{}{short}", seconds / length),
            (seconds, None) => write!(f, "{seconds}s"),
        }
    }
}

const UNITS: [(&str, &str, u32); 4] = [
    ("day", "d", SECONDS_OF_DAY),
    ("hour", "h", 3_600),
    ("minute", "m", 60),
    ("second", "s", 1),
];

impl FromStr for LimitWindow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "month" {
            return Ok(Self::Month);
        }
        let length = UNITS.iter().find_map(|(name, short, length)| {
            if text == *name {
                return Some(*length);
            }
            let number: u32 = text.strip_suffix(short)?.parse().ok()?;
            number.checked_mul(*length)
        });
        length
            .filter(|seconds| *seconds <= Self::MAX_SECONDS)
            .and_then(NonZeroU32::new)
            .map(Self::Seconds)
            .ok_or_else(|| {
                let shown: String = text.chars().take(32).collect();
                let message = format!(
                    "`{shown}` is no window: write `second`, `minute`, `hour`, `day`, `month`, or a number as in `10s`, `15m`, `6h`, `7d`, up to 366 days"
                );
                Error::new(ErrorKind::Configuration, message).with_param("window")
            })
    }
}

impl Serialize for LimitWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LimitWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for LimitWindow {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LimitWindow".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "How long the amount lasts. Days and months follow the calendar in UTC; what is shorter slides.",
            "pattern": "^(second|minute|hour|day|month|[1-9][0-9]*[smhd])$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts() {
        for (text, window) in [
            ("second", LimitWindow::SECOND),
            ("minute", LimitWindow::MINUTE),
            ("hour", LimitWindow::HOUR),
            ("day", LimitWindow::DAY),
            ("month", LimitWindow::Month),
            ("10s", seconds(10)),
            ("15m", seconds(900)),
            ("36h", seconds(129_600)),
            ("7d", seconds(604_800)),
        ] {
            assert_eq!(text.parse::<LimitWindow>().unwrap(), window);
            assert_eq!(window.to_string(), text);
        }
        assert_eq!("60s".parse::<LimitWindow>().unwrap(), LimitWindow::MINUTE);
        for wrong in [
            "",
            "0s",
            "minutes",
            "-1s",
            "367d",
            "99999999999d",
            "10",
            "s",
            "1.5h",
        ] {
            assert!(wrong.parse::<LimitWindow>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn months_of_the_calendar() {
        let around = |seconds: u64| {
            let (start, end) = LimitWindow::Month.around(Timestamp::from_millis(seconds * 1_000));
            (start.as_secs(), end.as_secs())
        };
        assert_eq!(around(0), (0, 2_678_400));
        // 2026-11-30T23:59:59Z, a second later, and the year's end.
        assert_eq!(around(1_796_083_199), (1_793_491_200, 1_796_083_200));
        assert_eq!(around(1_796_083_200), (1_796_083_200, 1_798_761_600));
        assert_eq!(around(1_798_761_599), (1_796_083_200, 1_798_761_600));
        // February of 2000, a leap year, and of 2100, none.
        assert_eq!(around(951_782_400), (949_363_200, 951_868_800));
        assert_eq!(around(4_105_123_200), (4_105_123_200, 4_107_542_400));
    }

    proptest! {
        #[test]
        fn windows_meet_without_gap(moment in 0_u64..8_000_000_000, window in prop_oneof![
            Just(LimitWindow::Month), Just(LimitWindow::DAY), Just(LimitWindow::HOUR), (1_u32..10_000).prop_map(seconds),
        ]) {
            let now = Timestamp::from_millis(moment * 1_000);
            let (start, end) = window.around(now);
            prop_assert!(start <= now && now < end);
            prop_assert_eq!(window.around(end).0, end);
            prop_assert!(end.since(start) <= window.length());
            if let Some(before) = start.as_nanos().checked_sub(1) {
                prop_assert_eq!(window.around(Timestamp::from_nanos(before)).1, start);
            }
        }
    }
}
