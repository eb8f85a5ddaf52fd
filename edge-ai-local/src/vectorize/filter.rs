//! Metadata filters.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Error;
use super::limits;
use crate::config::PropertyType;

/// Conditions that must all hold; none at all always hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    conditions: Vec<(String, Condition)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Equal(Value),
    NotEqual(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Range { low: Option<Bound>, high: Option<Bound> },
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    value: Value,
    inclusive: bool,
}

impl Filter {
    pub(super) fn parse(filter: &Value) -> Result<Self, Error> {
        let object = filter
            .as_object()
            .ok_or_else(|| Error::malformed("filter: expected an object"))?;
        if object.is_empty() {
            return Err(Error::invalid("invalid filter: it must not be empty"));
        }
        if filter.to_string().len() >= limits::FILTER_BYTES {
            return Err(Error::invalid(format!(
                "invalid filter: as JSON it must be under {} bytes",
                limits::FILTER_BYTES
            )));
        }
        let conditions = object
            .iter()
            .map(|(key, value)| {
                check_key(key)?;
                Ok((key.clone(), condition(key, value)?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { conditions })
    }

    /// Whether indexed values meet the filter. A property without a metadata index meets nothing.
    pub(super) fn matches(
        &self,
        indexed: &BTreeMap<String, Value>,
        indexes: &[(String, PropertyType)],
    ) -> bool {
        self.conditions.iter().all(|(key, condition)| {
            indexes.iter().any(|(property, _)| property == key) && condition.holds(indexed.get(key))
        })
    }

    /// The first property that has no metadata index.
    pub(super) fn unindexed(&self, indexes: &[(String, PropertyType)]) -> Option<&str> {
        let known = |key: &str| indexes.iter().any(|(property, _)| property == key);
        self.conditions
            .iter()
            .map(|(key, _)| key.as_str())
            .find(|key| !known(key))
    }
}

impl Condition {
    fn holds(&self, value: Option<&Value>) -> bool {
        let value = value.unwrap_or(&Value::Null);
        match self {
            Self::Equal(wanted) => equal(value, wanted),
            Self::NotEqual(unwanted) => !equal(value, unwanted),
            Self::In(wanted) => wanted.iter().any(|wanted| equal(value, wanted)),
            Self::NotIn(unwanted) => !unwanted.iter().any(|unwanted| equal(value, unwanted)),
            Self::Range { low, high } => {
                let within = |bound: &Option<Bound>, side: Ordering| {
                    bound.as_ref().is_none_or(|bound| {
                        compare(value, &bound.value)
                            .is_some_and(|order| order == side || bound.inclusive && order == Ordering::Equal)
                    })
                };
                within(low, Ordering::Greater) && within(high, Ordering::Less)
            }
        }
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    let wrong = key.is_empty()
        || key.starts_with('$')
        || key.contains(['"', '|'])
        || key.split('.').any(str::is_empty)
        || key.chars().count() > limits::KEY_CHARS;
    if wrong {
        return Err(Error::invalid(format!(
            "invalid filter key {key:?}: it must not be empty, start with $, contain a quote or a bar, or be over {} \
             characters",
            limits::KEY_CHARS
        )));
    }
    Ok(())
}

fn condition(key: &str, value: &Value) -> Result<Condition, Error> {
    match value {
        Value::Object(operators) => operators_of(key, operators),
        Value::Array(_) => Err(Error::invalid(format!(
            "invalid filter for {key:?}: expected a value or operators, got an array"
        ))),
        value => Ok(Condition::Equal(value.clone())),
    }
}

fn operators_of(key: &str, operators: &Map<String, Value>) -> Result<Condition, Error> {
    let refuse = |why: &str| Err(Error::invalid(format!("invalid filter for {key:?}: {why}")));
    let mut low = None;
    let mut high = None;
    for (operator, value) in operators {
        match operator.as_str() {
            "$eq" | "$ne" | "$in" | "$nin" if operators.len() > 1 => {
                return refuse(&format!("{operator} cannot be combined with other operators"));
            }
            "$eq" | "$ne" if value.is_object() || value.is_array() => {
                return refuse(&format!("{operator} takes a string, number, boolean or null"));
            }
            "$eq" => return Ok(Condition::Equal(value.clone())),
            "$ne" => return Ok(Condition::NotEqual(value.clone())),
            "$in" | "$nin" => {
                let scalar = |v: &Value| v.is_string() || v.is_number() || v.is_boolean();
                let Some(list) = value
                    .as_array()
                    .filter(|list| !list.is_empty() && list.iter().all(scalar))
                else {
                    return refuse(&format!(
                        "{operator} takes an array of strings, numbers or booleans"
                    ));
                };
                let list = list.clone();
                return Ok(if operator == "$in" {
                    Condition::In(list)
                } else {
                    Condition::NotIn(list)
                });
            }
            "$gt" | "$gte" | "$lt" | "$lte" => {
                if !(value.is_string() || value.is_number()) {
                    return refuse(&format!("{operator} takes a string or a number"));
                }
                let bound = Bound {
                    value: value.clone(),
                    inclusive: operator.ends_with('e'),
                };
                let side = if operator.starts_with("$g") {
                    &mut low
                } else {
                    &mut high
                };
                if side.replace(bound).is_some() {
                    return refuse("a range has one lower and one upper bound");
                }
            }
            other => return refuse(&format!("unknown operator {other}")),
        }
    }
    if low.is_none() && high.is_none() {
        refuse("no operator")
    } else {
        Ok(Condition::Range { low, high })
    }
}

/// Equality by value: 1 and 1.0 are equal. Strings are compared as far as the metadata index sees.
fn equal(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) => {
            a == b || (a.len() > limits::INDEXED_BYTES - 4 && b.starts_with(a.as_str()))
        }
        (a, b) => a == b,
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.as_str().cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn holds(filter: Value, value: Value) -> bool {
        let indexes = [
            ("k".to_owned(), PropertyType::String),
            ("a.b".to_owned(), PropertyType::Number),
        ];
        let indexed = value.as_object().unwrap().clone().into_iter().collect();
        Filter::parse(&filter).unwrap().matches(&indexed, &indexes)
    }

    #[test]
    fn every_operator() {
        let k = |value: Value| json!({ "k": value });
        for (filter, value, wanted) in [
            (json!("x"), json!("x"), true),
            (json!({ "$eq": 1 }), json!(1.0), true),
            (json!({ "$ne": "x" }), json!("x"), false),
            (json!({ "$ne": "x" }), json!("y"), true),
            (json!({ "$in": ["x", "y"] }), json!("y"), true),
            (json!({ "$in": [true] }), json!(false), false),
            (json!({ "$nin": [1, 2] }), json!(3), true),
            (json!({ "$nin": [1, 2] }), json!(2), false),
            (json!({ "$lt": 5 }), json!(5), false),
            (json!({ "$lte": 5 }), json!(5), true),
            (json!({ "$gt": 5 }), json!(5), false),
            (json!({ "$gte": 5, "$lt": 6 }), json!(5.5), true),
            (json!({ "$gte": "net", "$lt": "neu" }), json!("network"), true),
            (json!({ "$gte": "net", "$lt": "neu" }), json!("new"), false),
            (json!({ "$gt": 1 }), json!("text"), false),
        ] {
            assert_eq!(
                holds(k(filter.clone()), k(value.clone())),
                wanted,
                "{filter} on {value}"
            );
        }
    }

    #[test]
    fn conditions_are_joined_and_keys_nest() {
        assert!(holds(
            json!({ "k": "x", "a.b": { "$gt": 1 } }),
            json!({ "k": "x", "a.b": 2 })
        ));
        assert!(!holds(
            json!({ "k": "x", "a.b": { "$gt": 1 } }),
            json!({ "k": "x", "a.b": 1 })
        ));
        assert!(!holds(json!({ "k": "x" }), json!({})));
        assert!(!holds(
            json!({ "unindexed": { "$ne": "x" } }),
            json!({ "unindexed": "y" })
        ));
    }

    #[test]
    fn wrong_filters_are_refused() {
        for bad in [
            json!({}),
            json!([]),
            json!({ "": 1 }),
            json!({ "$k": 1 }),
            json!({ "a..b": 1 }),
            json!({ "k\"": 1 }),
            json!({ "k": [1] }),
            json!({ "k": {} }),
            json!({ "k": { "nested": 1 } }),
            json!({ "k": { "$like": "x" } }),
            json!({ "k": { "$in": "x" } }),
            json!({ "k": { "$in": [null] } }),
            json!({ "k": { "$eq": 1, "$lt": 2 } }),
            json!({ "k": { "$gt": 1, "$gte": 2 } }),
            json!({ "k": { "$lt": true } }),
            json!({ "k": "x".repeat(2048) }),
            json!({ ("k".repeat(513)): 1 }),
        ] {
            assert!(Filter::parse(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_condition_and_its_opposite_never_both_hold(value in -5_i64..5, wanted in -5_i64..5) {
            let on = |operator: &str| holds(json!({ "k": { operator: wanted } }), json!({ "k": value }));
            prop_assert_ne!(on("$eq"), on("$ne"));
            prop_assert_ne!(on("$lt"), on("$gte"));
            prop_assert_ne!(on("$gt"), on("$lte"));
        }
    }
}
