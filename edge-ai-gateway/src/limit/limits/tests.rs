use super::*;
use crate::limit::Estimate;
use edge_ai_core::{LimitFilter, ManualClock, Timestamp};
use futures_executor::block_on;

fn limits(rules: &[&str]) -> Limits {
    let limits = Limits::new(Arc::new(ManualClock::new(Timestamp::from_millis(1))));
    limits
        .replace(rules.iter().map(|rule| rule.parse().unwrap()).collect())
        .unwrap();
    limits
}

fn asked<'a>(context: &'a Context, tokens: u64) -> Asking<'a> {
    Asking {
        model: "m",
        estimate: Estimate {
            input: tokens,
            output: 0,
            cost: None,
        },
        ..Asking::early(Stage::Asked, context)
    }
}

fn admit(limits: &Limits, asking: &Asking<'_>) -> Result<Holds> {
    let mut holds = Holds::new(asking.context.clone());
    block_on(limits.admit(asking, &mut holds)).map(|()| holds)
}

#[test]
fn what_refuses_takes_nothing_of_the_others() {
    let limits = limits(&[
        "10 requests per minute per model",
        "100 tokens per minute",
        "5 output_tokens per minute",
    ]);
    let context = Context::default();
    let refused = admit(
        &limits,
        &Asking {
            estimate: Estimate {
                input: 10,
                output: 9,
                cost: None,
            },
            ..asked(&context, 0)
        },
    );
    let error = refused.unwrap_err();
    assert_eq!(error.code(), Some("request_too_large_for_limit"));
    assert!(!error.is_retryable());
    // All is still there.
    for _ in 0..10 {
        admit(&limits, &asked(&context, 10))
            .unwrap()
            .settle(&crate::limit::Actual {
                usage: Some(edge_ai_core::Usage::new(10, 0)),
                cost: None,
            });
    }
    let error = admit(&limits, &asked(&context, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(
        error
            .message()
            .contains("10 requests for each model in each minute"),
        "{error}"
    );
}

#[test]
fn rules_of_a_key_count_for_it_alone() {
    let limits = limits(&[]);
    let rules: Vec<LimitRule> = vec!["1 requests per minute".parse().unwrap()];
    let of = |key: &str| Context::default().with_key(key).with_limits(rules.clone());
    let early = |context: &Context| admit(&limits, &Asking::early(Stage::Caller, context)).map(drop);
    assert!(limits.has(Stage::Caller, &of("a")));
    early(&of("a")).unwrap();
    early(&of("b")).unwrap();
    early(&of("a")).unwrap_err();
}

#[test]
fn rules_go_where_enough_is_known() {
    for (rule, stage) in [
        ("1 requests per minute per ip", Stage::Address),
        ("1 requests per minute", Stage::Address),
        ("1 requests per minute per ip and key", Stage::Caller),
        ("1 concurrency per ip", Stage::Caller),
        ("1 requests per minute per model", Stage::Asked),
        ("1 tokens per minute per ip", Stage::Asked),
        ("1 requests per minute per key and provider", Stage::Target),
    ] {
        assert_eq!(Stage::of(&rule.parse().unwrap()), stage, "{rule}");
    }
    let rule: LimitRule = "1 requests per minute".parse().unwrap();
    assert_eq!(
        Stage::of(&rule.clone().only(LimitFilter::default().tenants(["a"]))),
        Stage::Caller
    );
    assert_eq!(
        Stage::of(&rule.only(LimitFilter::default().models(["a"]))),
        Stage::Asked
    );
}

#[test]
fn a_bad_exchange_leaves_the_rules_as_they_were() {
    let limits = limits(&["1 requests per minute per ip"]);
    let twice = vec![
        "1 requests per minute".parse().unwrap(),
        "2 requests per minute".parse().unwrap(),
    ];
    for (rules, field) in [
        (twice, "name"),
        (vec!["1 requests per minute on moon".parse().unwrap()], "backend"),
    ] {
        assert_eq!(limits.replace(rules).unwrap_err().param(), Some(field));
        assert_eq!(limits.rules().len(), 1);
    }
}

#[test]
fn an_unknown_price_is_told() {
    let limits = limits(&["$1 per month"]);
    let context = Context::default();
    admit(&limits, &asked(&context, 1)).unwrap();
    assert!(context.trail.warnings()[0].contains("no price of `m` is known"));
}

#[test]
fn spend_that_is_used_up_is_not_tried_again() {
    let limits = limits(&["$1 per month per tenant"]);
    let context = Context::default().with_tenant("acme");
    let cost = edge_ai_core::Money::from_nano_dollars(600_000_000);
    let asking = Asking {
        estimate: Estimate {
            cost: Some(cost),
            ..Estimate::default()
        },
        ..asked(&context, 0)
    };
    let first = admit(&limits, &asking).unwrap();
    let error = admit(&limits, &asking).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::QuotaExceeded, Some("insufficient_quota"))
    );
    assert!(!error.is_retryable() && error.retry_after().is_some());
    assert!(!error.message().contains("acme"), "{error}");
    first.settle(&crate::limit::Actual {
        cost: Some(edge_ai_core::Money::from_nano_dollars(1)),
        usage: Some(edge_ai_core::Usage::default()),
    });
    admit(&limits, &asking).unwrap();
}

#[test]
fn the_short_way_is_a_rule() {
    for (quota, rule) in [
        (Quota::per_minute(60), "60 requests per minute per ip"),
        (
            Quota::new(std::num::NonZeroU32::MIN, Duration::from_millis(100)),
            "10 requests per second per ip",
        ),
    ] {
        assert_eq!(
            Limit::per_ip(quota).rule(),
            rule.parse::<LimitRule>().unwrap().named("ip")
        );
    }
}
