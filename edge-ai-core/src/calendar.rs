//! Dates in UTC, by the algorithms of [Howard Hinnant](https://howardhinnant.github.io/date_algorithms.html): years begin in March, so that the leap day is
//! the last.

pub(crate) const SECONDS_OF_DAY: u64 = 86_400;

/// 400 years, and the days from 0000-03-01 to 1970-01-01.
const DAYS_OF_ERA: u64 = 146_097;
const EPOCH: u64 = 719_468;

/// Year, month and day of a day since 1970.
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let era = days / DAYS_OF_ERA;
    let day = days % DAYS_OF_ERA;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - days_of_months(march_month) + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day_of_month)
}

/// Days since 1970 before a month.
pub(crate) const fn days_before(year: u64, month: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let (era, year) = (year / 400, year % 400);
    let day = year * 365 + year / 4 - year / 100 + days_of_months(march_month);
    era * DAYS_OF_ERA + day - EPOCH
}

/// Days of the months before, in a year that begins in March.
const fn days_of_months(month: u64) -> u64 {
    (153 * month + 2) / 5
}
