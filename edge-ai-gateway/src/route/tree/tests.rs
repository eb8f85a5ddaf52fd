use proptest::prelude::*;

use proptest::strategy::Strategy as Generator;

use super::*;
use crate::route::{Affinity, Condition};

fn condition() -> impl Generator<Value = Condition> {
    let leaf = prop_oneof![
        "[a-z]{1,6}".prop_map(Condition::tenant),
        ("[a-z]{1,6}", "\\PC{0,6}").prop_map(|(key, value)| Condition::metadata(key, value)),
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
        (r#""""#, "must not be empty"),
    ] {
        assert!(error(json).contains(told), "{json}: {}", error(json));
    }
    assert!(error("{\n  \"fallback\": [\"a/x\", 7]\n}").contains("line 2"));
}
