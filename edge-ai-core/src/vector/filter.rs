use serde_json::Value;

use crate::JsonObject;

/// Conditions on metadata that must all hold. There is no *or*, since Vectorize has none.
///
/// ```
/// use edge_ai_core::{Comparison, Filter};
///
/// let recent = Filter::new().with("year", Comparison::Gte, 2024).with("lang", Comparison::Eq, "en");
/// assert!(recent.matches(serde_json::json!({"year": 2025, "lang": "en"}).as_object().unwrap()));
/// assert!(!recent.matches(serde_json::json!({"year": 2025}).as_object().unwrap()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// One condition on one field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The field; a dot goes into an object, as in `author.name`.
    pub field: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what: a string, number, boolean or null; an array of them for [`In`](Comparison::In) and [`NotIn`](Comparison::NotIn).
    pub value: Value,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal; true for a missing field.
    Ne,
    /// Less; strings by their bytes, and nothing across types. So for the next three.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Equal to one of an array.
    In,
    /// Equal to none of an array; true for a missing field.
    NotIn,
}

impl Comparison {
    /// The operator's name in Vectorize, such as `$eq`.
    pub const fn operator(self) -> &'static str {
        match self {
            Self::Eq => "$eq",
            Self::Ne => "$ne",
            Self::Lt => "$lt",
            Self::Lte => "$lte",
            Self::Gt => "$gt",
            Self::Gte => "$gte",
            Self::In => "$in",
            Self::NotIn => "$nin",
        }
    }
}

impl Filter {
    /// No condition: everything passes.
    pub const fn new() -> Self {
        Self {
            conditions: Vec::new(),
        }
    }

    /// Adds a condition. Several on one field all count.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, comparison: Comparison, value: impl Into<Value>) -> Self {
        self.conditions.push(Condition {
            field: field.into(),
            comparison,
            value: value.into(),
        });
        self
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether a record with this metadata passes.
    pub fn matches(&self, metadata: &JsonObject) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.matches(metadata))
    }
}

impl Condition {
    fn matches(&self, metadata: &JsonObject) -> bool {
        let found = lookup(metadata, &self.field);
        let ordered = |holds: fn(std::cmp::Ordering) -> bool| {
            found
                .and_then(|found| compare(found, &self.value))
                .is_some_and(holds)
        };
        let among = || {
            let values = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
            found.is_some_and(|found| values.iter().any(|value| equal(found, value)))
        };
        match self.comparison {
            Comparison::Eq => equal(found.unwrap_or(&Value::Null), &self.value),
            Comparison::Ne => !equal(found.unwrap_or(&Value::Null), &self.value),
            Comparison::Lt => ordered(std::cmp::Ordering::is_lt),
            Comparison::Lte => ordered(std::cmp::Ordering::is_le),
            Comparison::Gt => ordered(std::cmp::Ordering::is_gt),
            Comparison::Gte => ordered(std::cmp::Ordering::is_ge),
            Comparison::In => among(),
            Comparison::NotIn => !among(),
        }
    }
}

fn lookup<'a>(metadata: &'a JsonObject, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.');
    let first = metadata.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}

/// Numbers are equal by value: `1` is `1.0`.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn compare(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(metadata: Value, field: &str, comparison: Comparison, value: Value) -> bool {
        Filter::new()
            .with(field, comparison, value)
            .matches(metadata.as_object().unwrap())
    }

    #[test]
    fn equality_is_by_value_and_missing_is_null() {
        assert!(check(json!({"n": 1}), "n", Comparison::Eq, json!(1.0)));
        assert!(check(json!({}), "n", Comparison::Eq, json!(null)));
        assert!(check(json!({}), "n", Comparison::Ne, json!(1)));
        assert!(check(json!({"a": {"b": "x"}}), "a.b", Comparison::Eq, json!("x")));
    }

    #[test]
    fn order_is_within_a_type() {
        assert!(check(
            json!({"s": "net-work"}),
            "s",
            Comparison::Gte,
            json!("net")
        ));
        assert!(!check(json!({"s": "net"}), "s", Comparison::Lt, json!(5)));
        assert!(!check(json!({}), "s", Comparison::Lt, json!("z")));
    }

    #[test]
    fn both_bounds_on_one_field_count() {
        let filter = Filter::new()
            .with("n", Comparison::Gt, 1)
            .with("n", Comparison::Lt, 5);
        assert!(filter.matches(json!({"n": 3}).as_object().unwrap()));
        assert!(!filter.matches(json!({"n": 0}).as_object().unwrap()));
        assert!(!filter.matches(json!({"n": 5}).as_object().unwrap()));
    }

    #[test]
    fn membership() {
        assert!(check(json!({"t": "a"}), "t", Comparison::In, json!(["a", "b"])));
        assert!(check(json!({}), "t", Comparison::NotIn, json!(["a"])));
        assert!(!check(json!({}), "t", Comparison::In, json!([null])));
    }
}
