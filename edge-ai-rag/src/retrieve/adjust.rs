use std::time::Duration;

use edge_ai_core::{Filter, Timestamp};
use serde_json::Value;

use super::RetrievalOptions;
use crate::StoredChunk;

/// What is old counts less: after each half-life, half as much.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeDecay {
    /// The age at which a score is halved.
    pub half_life: Duration,
    /// The field of the metadata with the date: RFC 3339 text such as `2026-03-01` or `2026-03-01T12:00:00Z`, or milliseconds since 1970.
    /// `None`, or a chunk without it: when its document was last changed.
    pub field: Option<String>,
}

impl TimeDecay {
    /// By when the document was last changed.
    pub const fn new(half_life: Duration) -> Self {
        Self {
            half_life,
            field: None,
        }
    }

    /// By a date in the metadata.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    fn factor(&self, chunk: &StoredChunk, now: Timestamp) -> f32 {
        let half_life = self.half_life.as_secs_f64();
        if half_life <= 0.0 {
            return 1.0;
        }
        let field = self.field.as_ref().and_then(|field| chunk.metadata.get(field));
        let then = field.and_then(date).unwrap_or(chunk.updated);
        // What is dated ahead is new.
        let age = now.since(then).as_secs_f64();
        (-age / half_life).exp2() as f32
    }
}

/// Chunks that count more or less: the official handbook over the wiki, the archive under both.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Boost {
    /// Which ones.
    pub when: Filter,
    /// What their score is multiplied by: over 1 lifts, under 1 lowers.
    pub factor: f32,
}

impl Boost {
    /// Multiplies the score of those that pass.
    pub const fn new(when: Filter, factor: f32) -> Self {
        Self { when, factor }
    }
}

/// A score after decay and boosts.
pub(super) fn adjust(options: &RetrievalOptions, chunk: &StoredChunk, score: f32, now: Timestamp) -> f32 {
    let decay = options
        .decay
        .as_ref()
        .map_or(1.0, |decay| decay.factor(chunk, now));
    let boosts = options
        .boosts
        .iter()
        .filter(|boost| boost.when.matches(&chunk.metadata));
    let factor = boosts.fold(decay, |factor, boost| factor * boost.factor);
    // A reranker's score may be below zero, and less must be worse there, too.
    if score >= 0.0 {
        score * factor
    } else {
        score / factor.max(f32::MIN_POSITIVE)
    }
}

fn date(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(millis) => millis.as_u64().map(Timestamp::from_millis),
        Value::String(text) => from_rfc3339(text),
        _ => None,
    }
}

/// The moment of an RFC 3339 date, or of one with a time.
fn from_rfc3339(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let separators = [(4, b'-'), (7, b'-')];
    if separators
        .iter()
        .any(|(at, byte)| text.as_bytes().get(*at) != Some(byte))
    {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut seconds = days_from_civil(year, month, day) * 86_400;
    if let Some(time) = text.get(11..) {
        seconds += number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
        let zone = time
            .get(8..)?
            .trim_start_matches(|char: char| char == '.' || char.is_ascii_digit());
        seconds -= offset(zone)?;
    }
    u64::try_from(seconds)
        .ok()
        .map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1_000)))
}

/// The seconds of a zone such as `Z` or `+02:00`.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'Z' | b'z' => return (zone.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60))
}

/// Days since 1970 ([Hinnant, *chrono-compatible low-level date algorithms*](https://howardhinnant.github.io/date_algorithms.html)).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocumentId;
    use edge_ai_core::Comparison;
    use proptest::prelude::*;
    use serde_json::json;

    const DAY: Duration = Duration::from_secs(86_400);

    fn chunk() -> StoredChunk {
        StoredChunk::new("c", DocumentId::new("d").unwrap(), 0, "text", 0..4)
    }

    #[test]
    fn a_score_halves_with_each_half_life() {
        let now = from_rfc3339("2026-03-11").unwrap();
        let options = RetrievalOptions::default().decay(TimeDecay::new(DAY * 10).field("published"));
        let mut old = chunk();
        old.updated = now;
        assert_eq!(adjust(&options, &old, 1.0, now), 1.0);
        for date in [
            json!("2026-03-01"),
            json!("2026-03-01T02:00:00+02:00"),
            json!("2026-02-28T19:00:00.250-05:00"),
            json!(from_rfc3339("2026-03-01").unwrap().as_millis()),
        ] {
            old.metadata.insert("published".into(), date);
            assert!((adjust(&options, &old, 1.0, now) - 0.5).abs() < 1e-4);
        }
        // A worse score is a lower one, below zero too.
        assert!((adjust(&options, &old, -1.0, now) + 2.0).abs() < 1e-3);
        old.metadata.insert("published".into(), json!("soon"));
        assert_eq!(adjust(&options, &old, 1.0, now), 1.0);
        old.metadata.insert("published".into(), json!("2030-01-01"));
        assert_eq!(adjust(&options, &old, 1.0, now), 1.0);
    }

    #[test]
    fn boosts_multiply_where_their_condition_holds() {
        let official = Filter::new().with("kind", Comparison::Eq, "official");
        let options = RetrievalOptions::default()
            .boost(Boost::new(official, 2.0))
            .boost(Boost::new(Filter::new(), 1.5));
        let mut it = chunk();
        assert_eq!(adjust(&options, &it, 0.5, Timestamp::default()), 0.75);
        it.metadata.insert("kind".into(), json!("official"));
        assert_eq!(adjust(&options, &it, 0.5, Timestamp::default()), 1.5);
    }

    proptest! {
        #[test]
        fn dates_are_read_as_they_are_written(millis in 0_u64..4_000_000_000_000) {
            let time = Timestamp::from_millis(millis / 1_000 * 1_000);
            prop_assert_eq!(from_rfc3339(&time.to_rfc3339()), Some(time));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,40}|[0-9T:Z+.-]{0,40}") {
            let _ = from_rfc3339(&text);
        }
    }
}
