use edge_ai_core::{Comparison, Error, Filter, JsonObject, Result};
use serde_json::Value;

const COMPARISONS: [Comparison; 8] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Lt,
    Comparison::Lte,
    Comparison::Gt,
    Comparison::Gte,
    Comparison::In,
    Comparison::NotIn,
];

/// Reads a filter as [Vectorize writes it](https://developers.cloudflare.com/vectorize/reference/metadata-filtering/): a value for each field, or an object of
/// operators. All of it must hold.
pub(super) fn read(filter: &JsonObject) -> Result<Filter> {
    let mut read = Filter::new();
    for (field, wanted) in filter {
        let param = format!("filter.{field}");
        match wanted {
            Value::Object(operators) if !operators.is_empty() => {
                for (operator, value) in operators {
                    let comparison = COMPARISONS.into_iter().find(|known| known.operator() == operator);
                    let Some(comparison) = comparison else {
                        let known = COMPARISONS.map(Comparison::operator).join(", ");
                        let message = format!("there is no operator {operator:?}: there are {known}");
                        return Err(Error::invalid(param, message));
                    };
                    check(&param, comparison, value)?;
                    read = read.with(field.clone(), comparison, value.clone());
                }
            }
            value => {
                check(&param, Comparison::Eq, value)?;
                read = read.with(field.clone(), Comparison::Eq, value.clone());
            }
        }
    }
    Ok(read)
}

fn check(param: &str, comparison: Comparison, value: &Value) -> Result<()> {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    let fits = match comparison {
        Comparison::In | Comparison::NotIn => value
            .as_array()
            .is_some_and(|values| !values.is_empty() && values.iter().all(is_plain)),
        _ => is_plain(value),
    };
    if fits {
        return Ok(());
    }
    let wanted = match comparison {
        Comparison::In | Comparison::NotIn => "an array of strings, numbers and booleans",
        _ => "a string, number, boolean or null",
    };
    Err(Error::invalid(
        param,
        format!("{} compares with {wanted}", comparison.operator()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(filter: Value) -> Result<Filter> {
        read(filter.as_object().unwrap())
    }

    #[test]
    fn both_bounds_of_a_field_count() {
        let filter = of(json!({"year": {"$gte": 2020, "$lt": 2024}, "lang": "en"})).unwrap();
        assert_eq!(filter.conditions.len(), 3);
        assert!(filter.matches(json!({"year": 2021, "lang": "en"}).as_object().unwrap()));
        assert!(!filter.matches(json!({"year": 2024, "lang": "en"}).as_object().unwrap()));
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for wrong in [
            json!({"year": {"$above": 1}}),
            json!({"year": {"$in": 3}}),
            json!({"year": [1]}),
            json!({"year": {}}),
        ] {
            assert_eq!(of(wrong).unwrap_err().param(), Some("filter.year"));
        }
    }
}
