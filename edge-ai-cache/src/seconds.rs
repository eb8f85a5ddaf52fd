use std::time::Duration;

/// Whole seconds, rounded up: for stores that count no finer.
pub(crate) const fn rounded_up(ttl: Duration) -> u64 {
    ttl.as_secs()
        .saturating_add(if ttl.subsec_nanos() > 0 { 1 } else { 0 })
}

/// A `max-age`, which [stays below 2^31](https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2).
pub(crate) fn max_age(ttl: Duration) -> u64 {
    rounded_up(ttl).min((1 << 31) - 1)
}

/// An `expirationTtl` of Workers KV: at least
/// [60 seconds](https://developers.cloudflare.com/kv/api/write-key-value-pairs/#expiring-keys). KV states no upper limit; more
/// than ten years is kept for good, which also keeps sums of dates far from any.
pub(crate) fn kv_expiration_ttl(ttl: Duration) -> Option<u64> {
    const MIN: u64 = 60;
    const MAX: u64 = 10 * 366 * 24 * 3_600;
    let seconds = rounded_up(ttl).max(MIN);
    (seconds <= MAX).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_never_cut_short() {
        let times = [
            (Duration::ZERO, 0),
            (Duration::from_millis(1), 1),
            (Duration::from_secs(61), 61),
            (Duration::from_millis(61_001), 62),
            (Duration::MAX, u64::MAX),
        ];
        for (ttl, seconds) in times {
            assert_eq!(rounded_up(ttl), seconds);
        }
    }

    #[test]
    fn the_longest_is_what_a_store_takes() {
        assert_eq!(max_age(Duration::from_millis(1)), 1);
        assert_eq!(max_age(Duration::MAX), 2_147_483_647);
        assert_eq!(kv_expiration_ttl(Duration::from_millis(1)), Some(60));
        assert_eq!(kv_expiration_ttl(Duration::from_millis(60_001)), Some(61));
        assert_eq!(kv_expiration_ttl(Duration::MAX), None);
    }
}
