//! What every store asks of records and queries before it does anything.

use edge_ai_core::{Error, Result, VectorQuery, VectorRecord};

/// The one length of all vectors, `expected` if the store has one already; `None` without records.
pub(super) fn check_records(records: &[VectorRecord], expected: Option<usize>) -> Result<Option<usize>> {
    let length = expected.or(records.first().map(|record| record.values.len()));
    for (index, record) in records.iter().enumerate() {
        if record.id.is_empty() {
            return Err(Error::invalid(format!("records[{index}].id"), "an id is empty"));
        }
        check_vector(&record.values, length, || format!("records[{index}].values"))?;
    }
    Ok(length)
}

pub(super) fn check_query(query: &VectorQuery, expected: Option<usize>) -> Result<()> {
    if query.top_k == 0 {
        return Err(Error::invalid("top_k", "a query asks for at least one match"));
    }
    check_vector(&query.vector, expected, || "vector".into())
}

fn check_vector(values: &[f32], expected: Option<usize>, name: impl Fn() -> String) -> Result<()> {
    if values.is_empty() {
        return Err(Error::invalid(name(), "a vector is empty"));
    }
    if let Some(expected) = expected.filter(|expected| *expected != values.len()) {
        let message = format!(
            "the index has vectors of {expected} values, this one has {}",
            values.len()
        );
        return Err(Error::invalid(name(), message));
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::invalid(
            format!("{}[{at}]", name()),
            "a value is not a finite number",
        )),
        None => Ok(()),
    }
}
