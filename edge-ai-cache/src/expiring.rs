//! Values that carry their own end: for stores that round times to live, and for tiers that hand values on.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use edge_ai_core::Timestamp;

/// The end in milliseconds stands before the value.
const HEAD: usize = 8;

/// Puts the end before the value.
pub(crate) fn encode(value: &Bytes, expires: Timestamp) -> Bytes {
    let mut out = BytesMut::with_capacity(HEAD + value.len());
    out.put_u64(expires.as_millis());
    out.extend_from_slice(value);
    out.freeze()
}

/// The value and its remaining time, unless it has none left or was not written by [`encode`].
pub(crate) fn decode(mut stored: Bytes, now: Timestamp) -> Option<(Bytes, Duration)> {
    let head = stored.get(..HEAD)?.try_into().ok()?;
    let left = Timestamp::from_millis(u64::from_be_bytes(head)).since(now);
    let value = stored.split_off(HEAD);
    (!left.is_zero()).then_some((value, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_until_its_end() {
        let stored = encode(&Bytes::from_static(b"v"), Timestamp::from_millis(1_000));
        let at = |millis| decode(stored.clone(), Timestamp::from_millis(millis));
        assert_eq!(
            at(400),
            Some((Bytes::from_static(b"v"), Duration::from_millis(600)))
        );
        assert_eq!(at(1_000), None);
        assert_eq!(decode(Bytes::from_static(b"short"), Timestamp::default()), None);
    }
}
