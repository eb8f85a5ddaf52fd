use proptest::prelude::*;

use proptest::strategy::Strategy as Generator;

use super::*;
use std::time::Duration;

use crate::route::{Affinity, Condition, FallbackOn, HedgeAfter, Matching};

fn matching() -> impl Generator<Value = Matching> {
    let leaf = prop_oneof![
        "\\PC{0,6}".prop_map(Matching::from),
        prop::collection::vec("[a-z]{1,4}", 0..3).prop_map(Matching::one_of),
        "[a-z]{1,4}".prop_map(Matching::prefix),
        Just(Matching::exists()),
        any::<i64>().prop_map(Matching::over),
        any::<i64>().prop_map(Matching::under),
    ];
    leaf.prop_recursive(2, 3, 1, |inner| inner.prop_map(|test| !test))
}

fn condition() -> impl Generator<Value = Condition> {
    let leaf = prop_oneof![
        matching().prop_map(Condition::tenant),
        matching().prop_map(Condition::key),
        matching().prop_map(Condition::model),
        ("[a-z]{1,6}", matching()).prop_map(|(key, value)| Condition::metadata(key, value)),
        ("x-[a-z]{1,6}", matching()).prop_map(|(name, value)| Condition::header(name, value)),
        any::<u64>().prop_map(Condition::prompt_tokens_over),
        Just(Condition::audio()),
        Just(Condition::documents()),
        Just(Condition::operation(edge_ai_core::Operation::Embeddings)),
        any::<u64>().prop_map(Condition::prompt_over),
        Just(Condition::tools()),
        Just(Condition::vision()),
        Just(Condition::stream()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::all),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::any),
            inner.prop_map(|condition| !condition),
        ]
    })
}

fn affinity() -> impl Generator<Value = Affinity> {
    prop_oneof![Just(Affinity::Tenant), "\\PC{0,6}".prop_map(Affinity::metadata)]
}

fn route() -> impl Generator<Value = Route> {
    let leaf = "[a-z]{1,4}/\\PC{1,8}".prop_map(Route::from);
    leaf.prop_recursive(4, 32, 4, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(Route::fallback),
            several().prop_map(Route::cheapest),
            several().prop_map(Route::fastest),
            (affinity(), several()).prop_map(|(by, routes)| Route::sticky(by, routes)),
            prop::collection::vec((inner.clone(), 1_u32..), 1..4).prop_map(Route::weighted),
            (
                prop::option::of(affinity()),
                prop::collection::vec(("[a-z]{1,4}", inner.clone(), 1_u32..), 1..4)
            )
                .prop_map(|(by, variants)| Route::experiment(by, variants)),
            (
                prop::sample::subsequence(vec![FallbackOn::Default, FallbackOn::ContentPolicy], 0..=2),
                several()
            )
                .prop_map(|(on, routes)| Route::fallback_on(on, routes)),
            (any::<u16>(), any::<bool>(), 1_u32..4, several()).prop_map(|(millis, p95, extra, routes)| {
                let time = Duration::from_millis(millis.into());
                let after = if p95 {
                    HedgeAfter::p95(Some(time))
                } else {
                    HedgeAfter::time(time)
                };
                Route::hedged(after, extra, routes)
            }),
            (condition(), inner.clone(), inner.clone())
                .prop_map(|(condition, then, otherwise)| Route::when(condition, then, otherwise)),
        ]
    })
}

proptest! {
    #[test]
    fn json_gives_back_the_route(route in route()) {
        let json = serde_json::to_string(&route).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Route>(&json).unwrap(), &route);
        // By way of values as well: configuration may be merged before it is read.
        let value = serde_json::to_value(&route).unwrap();
        prop_assert_eq!(serde_json::from_value::<Route>(value).unwrap(), route);
    }

    #[test]
    fn what_is_left_of_a_route_leads_to_what_is_known(route in route(), letter in "[a-z]") {
        let known = |target: &str| target.starts_with(&letter);
        let all: Vec<String> = route.targets().into_iter().map(str::to_owned).collect();
        let expect: Vec<_> = all.iter().filter(|target| known(target)).collect();
        let left = route.retain(&known);
        prop_assert_eq!(left.as_ref().map_or_else(Vec::new, Route::targets), expect);
    }
}

#[test]
fn conditions_that_have_lost_a_side_do_not_multiply() {
    let chain = (0..60).fold(Route::from("a/x"), |inner, _| {
        Route::when(Condition::stream(), "zz/x", inner)
    });
    let left = chain.retain(&|target| target == "a/x").unwrap();
    assert!(serde_json::to_string(&left).unwrap().len() < 1_024);
    assert_eq!(left.targets(), ["a/x"]);
}

#[test]
fn an_error_says_where_and_what() {
    let error = |json: &str| serde_json::from_str::<Route>(json).unwrap_err().to_string();
    for (json, told) in [
        (
            "{\n  \"fallback\": [\"a/x\", 7]\n}",
            "a model as `provider/model`",
        ),
        (r#"{"fallbak": ["a/x"]}"#, "unknown variant `fallbak`"),
        (r#"{"fallback": []}"#, "this route has no target"),
        (
            r#"{"weighted": [{"route": "a/x", "weight": 0}]}"#,
            "no weight above zero",
        ),
        (
            r#"{"weighted": [{"route": "a/x", "wait": 1}]}"#,
            "unknown field `wait`",
        ),
        (
            r#"{"sticky": {"by": "tenants", "routes": ["a/x"]}}"#,
            "unknown variant `tenants`",
        ),
        (
            r#"{"when": {"if": "stream", "then": "a/x"}}"#,
            "missing field `else`",
        ),
        (r#"{"fallback": ["a/x"], "cheapest": ["a/x"]}"#, "line 1"),
        (
            r#"{"fallback": {"on": ["hope"], "routes": ["a/x"]}}"#,
            "unknown variant `hope`",
        ),
        (r#"{"fallback": {"routes": ["a/x"]}}"#, "missing field `on`"),
        (
            r#"{"hedge": {"routes": ["a/x"]}}"#,
            "neither `after_ms` nor `p95`",
        ),
        (
            r#"{"hedge": {"after_ms": 5, "max_extra": 0, "routes": ["a/x"]}}"#,
            "`max_extra` 0",
        ),
        (
            r#"{"weighted": [{"route": "a/x", "weight": 1, "name": "two words"}]}"#,
            "a variant's name",
        ),
        (
            r#"{"when": {"if": {"header": {"authorization": "x"}}, "then": "a/x", "else": "a/y"}}"#,
            "carries credentials",
        ),
        (
            r#"{"when": {"if": {"header": {"X-Plan": "x"}}, "then": "a/x", "else": "a/y"}}"#,
            "not in lower case",
        ),
        (r#""""#, "must not be empty"),
    ] {
        assert!(error(json).contains(told), "{json}: {}", error(json));
    }
    assert!(error("{\n  \"fallback\": [\"a/x\", 7]\n}").contains("line 2"));
}
