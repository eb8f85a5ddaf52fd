use std::fmt::{Display, Write as _};
use std::time::Duration;

use edge_ai_core::{LimitMeasure, LimitOutcome, LimitRule, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Holds;
use super::holds::Told;
use crate::surface::Client;

/// Writes what a client needs to pace itself, in the ways clients read it: every policy by
/// [draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/), and the nearest of each kind as
/// OpenAI's `x-ratelimit-*`, for Anthropic's clients as
/// [`anthropic-ratelimit-*`](https://platform.claude.com/docs/en/api/rate-limits#response-headers). `retry-after` comes with the error, and is never earlier than the draft's `t`.
pub(crate) fn write(holds: &Holds, client: Client, now: Timestamp, headers: &mut HeaderMap) {
    let told = holds.told();
    if told.is_empty() {
        return;
    }
    let (mut policies, mut states) = (String::new(), String::new());
    for told in told {
        add(&told.key.rule, &told.outcome, &mut policies, &mut states);
    }
    set(headers, "ratelimit-policy", &policies);
    set(headers, "ratelimit", &states);
    let families: &[(LimitMeasure, [&'static str; 6])] = &[
        (
            LimitMeasure::Requests,
            [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ],
        ),
        (
            LimitMeasure::Tokens,
            [
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ],
        ),
        (
            LimitMeasure::InputTokens,
            [
                "",
                "",
                "",
                "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining",
                "anthropic-ratelimit-input-tokens-reset",
            ],
        ),
        (
            LimitMeasure::OutputTokens,
            [
                "",
                "",
                "",
                "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining",
                "anthropic-ratelimit-output-tokens-reset",
            ],
        ),
    ];
    for (measure, [limit, remaining, reset, their_limit, their_remaining, their_reset]) in families {
        let Some((rule, left, outcome)) = nearest(told, *measure) else {
            continue;
        };
        if client == Client::Anthropic {
            set(headers, their_limit, &rule.amount);
            set(headers, their_remaining, &left);
            set(
                headers,
                their_reset,
                &(now + Duration::from_secs(whole_seconds(outcome.reset_after))).to_rfc3339(),
            );
        }
        if !limit.is_empty() {
            set(headers, limit, &rule.amount);
            set(headers, remaining, &left);
            set(headers, reset, &go_duration(outcome.reset_after));
        }
    }
}

fn add(rule: &LimitRule, outcome: &LimitOutcome, policies: &mut String, states: &mut String) {
    let unit = match rule.measure {
        LimitMeasure::Requests => "",
        LimitMeasure::Concurrency => ";qu=\"concurrent-requests\"",
        LimitMeasure::InputTokens => ";qu=\"input-tokens\"",
        LimitMeasure::OutputTokens => ";qu=\"output-tokens\"",
        LimitMeasure::Spend => ";qu=\"nano-dollars\"",
        _ => ";qu=\"tokens\"",
    };
    let comma = if policies.is_empty() { "" } else { ", " };
    // Writing to a text does not fail.
    let _ = write!(
        policies,
        "{comma}\"{}\";q={}{unit}",
        rule.name,
        whole(rule.amount)
    );
    if let Some(window) = rule.window {
        let _ = write!(policies, ";w={}", window.length().as_secs());
    }
    let comma = if states.is_empty() { "" } else { ", " };
    let wait = if outcome.allowed {
        outcome.reset_after
    } else {
        outcome.retry_after
    };
    if let Some(left) = outcome.remaining.or((!outcome.allowed).then_some(0)) {
        let _ = write!(states, "{comma}\"{}\";r={}", rule.name, whole(left));
        if wait != Duration::MAX && rule.measure != LimitMeasure::Concurrency {
            let _ = write!(states, ";t={}", whole_seconds(wait));
        }
    }
}

/// The largest [whole number of a header](https://www.rfc-editor.org/rfc/rfc9651#name-integers).
fn whole(number: u64) -> u64 {
    number.min(999_999_999_999_999)
}

/// The rule of a measure with the smallest share left.
fn nearest(told: &[Told], measure: LimitMeasure) -> Option<(&LimitRule, u64, &LimitOutcome)> {
    let of = told.iter().filter(|told| told.key.rule.measure == measure);
    of.filter_map(|told| {
        let left = told.outcome.remaining?;
        Some((&*told.key.rule, left, &told.outcome))
    })
    .min_by_key(|(rule, left, outcome)| {
        let share = u128::from(*left) * 1_000_000 / u128::from(rule.amount.max(1));
        (outcome.allowed, share)
    })
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &dyn Display) {
    let text = value.to_string();
    if let (false, Ok(value)) = (text.is_empty(), HeaderValue::try_from(text)) {
        headers.insert(HeaderName::from_static(name), value);
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
    use edge_ai_core::{Context, LimitHold, LimitKey, LimitWindow};
    use std::sync::Arc;

    fn written(client: Client, told: &[(LimitRule, LimitOutcome)]) -> Vec<(String, String)> {
        let mut holds = Holds::new(Context::default());
        for (rule, outcome) in told {
            holds.tell(LimitKey::new(Arc::new(rule.clone()), ""), *outcome);
        }
        let mut headers = HeaderMap::new();
        write(
            &holds,
            client,
            Timestamp::from_millis(1_798_761_599_001),
            &mut headers,
        );
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    fn told() -> Vec<(LimitRule, LimitOutcome)> {
        let seconds = Duration::from_secs;
        vec![
            (
                LimitRule::requests(60, LimitWindow::MINUTE).named("ip"),
                LimitOutcome::allowed(Some(59), seconds(1), LimitHold::default()),
            ),
            (
                LimitRule::requests(100, LimitWindow::DAY).named("day"),
                LimitOutcome::allowed(Some(3), seconds(61), LimitHold::default()),
            ),
            (
                LimitRule::tokens(1_000, LimitWindow::MINUTE).named("tpm"),
                LimitOutcome::denied(Some(400), seconds(60), Duration::from_millis(1_200)),
            ),
        ]
    }

    #[test]
    fn every_policy_and_the_nearest_of_a_kind() {
        let expect = [
            (
                "ratelimit-policy",
                "\"ip\";q=60;w=60, \"day\";q=100;w=86400, \"tpm\";q=1000;qu=\"tokens\";w=60",
            ),
            (
                "ratelimit",
                "\"ip\";r=59;t=1, \"day\";r=3;t=61, \"tpm\";r=400;t=2",
            ),
            ("x-ratelimit-limit-requests", "100"),
            ("x-ratelimit-remaining-requests", "3"),
            ("x-ratelimit-reset-requests", "1m1s"),
            ("x-ratelimit-limit-tokens", "1000"),
            ("x-ratelimit-remaining-tokens", "400"),
            ("x-ratelimit-reset-tokens", "1m0s"),
        ];
        let expect: Vec<_> = expect
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(written(Client::OpenAi, &told()), expect);
    }

    #[test]
    fn anthropics_clients_read_dates() {
        let headers = written(Client::Anthropic, &told());
        for (name, value) in [
            ("anthropic-ratelimit-requests-remaining", "3"),
            ("anthropic-ratelimit-tokens-limit", "1000"),
            ("anthropic-ratelimit-tokens-reset", "2027-01-01T00:00:59Z"),
        ] {
            assert!(
                headers.contains(&(name.to_owned(), value.to_owned())),
                "{name}: {headers:?}"
            );
        }
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
