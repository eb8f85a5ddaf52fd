use edge_ai_core::{Comparison, ErrorKind, Filter, JsonObject};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Encoded, encode_filter};
use Comparison::{Eq, Gt, Gte, In, Lt, Lte, Ne, NotIn};

fn filter(conditions: &[(&str, Comparison, Value)]) -> Filter {
    conditions
        .iter()
        .fold(Filter::new(), |filter, (field, comparison, value)| {
            filter.with(*field, *comparison, value.clone())
        })
}

/// The filter as JSON; null for everything, `false` for nothing.
fn encoded(conditions: &[(&str, Comparison, Value)]) -> Value {
    match encode_filter(&filter(conditions)).unwrap() {
        Encoded::Everything => Value::Null,
        Encoded::Nothing => Value::Bool(false),
        Encoded::Fields(fields) => Value::Object(fields),
    }
}

fn refused(conditions: &[(&str, Comparison, Value)]) -> String {
    let error = encode_filter(&filter(conditions)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    error.to_string()
}

#[test]
fn conditions_on_one_field_share_its_object() {
    assert_eq!(encoded(&[]), Value::Null);
    assert_eq!(
        encoded(&[
            ("a", Eq, json!("x")),
            ("b.c", Ne, json!(1)),
            ("d", In, json!([1, 2]))
        ]),
        json!({"a": {"$eq": "x"}, "b.c": {"$ne": 1}, "d": {"$in": [1, 2]}})
    );
    assert_eq!(
        encoded(&[("n", Gte, json!(1)), ("n", Lt, json!(5))]),
        json!({"n": {"$gte": 1, "$lt": 5}})
    );
}

#[test]
fn of_two_bounds_on_one_side_the_tighter_is_kept() {
    assert_eq!(
        encoded(&[("n", Gt, json!(1)), ("n", Gte, json!(3))]),
        json!({"n": {"$gte": 3}})
    );
    assert_eq!(
        encoded(&[("n", Gte, json!(3)), ("n", Gt, json!(3.0))]),
        json!({"n": {"$gt": 3.0}})
    );
    assert_eq!(
        encoded(&[("n", Gt, json!(3)), ("n", Gte, json!(3))]),
        json!({"n": {"$gt": 3}})
    );
    assert_eq!(
        encoded(&[("s", Lt, json!("b")), ("s", Lte, json!("c"))]),
        json!({"s": {"$lt": "b"}})
    );
}

#[test]
fn what_can_be_decided_is_decided_here() {
    assert_eq!(
        encoded(&[("n", Eq, json!(3)), ("n", Gt, json!(1)), ("n", Ne, json!(2))]),
        json!({"n": {"$eq": 3}})
    );
    assert_eq!(
        encoded(&[("n", In, json!([1, 2, 3])), ("n", Gt, json!(1))]),
        json!({"n": {"$in": [2, 3]}})
    );
    assert_eq!(
        encoded(&[("n", Ne, json!(1)), ("n", NotIn, json!([1.0, 2]))]),
        json!({"n": {"$nin": [1, 2]}})
    );
    assert_eq!(
        encoded(&[("n", Gt, json!(1)), ("n", Ne, json!(1))]),
        json!({"n": {"$gt": 1}})
    );
    assert_eq!(encoded(&[("n", NotIn, json!([]))]), Value::Null);
    let nothing = Value::Bool(false);
    for never in [
        vec![("n", Eq, json!(1)), ("n", Eq, json!(2))],
        vec![("n", In, json!([]))],
        vec![("n", Gt, json!(1)), ("n", Lt, json!("x"))],
        vec![("n", Gt, json!(1)), ("n", Gt, json!("x"))],
        vec![("n", Lt, json!(true))],
        vec![("a", Eq, json!(1)), ("n", Eq, json!(null)), ("n", Gt, json!(0))],
    ] {
        assert_eq!(encoded(&never), nothing, "{never:?}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_with_its_field() {
    assert!(
        refused(&[("n", Gt, json!(1)), ("n", Ne, json!(3))]).contains("within a range (field `filter.n`)")
    );
    assert!(refused(&[("n", Ne, json!(null)), ("n", Ne, json!(3))]).contains("exclude null"));
    assert!(refused(&[("n", Eq, json!([1]))]).contains("compares with"));
    assert!(refused(&[("n", In, json!([null]))]).contains("membership"));
    assert!(refused(&[("n", In, json!("x"))]).contains("membership"));
    for (field, why) in [
        ("", "empty"),
        ("a..b", "empty"),
        (".a", "empty"),
        ("$a", "$"),
        ("a\"b", "quote"),
        ("a|b", "bar"),
        ("a".repeat(513).as_str(), "512"),
    ] {
        assert!(refused(&[(field, Eq, json!(1))]).contains(why), "{field}");
    }
}

#[test]
fn a_filter_has_under_2048_bytes() {
    // `{"a":{"$eq":""}}` is 16 bytes.
    assert!(encode_filter(&filter(&[("a", Eq, json!("x".repeat(2_031)))])).is_ok());
    assert!(refused(&[("a", Eq, json!("x".repeat(2_032)))]).contains("this one has 2048"));
}

/// What the service makes of a filter, written from its documentation.
fn service_passes(fields: &JsonObject, record: &JsonObject) -> bool {
    fields.iter().all(|(field, operators)| {
        let operators = operators.as_object().unwrap();
        let ranges = operators
            .keys()
            .filter(|name| ["$gt", "$gte", "$lt", "$lte"].contains(&name.as_str()))
            .count();
        assert!(
            operators.len() == 1 || (operators.len() == 2 && ranges == 2),
            "{operators:?} cannot be combined"
        );
        let found = record.get(field).unwrap_or(&Value::Null);
        operators.iter().all(|(operator, value)| {
            let same = |value: &Value| match (found.as_f64(), value.as_f64()) {
                (Some(a), Some(b)) => a == b,
                _ => found == value,
            };
            let order = match (found, value) {
                (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                _ => None,
            };
            match operator.as_str() {
                "$eq" => same(value),
                "$ne" => !same(value),
                "$in" => value.as_array().unwrap().iter().any(same),
                "$nin" => !value.as_array().unwrap().iter().any(same),
                "$lt" => order.is_some_and(std::cmp::Ordering::is_lt),
                "$lte" => order.is_some_and(std::cmp::Ordering::is_le),
                "$gt" => order.is_some_and(std::cmp::Ordering::is_gt),
                "$gte" => order.is_some_and(std::cmp::Ordering::is_ge),
                other => panic!("no operator {other}"),
            }
        })
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i8..3).prop_map(Value::from),
        (-3_i8..3).prop_map(|number| Value::from(f64::from(number))),
        "[ab]{0,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn condition() -> impl Strategy<Value = (&'static str, Comparison, Value)> {
    let field = prop::sample::select(vec!["a", "b"]);
    let single = (
        prop::sample::select(vec![Eq, Ne, Lt, Lte, Gt, Gte]),
        prop_oneof![9 => value(), 1 => Just(Value::Null)],
    );
    let several = (
        prop::sample::select(vec![In, NotIn]),
        prop::collection::vec(value(), 0..4).prop_map(Value::from),
    );
    (field, prop_oneof![single, several]).prop_map(|(field, (comparison, value))| (field, comparison, value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_service_passes_what_the_filter_does(
        conditions in prop::collection::vec(condition(), 0..5),
        records in prop::collection::vec(prop::collection::hash_map(prop::sample::select(vec!["a", "b"]), value(), 0..3), 1..8),
    ) {
        let filter = filter(&conditions);
        let Ok(encoded) = encode_filter(&filter) else { return Ok(()) };
        for record in records {
            let record: JsonObject = record.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
            let passes = match &encoded {
                Encoded::Everything => true,
                Encoded::Nothing => false,
                Encoded::Fields(fields) => service_passes(fields, &record),
            };
            prop_assert_eq!(passes, filter.matches(&record), "{:?} as {:?} on {:?}", &conditions, &encoded, record);
        }
    }
}
