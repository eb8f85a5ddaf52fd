use std::time::Duration;

use http::HeaderMap;

/// The longest wait that is believed; a vendor that says more means "not today".
const MAX: Duration = Duration::from_secs(24 * 3_600);

/// When a vendor says to come back: `retry-after-ms`, or `retry-after` in seconds or as a date.
///
/// A date is taken relative to the answer's own `date`, so that clocks need not agree
/// ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|number| number.is_finite() && *number >= 0.0)
    };
    if let Some(millis) = text("retry-after-ms").and_then(number) {
        return Some(seconds(millis / 1_000.0));
    }
    let value = text("retry-after")?;
    if let Some(whole) = number(value) {
        return Some(seconds(whole));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text("date")?).ok()?;
    Some(until.duration_since(now).unwrap_or_default().min(MAX))
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(MAX, |duration| duration.min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expect: Option<u64>) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        assert_eq!(retry_after(&headers), expect.map(Duration::from_millis));
    }

    #[test]
    fn every_form() {
        check(&[("retry-after", "2")], Some(2_000));
        check(&[("retry-after", "0.5")], Some(500));
        check(&[("retry-after-ms", "700"), ("retry-after", "1")], Some(700));
        check(
            &[
                ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"),
                ("date", "Fri, 31 Dec 1999 23:59:56 GMT"),
            ],
            Some(3_000),
        );
        check(&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-1")], None);
        check(&[("retry-after", "1e300")], Some(86_400_000));
        check(&[], None);
    }
}
