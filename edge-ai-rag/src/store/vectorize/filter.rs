//! Filters in Vectorize's language.
//!
//! It has one object of operators for each field, and in it either one of `$eq`, `$ne`, `$in`, `$nin`, or one lower and one upper
//! bound. Ours is a list of conditions, several on one field if need be; so those on one field are merged to what means the same, and
//! what cannot be said is refused.

mod field;

#[cfg(test)]
mod tests;

use edge_ai_core::{Condition, Error, Filter, JsonObject, Result};
use serde_json::Value;

use super::limits;
use field::{Merged, merge};

/// A filter, merged.
#[derive(Debug, PartialEq)]
pub(super) enum Encoded {
    /// Every record passes.
    Everything,
    /// No record passes, whatever is in the index.
    Nothing,
    /// The fields with their operators.
    Fields(JsonObject),
}

/// Merges a filter's conditions by field.
///
/// A metadata index holds the first 64 bytes of a string: texts that are equal so far are equal to Vectorize.
pub(super) fn encode_filter(filter: &Filter) -> Result<Encoded> {
    let mut fields: Vec<(&str, Vec<&Condition>)> = Vec::new();
    for condition in &filter.conditions {
        match fields.iter_mut().find(|(field, _)| *field == condition.field) {
            Some((_, conditions)) => conditions.push(condition),
            None => fields.push((&condition.field, vec![condition])),
        }
    }
    let mut encoded = JsonObject::new();
    let mut nothing = false;
    for (field, conditions) in fields {
        check_field(field)?;
        match merge(field, &conditions)? {
            Merged::Anything => {}
            Merged::Nothing => nothing = true,
            Merged::Operators(operators) => {
                encoded.insert(field.to_owned(), Value::Object(operators));
            }
        }
    }
    if nothing {
        return Ok(Encoded::Nothing);
    }
    if encoded.is_empty() {
        return Ok(Encoded::Everything);
    }
    let encoded = Value::Object(encoded);
    let size = encoded.to_string().len();
    if size >= limits::FILTER {
        let message = format!(
            "a filter has under {} bytes as JSON in Vectorize, this one has {size}",
            limits::FILTER
        );
        return Err(Error::invalid("filter", message));
    }
    Ok(if let Value::Object(fields) = encoded {
        Encoded::Fields(fields)
    } else {
        Encoded::Everything
    })
}

fn check_field(field: &str) -> Result<()> {
    let why = if field.split('.').any(str::is_empty) {
        "it or a part of it between dots is empty"
    } else if field.split('.').any(|part| part.starts_with('$')) {
        "it starts with $"
    } else if field.contains(['"', '|']) {
        "it has a quote or a bar"
    } else if field.chars().count() > limits::FIELD {
        "it is over 512 characters"
    } else {
        return Ok(());
    };
    Err(refusal(
        field,
        &format!("Vectorize has no such field name: {why}"),
    ))
}

fn refusal(field: &str, why: &str) -> Error {
    Error::invalid(format!("filter.{field}"), why)
}
