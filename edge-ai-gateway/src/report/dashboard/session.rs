use std::fmt::Write as _;
use std::time::Duration;

use edge_ai_core::Timestamp;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use http::header::COOKIE;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::report::token::Token;

/// Sessions that nobody has to remember: a cookie says until when it is good, and is signed.
pub(super) struct Sessions {
    key: [u8; 32],
}

const NAME: &str = "edge_ai_dashboard";
const LASTS: Duration = Duration::from_secs(12 * 3_600);

impl Sessions {
    /// Sessions that end when the token is another.
    pub(super) const fn new(token: &Token) -> Self {
        Self { key: *token.key() }
    }

    /// The `Set-Cookie` of a new session.
    pub(super) fn begin(&self, now: Timestamp, https: bool) -> String {
        let until = (now + LASTS).as_secs();
        let signature = self.sign(until);
        cookie(&format!("{until}.{signature}"), LASTS.as_secs(), https)
    }

    /// The `Set-Cookie` that ends one.
    pub(super) fn end(&self, https: bool) -> String {
        cookie("", 0, https)
    }

    /// Whether a request belongs to a session.
    pub(super) fn holds(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
            .any(|value| self.is_good(value, now))
    }

    fn is_good(&self, value: &str, now: Timestamp) -> bool {
        let Some((until, signature)) = value.split_once('.') else {
            return false;
        };
        let Ok(until) = until.parse::<u64>() else {
            return false;
        };
        let right = self.sign(until);
        bool::from(right.as_bytes().ct_eq(signature.as_bytes())) && now.as_secs() < until
    }

    fn sign(&self, until: u64) -> String {
        let mut hex = String::new();
        // A key of any length is a key.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return hex;
        };
        mac.update(b"edge-ai dashboard session until ");
        mac.update(&until.to_be_bytes());
        for byte in mac.finalize().into_bytes() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

fn cookie(value: &str, seconds: u64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/dashboard; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::Secret;

    fn sessions(token: &str) -> Sessions {
        Sessions::new(&Token::new(&Secret::new(token), "DASHBOARD_TOKEN").unwrap())
    }

    fn with_cookie(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, format!("other=1; {value}").parse().unwrap())])
    }

    #[test]
    fn a_session_lasts_its_time_and_belongs_to_its_token() {
        let now = Timestamp::from_millis(1_000_000);
        let ours = sessions("0123456789abcdef");
        let set = ours.begin(now, true);
        assert!(set.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{set}");
        let given = with_cookie(set.split(';').next().unwrap());
        assert!(ours.holds(&given, now));
        assert!(!ours.holds(&given, now + LASTS));
        assert!(!sessions("0123456789abcdeg").holds(&given, now));
    }

    #[test]
    fn a_forged_cookie_opens_nothing() {
        let now = Timestamp::from_millis(1_000_000);
        let ours = sessions("0123456789abcdef");
        let good = ours.begin(now, false);
        let longer = good.split(';').next().unwrap().replacen("=4", "=5", 1);
        for forged in [
            "edge_ai_dashboard=",
            "edge_ai_dashboard=99999999999.",
            "edge_ai_dashboard=.",
            "edge_ai_dashboard",
            &longer,
        ] {
            assert!(!ours.holds(&with_cookie(forged), now), "{forged}");
        }
    }
}
