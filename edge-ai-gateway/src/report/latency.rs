use super::column::number;
use crate::usage::buckets::SECONDS;
use edge_ai_core::Row;

/// The columns of the histogram of durations, and of that of times to the first content.
pub(super) const DURATION: [&str; 15] = [
    "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14",
];
pub(super) const FIRST: [&str; 15] = [
    "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14",
];

/// The counts of a row's histogram.
pub(super) fn counts(row: &Row, columns: &[&str; 15]) -> [u64; 15] {
    columns.map(|column| number(row, column))
}

/// An estimate of the duration, in milliseconds, that a share of the requests stays within; `None` without requests.
///
/// A bucket's requests count as spread evenly over it, so the estimate is off by at most the bucket's width: a factor of two. Over the last bound, it is that
/// bound.
pub(super) fn quantile(counts: &[u64; 15], share: f64) -> Option<u64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let wanted = share * total as f64;
    let mut below = 0.0;
    let mut lower = 0.0;
    for (count, upper) in counts.iter().zip(SECONDS) {
        let count = *count as f64;
        if count > 0.0 && below + count >= wanted {
            let within = ((wanted - below) / count).clamp(0.0, 1.0);
            return Some(((lower + (upper - lower) * within) * 1e3).round() as u64);
        }
        below += count;
        lower = upper;
    }
    Some((lower * 1e3) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_interpolated_within_a_bucket() {
        let mut counts = [0; 15];
        counts[3] = 10;
        assert_eq!(quantile(&counts, 0.5), Some(60));
        assert_eq!(quantile(&counts, 1.0), Some(80));
        counts[14] = 90;
        assert_eq!(quantile(&counts, 0.99), Some(81_920));
        assert_eq!(quantile(&[0; 15], 0.5), None);
    }

    proptest! {
        #[test]
        fn it_is_off_by_less_than_the_buckets_width(mut values in prop::collection::vec(1_u64..80_000, 1..200), share in 0.01_f64..1.0) {
            let mut counts = [0; 15];
            for value in &values {
                counts[SECONDS.partition_point(|bound| bound * 1e3 < *value as f64)] += 1;
            }
            values.sort_unstable();
            let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1] as f64;
            let estimate = quantile(&counts, share).unwrap() as f64;
            prop_assert!(estimate <= (exact * 2.0).max(10.0) + 1.0 && estimate >= exact / 2.0 - 10.0, "{estimate} for {exact}");
        }
    }
}
