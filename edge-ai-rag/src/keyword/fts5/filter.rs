//! A filter as conditions of SQL over the metadata's JSON. Fields and values are parameters, never text of the statement.

use std::fmt::Write;

use edge_ai_core::{Comparison, Condition, Error, Filter, Result, SqlValue};
use serde_json::Value;

/// What `?1` to `?3` are for is the search's affair.
const FIRST: usize = 4;
/// Two values each, within D1's hundred a statement and SQLite's depth of a hundred an expression.
const MAX_CONDITIONS: usize = 40;

/// ` AND …` for each condition, and the values from `?4` on.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<SqlValue>,
}

pub(super) fn conditions(filter: &Filter) -> Result<Conditions> {
    if filter.conditions.len() > MAX_CONDITIONS {
        let message = format!(
            "a filter has at most {MAX_CONDITIONS} conditions, this one has {}",
            filter.conditions.len()
        );
        return Err(Error::invalid("filter", message));
    }
    let mut all = Conditions::default();
    for condition in &filter.conditions {
        let path = all.bind(path(&condition.field)?.into());
        let sql = all.condition(condition, &path)?;
        let _ = write!(all.sql, " AND {sql}");
    }
    Ok(all)
}

impl Conditions {
    fn bind(&mut self, value: SqlValue) -> String {
        self.values.push(value);
        format!("?{}", FIRST + self.values.len() - 1)
    }

    fn condition(&mut self, condition: &Condition, path: &str) -> Result<String> {
        let compared = |operator| Compared { path, operator };
        Ok(match condition.comparison {
            Comparison::Eq => compared("=").equal(self, condition)?,
            Comparison::Ne => format!("NOT {}", compared("=").equal(self, condition)?),
            Comparison::Lt => compared("<").ordered(self, &condition.value),
            Comparison::Lte => compared("<=").ordered(self, &condition.value),
            Comparison::Gt => compared(">").ordered(self, &condition.value),
            Comparison::Gte => compared(">=").ordered(self, &condition.value),
            Comparison::In => self.among(condition, path)?,
            Comparison::NotIn => format!("NOT {}", self.among(condition, path)?),
            _ => return Err(unasked(condition, "this comparison is not known here")),
        })
    }

    /// Whether the field is one of an array, which is one value however long it is.
    fn among(&mut self, condition: &Condition, path: &str) -> Result<String> {
        let Some(values) = condition.value.as_array() else {
            return Err(unasked(condition, "it is compared with an array"));
        };
        if values.iter().any(|value| value.is_array() || value.is_object()) {
            return Err(unasked(
                condition,
                "the array has strings, numbers, booleans and nulls alone",
            ));
        }
        let values = self.bind(condition.value.to_string().into());
        let found = format!("json_type(records.metadata, {path})");
        Ok(format!(
            "EXISTS (SELECT 1 FROM json_each({values}) AS given WHERE \
             CASE WHEN given.type IN ('integer', 'real') \
             THEN {found} IN ('integer', 'real') AND CAST(given.atom AS REAL) = CAST(json_extract(records.metadata, {path}) AS REAL) \
             WHEN given.type = 'text' THEN {found} = 'text' AND given.atom = json_extract(records.metadata, {path}) \
             ELSE {found} = given.type END)"
        ))
    }
}

/// A field beside a value. JSON's types are told apart, as `Filter::matches` does; SQL alone would take `true` for `1`.
struct Compared<'a> {
    path: &'a str,
    operator: &'a str,
}

impl Compared<'_> {
    /// Never NULL, so that it can be negated.
    fn equal(&self, conditions: &mut Conditions, condition: &Condition) -> Result<String> {
        let found = format!("COALESCE(json_type(records.metadata, {}), 'null')", self.path);
        Ok(match &condition.value {
            Value::Null => format!("{found} = 'null'"),
            Value::Bool(yes) => format!("{found} = '{yes}'"),
            Value::Number(_) | Value::String(_) => self.ordered(conditions, &condition.value),
            Value::Array(_) | Value::Object(_) => {
                return Err(unasked(
                    condition,
                    "it is compared with a string, number, boolean or null",
                ));
            }
        })
        .map(|sql| format!("({sql})"))
    }

    fn ordered(&self, conditions: &mut Conditions, value: &Value) -> String {
        let Self { path, operator } = self;
        let found = format!("COALESCE(json_type(records.metadata, {path}), 'null')");
        match value {
            Value::Number(number) => {
                let value = conditions.bind(number.as_f64().map_or(SqlValue::Null, SqlValue::Real));
                format!(
                    "({found} IN ('integer', 'real') AND CAST(json_extract(records.metadata, {path}) AS REAL) {operator} {value})"
                )
            }
            Value::String(text) => {
                let value = conditions.bind(text.as_str().into());
                format!("({found} = 'text' AND json_extract(records.metadata, {path}) {operator} {value})")
            }
            // Nothing is less or greater across types; and a path is never NULL.
            _ => format!("{path} IS NULL"),
        }
    }
}

/// A field as a path of SQLite's JSON functions.
fn path(field: &str) -> Result<String> {
    let mut path = "$".to_owned();
    for step in field.split('.') {
        let odd = |char: char| char == '"' || char == '\\' || char.is_control();
        if step.is_empty() || step.contains(odd) {
            let message = format!(
                "the field `{field}` cannot be asked for: between dots it has at least one character, and no quotes, backslashes or control characters"
            );
            return Err(Error::invalid("filter", message));
        }
        let _ = write!(path, ".\"{step}\"");
    }
    Ok(path)
}

fn unasked(condition: &Condition, why: &str) -> Error {
    Error::invalid(format!("filter.{}", condition.field), why)
}
