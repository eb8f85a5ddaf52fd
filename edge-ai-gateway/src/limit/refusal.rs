use std::fmt::Write as _;
use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, LimitMeasure, LimitOutcome, LimitRule, LimitScope};

use super::gate::{Asking, Stage};

/// What a refused client reads: the rule, for whom it is, how much in how long, and when to come back. Never a key, a tenant or an address.
pub(super) fn refusal(asking: &Asking<'_>, rule: &LimitRule, amount: u64, outcome: &LimitOutcome) -> Error {
    let spend = rule.measure == LimitMeasure::Spend;
    let kind = if spend {
        ErrorKind::QuotaExceeded
    } else {
        ErrorKind::RateLimited
    };
    let mut message = match (asking.stage, asking.target) {
        (Stage::Target, Some((provider, _))) => {
            format!("the gateway's limit `{}` on `{provider}`: ", rule.name)
        }
        _ => format!("the limit `{}`: ", rule.name),
    };
    let per = scopes(rule);
    // Writing to a text does not fail.
    let _ = match (rule.measure, rule.window) {
        (LimitMeasure::Concurrency, _) => {
            write!(
                message,
                "{} requests at a time{per} are allowed, and as many are under way",
                rule.amount
            )
        }
        (_, Some(window)) => write!(
            message,
            "{}{per} in each {window} are allowed",
            quantity(rule.measure, rule.amount)
        ),
        (_, None) => write!(
            message,
            "{}{per} are allowed",
            quantity(rule.measure, rule.amount)
        ),
    };
    let never = outcome.retry_after == Duration::MAX;
    let _ = if never {
        write!(
            message,
            ", and this request alone needs about {}: make it smaller, or ask for fewer tokens of output",
            quantity(rule.measure, amount)
        )
    } else {
        let left = outcome
            .remaining
            .filter(|_| rule.measure != LimitMeasure::Requests && rule.measure != LimitMeasure::Concurrency);
        let _ = left.map(|left| {
            write!(
                message,
                ", {} are left, and this request needs about {}",
                quantity(rule.measure, left),
                quantity(rule.measure, amount)
            )
        });
        write!(message, "; try again in {}", spoken(outcome.retry_after))
    };
    let code = match (spend, never) {
        (true, _) => "insufficient_quota",
        (false, true) => "request_too_large_for_limit",
        (false, false) => "rate_limit_exceeded",
    };
    let error = Error::new(kind, message)
        .with_code(code)
        .with_retryable(!spend && !never);
    if never {
        error
    } else {
        error.with_retry_after(outcome.retry_after)
    }
}

fn quantity(measure: LimitMeasure, amount: u64) -> String {
    match measure {
        LimitMeasure::Spend => {
            let amount = i64::try_from(amount).unwrap_or(i64::MAX);
            edge_ai_core::Money::from_nano_dollars(amount).to_string()
        }
        LimitMeasure::InputTokens => format!("{amount} tokens of input"),
        LimitMeasure::OutputTokens => format!("{amount} tokens of output"),
        measure => format!("{amount} {measure}"),
    }
}

fn scopes(rule: &LimitRule) -> String {
    let mut text = String::new();
    for (at, scope) in rule.per.iter().enumerate() {
        text.push_str(if at == 0 { " for each " } else { " and " });
        text.push_str(match scope {
            LimitScope::Ip => "address",
            LimitScope::Key => "key",
            LimitScope::Tenant => "tenant",
            LimitScope::Model | LimitScope::RoutedModel => "model",
            LimitScope::Provider => "provider",
            _ => "caller",
        });
    }
    text
}

/// `400 ms`, `12 s`, `3 min`, `5 h`, `9 days`: rounded up.
fn spoken(wait: Duration) -> String {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    let seconds = millis.div_ceil(1_000);
    match seconds {
        _ if millis < 1_000 => format!("{millis} ms"),
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds.div_ceil(60)),
        7_200..=172_799 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}
