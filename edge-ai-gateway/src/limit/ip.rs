use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use edge_ai_core::{Clock, Decision, KeyedTokenBuckets, Quota};
use http::HeaderMap;

use super::headers;

/// A limit to put on callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// So much for each client address.
    PerIp(Quota),
}

impl Limit {
    /// So much for each client address, counted in the isolate: no request waits for it, and callers spread over
    /// several isolates may get more.
    pub const fn per_ip(quota: Quota) -> Self {
        Self::PerIp(quota)
    }
}

/// A token bucket for each client address.
#[derive(Debug)]
pub(crate) struct IpLimit {
    buckets: KeyedTokenBuckets,
}

impl IpLimit {
    /// The policy's name in headers.
    pub(super) const NAME: &str = "ip";

    /// A full bucket for every address.
    pub(crate) fn new(quota: Quota, clock: Arc<dyn Clock>) -> Self {
        Self {
            buckets: KeyedTokenBuckets::with_clock(quota, clock),
        }
    }

    /// Takes one request from the address's bucket. Requests without a known address share one.
    pub(crate) fn check(&self, address: Option<IpAddr>, clock: &dyn Clock) -> Decision {
        self.buckets
            .check_at(&bucket(address), clock.now(), NonZeroU32::MIN)
    }

    /// Tells a decision to a client.
    pub(crate) fn tell(decision: &Decision, headers: &mut HeaderMap) {
        headers::write(Self::NAME, decision, headers);
    }
}

/// An IPv6 customer has at least a /64, so that is what counts as one caller
/// ([RFC 6177](https://www.rfc-editor.org/rfc/rfc6177)).
fn bucket(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_caller_share_a_bucket() {
        let of = |text: &str| bucket(text.parse().ok());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_eq!(of("nonsense"), "unknown");
    }
}
