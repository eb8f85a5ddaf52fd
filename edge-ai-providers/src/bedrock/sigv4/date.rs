use edge_ai_core::Timestamp;

/// A time as `x-amz-date` has it, such as `20150830T123600Z`.
///
/// ```
/// use edge_ai_core::Timestamp;
/// use edge_ai_providers::bedrock::sigv4::amz_date;
///
/// assert_eq!(amz_date(Timestamp::from_millis(1_440_938_160_000)), "20150830T123600Z");
/// ```
pub fn amz_date(time: Timestamp) -> String {
    let seconds = time.as_secs();
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    format!(
        "{year:04}{month:02}{:02}T{:02}{:02}{:02}Z",
        days + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_borders_of_a_calendar() {
        for (seconds, date) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(amz_date(Timestamp::from_millis(seconds * 1_000)), date);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_date_of_http(seconds in 0_u64..17_000_000_000) {
            let http = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            let ours = amz_date(Timestamp::from_millis(seconds * 1_000));
            // `Sun, 06 Nov 1994 08:49:37 GMT` beside `19941106T084937Z`.
            prop_assert_eq!(&http[12..16], &ours[..4]);
            prop_assert_eq!(&http[5..7], &ours[6..8]);
            prop_assert_eq!(http[17..25].replace(':', ""), &ours[9..15]);
        }
    }
}
