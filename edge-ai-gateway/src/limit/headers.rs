use std::fmt::Display;
use std::time::Duration;

use edge_ai_core::Decision;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Writes what a client needs to pace itself, in the two ways clients read it:
/// [draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/) and OpenAI's
/// `x-ratelimit-*`; and `retry-after` on a refusal, which is never earlier than the draft's `t`.
pub(super) fn write(name: &str, decision: &Decision, headers: &mut HeaderMap) {
    let quota = decision.quota;
    let wait = if decision.allowed {
        decision.reset_after
    } else {
        decision.retry_after
    };
    let seconds = whole_seconds(wait);
    let mut set = |name: &'static str, value: &dyn Display| {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(
        "ratelimit-policy",
        &format_args!(
            "\"{name}\";q={};w={}",
            quota.requests(),
            whole_seconds(quota.period()).max(1)
        ),
    );
    set(
        "ratelimit",
        &format_args!("\"{name}\";r={};t={seconds}", decision.remaining),
    );
    set("x-ratelimit-limit-requests", &quota.requests());
    set("x-ratelimit-remaining-requests", &decision.remaining);
    set("x-ratelimit-reset-requests", &go_duration(decision.reset_after));
    if !decision.allowed {
        set("retry-after", &seconds);
        set(
            "retry-after-ms",
            &decision.retry_after.as_nanos().div_ceil(1_000_000),
        );
    }
}

/// Seconds, rounded up.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0))
}

/// A duration as OpenAI writes it: `6m0s`, `1.5s`, `120ms`.
fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = rest as f64 / 1_000.0;
    match (minutes, rest) {
        (0, rest) if rest < 1_000 => format!("{rest}ms"),
        (0, _) => format!("{seconds}s"),
        _ => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::Quota;

    fn written(decision: &Decision) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        write("ip", decision, &mut headers);
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let decision = Decision::new(
            false,
            Quota::per_minute(60),
            0,
            Duration::from_secs(60),
            Duration::from_millis(400),
        );
        let expect = [
            ("ratelimit-policy", "\"ip\";q=60;w=60"),
            ("ratelimit", "\"ip\";r=0;t=1"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1m0s"),
            ("retry-after", "1"),
            ("retry-after-ms", "400"),
        ];
        let expect: Vec<_> = expect
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(written(&decision), expect);
    }

    #[test]
    fn durations_as_openai_writes_them() {
        for (millis, text) in [
            (0, "0ms"),
            (120, "120ms"),
            (1_500, "1.5s"),
            (360_000, "6m0s"),
            (61_250, "1m1.25s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
