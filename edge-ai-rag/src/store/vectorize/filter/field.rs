use std::cmp::Ordering;

use edge_ai_core::{Comparison, Condition, Filter, JsonObject, Result};
use serde_json::Value;

use super::refusal;

/// All conditions on one field as one.
#[derive(Debug, PartialEq)]
pub(super) enum Merged {
    /// They always hold.
    Anything,
    /// They never hold together.
    Nothing,
    /// They hold when these operators do.
    Operators(JsonObject),
}

pub(super) fn merge(field: &str, conditions: &[&Condition]) -> Result<Merged> {
    let mut among: Option<Vec<&Value>> = None;
    let mut excluded: Vec<&Value> = Vec::new();
    let mut lower: Option<&Condition> = None;
    let mut upper: Option<&Condition> = None;
    for condition in conditions {
        let value = &condition.value;
        match condition.comparison {
            Comparison::Eq => narrow(&mut among, &[scalar(field, value)?]),
            Comparison::In => narrow(&mut among, &members(field, value)?),
            Comparison::Ne => excluded.push(scalar(field, value)?),
            Comparison::NotIn => excluded.extend(members(field, value)?),
            Comparison::Gt | Comparison::Gte => match tighter(lower, condition, Ordering::Greater) {
                Some(bound) => lower = Some(bound),
                None => return Ok(Merged::Nothing),
            },
            Comparison::Lt | Comparison::Lte => match tighter(upper, condition, Ordering::Less) {
                Some(bound) => upper = Some(bound),
                None => return Ok(Merged::Nothing),
            },
            _ => return Err(refusal(field, "Vectorize has no such comparison")),
        }
    }
    if let Some(among) = among {
        // The few values that can be are asked for directly, if the other conditions let them pass.
        let passing: Vec<Value> = among
            .into_iter()
            .filter(|value| all_hold(conditions, value))
            .cloned()
            .collect();
        return Ok(
            one_or_many(passing, Comparison::Eq, Comparison::In).map_or(Merged::Nothing, Merged::Operators)
        );
    }
    let bounds: Vec<&Condition> = [lower, upper].into_iter().flatten().collect();
    if bounds.is_empty() {
        let excluded = distinct(&excluded);
        if excluded.len() > 1 && excluded.contains(&Value::Null) {
            return Err(refusal(
                field,
                "Vectorize cannot exclude null together with other values",
            ));
        }
        return Ok(one_or_many(excluded, Comparison::Ne, Comparison::NotIn)
            .map_or(Merged::Anything, Merged::Operators));
    }
    // What lies outside of the bounds is excluded already.
    if excluded.into_iter().any(|value| all_hold(&bounds, value)) {
        return Err(refusal(
            field,
            "Vectorize cannot exclude a value from within a range",
        ));
    }
    if let [low, high] = &bounds[..]
        && order(&low.value, &high.value).is_none()
    {
        return Ok(Merged::Nothing);
    }
    Ok(Merged::Operators(bounds.into_iter().map(operator).collect()))
}

/// A value of `Eq` or `Ne`.
fn scalar<'a>(field: &str, value: &'a Value) -> Result<&'a Value> {
    if value.is_object() || value.is_array() {
        return Err(refusal(
            field,
            "Vectorize compares with a string, number, boolean or null",
        ));
    }
    Ok(value)
}

/// The values of `In` or `NotIn`.
fn members<'a>(field: &str, value: &'a Value) -> Result<Vec<&'a Value>> {
    let is_member = |value: &&Value| value.is_string() || value.is_number() || value.is_boolean();
    match value.as_array().map(|values| values.iter().collect::<Vec<_>>()) {
        Some(values) if values.iter().all(is_member) => Ok(values),
        _ => Err(refusal(
            field,
            "Vectorize looks for membership in an array of strings, numbers or booleans",
        )),
    }
}

fn narrow<'a>(among: &mut Option<Vec<&'a Value>>, values: &[&'a Value]) {
    *among = Some(match among.take() {
        None => values.to_vec(),
        Some(among) => among
            .into_iter()
            .filter(|a| values.iter().any(|b| equal(a, b)))
            .collect(),
    });
}

/// The tighter of two bounds on one side; `None` when no value can keep to both, or to one.
fn tighter<'a>(known: Option<&'a Condition>, new: &'a Condition, side: Ordering) -> Option<&'a Condition> {
    order(&new.value, &new.value)?;
    let Some(known) = known else { return Some(new) };
    let strict = matches!(new.comparison, Comparison::Gt | Comparison::Lt);
    let order = order(&new.value, &known.value)?;
    Some(if order == side || (order == Ordering::Equal && strict) {
        new
    } else {
        known
    })
}

/// Numbers and strings have an order among themselves.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        _ => None,
    }
}

/// By the filter's own rules, whether a field of this value passes all conditions. Null stands for a missing field.
fn all_hold(conditions: &[&Condition], value: &Value) -> bool {
    let mut record = JsonObject::new();
    if !value.is_null() {
        record.insert("field".into(), value.clone());
    }
    let one =
        |condition: &&Condition| Filter::new().with("field", condition.comparison, condition.value.clone());
    conditions.iter().map(one).all(|filter| filter.matches(&record))
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn distinct(values: &[&Value]) -> Vec<Value> {
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.iter().any(|known| equal(known, value)) {
            distinct.push((*value).clone());
        }
    }
    distinct
}

fn one_or_many(mut values: Vec<Value>, one: Comparison, many: Comparison) -> Option<JsonObject> {
    let (name, value) = match values.len() {
        0 => return None,
        1 => (one.operator(), values.remove(0)),
        _ => (many.operator(), Value::Array(values)),
    };
    Some(JsonObject::from_iter([(name.to_owned(), value)]))
}

fn operator(condition: &Condition) -> (String, Value) {
    (
        condition.comparison.operator().to_owned(),
        condition.value.clone(),
    )
}
