use std::str::FromStr;

use edge_ai_core::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Days to look ahead: the 29th of February comes at least every eight years.
const DAYS: u64 = 366 * 8;

/// A cron expression of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday); each `*`, a number, `a-b`, `*/n`, `a-b/n`, or several of
/// these between commas. Where both days are restricted, either fits, as in [crontab(5)](https://man7.org/linux/man-pages/man5/crontab.5.html). In UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day fits that fits only one of the two.
    either_day: bool,
}

impl Cron {
    /// The first time after another that fits; `None` for a day that never comes.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let first = after.as_secs() / 60 + 1;
        let today = first / (24 * 60);
        (today..today + DAYS)
            .filter(|day| self.fits_day(*day))
            .find_map(|day| {
                let begin = if day == today { first % (24 * 60) } else { 0 };
                let minute = (begin..24 * 60)
                    .find(|minute| has(self.hours, minute / 60) && has(self.minutes, minute % 60))?;
                Some(Timestamp::from_millis((day * 24 * 60 + minute) * 60_000))
            })
    }

    fn fits_day(&self, day: u64) -> bool {
        let (month, day_of_month) = month_and_day(day);
        // 1970-01-01 was a Thursday.
        let weekday = has(self.weekdays, (day + 4) % 7);
        let monthday = has(self.days, day_of_month);
        let fits = if self.either_day {
            weekday || monthday
        } else {
            weekday && monthday
        };
        fits && has(self.months, month)
    }
}

impl FromStr for Cron {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            let message = format!(
                "a cron expression has five fields (minute, hour, day, month, weekday), not {}",
                fields.len()
            );
            return Err(Error::invalid("schedule.cron", message));
        };
        let weekdays = field("weekday", weekday, 0, 7)?;
        Ok(Self {
            text: text.to_owned(),
            minutes: field("minute", minute, 0, 59)?,
            hours: field("hour", hour, 0, 23)?,
            days: field("day", day, 1, 31)?,
            months: field("month", month, 1, 12)?,
            weekdays: weekdays | (weekdays >> 7),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        })
    }
}

impl TryFrom<String> for Cron {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

/// A field as a set of bits.
fn field(name: &str, text: &str, least: u64, most: u64) -> Result<u64> {
    let wrong = || {
        Error::invalid(
            "schedule.cron",
            format!("{text:?} is no {name} from {least} to {most}"),
        )
    };
    let number = |text: &str| {
        text.parse::<u64>()
            .ok()
            .filter(|number| (least..=most).contains(number))
    };
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                step.parse::<usize>()
                    .ok()
                    .filter(|step| *step > 0)
                    .ok_or_else(wrong)?,
            ),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?),
            None => {
                let from = number(range).ok_or_else(wrong)?;
                (from, if part.contains('/') { most } else { from })
            }
        };
        if from > to {
            return Err(wrong());
        }
        set = (from..=to).step_by(step).fold(set, |set, bit| set | 1 << bit);
    }
    Ok(set)
}

const fn has(set: u64, bit: u64) -> bool {
    set >> bit & 1 == 1
}

/// Month and day of a day since 1970, by the algorithm of [Howard Hinnant](https://howardhinnant.github.io/date_algorithms.html): years begin in March.
const fn month_and_day(days: u64) -> (u64, u64) {
    let day = (days + 719_468) % 146_097;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_come_when_crontab_says() {
        // 2024-02-28T12:34:56Z, a Wednesday.
        let now = Timestamp::from_millis(1_709_123_696_000);
        for (text, next) in [
            ("* * * * *", "2024-02-28T12:35:00Z"),
            ("*/15 * * * *", "2024-02-28T12:45:00Z"),
            ("34 12 * * *", "2024-02-29T12:34:00Z"),
            ("0 0 1 * *", "2024-03-01T00:00:00Z"),
            ("0 9 * * 1-5", "2024-02-29T09:00:00Z"),
            ("0 9 * * 7", "2024-03-03T09:00:00Z"),
            ("30 6 29 2 *", "2024-02-29T06:30:00Z"),
            ("0 0 31 12 *", "2024-12-31T00:00:00Z"),
            ("0 0 15 * 5", "2024-03-01T00:00:00Z"),
            ("5/20 23 * 3-4 *", "2024-03-01T23:05:00Z"),
        ] {
            let cron: Cron = text.parse().unwrap();
            assert_eq!(cron.next_after(now).unwrap().to_rfc3339(), next, "{text}");
            let json = serde_json::to_string(&cron).unwrap();
            assert_eq!(serde_json::from_str::<Cron>(&json).unwrap(), cron);
        }
        let leap: Cron = "30 6 29 2 *".parse().unwrap();
        let after = leap.next_after(now).unwrap();
        assert_eq!(
            leap.next_after(after).unwrap().to_rfc3339(),
            "2028-02-29T06:30:00Z"
        );
    }

    #[test]
    fn what_is_no_expression_is_told_by_its_field() {
        for (text, told) in [
            ("* * * *", "five fields"),
            ("60 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day"),
            ("* * * 13 *", "month"),
            ("* * * * 8", "weekday"),
            ("5-1 * * * *", "minute"),
            ("*/0 * * * *", "minute"),
            ("a * * * *", "minute"),
        ] {
            let error = text.parse::<Cron>().unwrap_err();
            assert!(error.message().contains(told), "{text}: {error}");
        }
    }
}
