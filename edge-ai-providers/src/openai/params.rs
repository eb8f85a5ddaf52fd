//! Fields with a range, and the errors of those outside it.

use edge_ai_core::{Error, Extra, RawJson, Result};

use super::CHAT;
use crate::wire::Fields;

/// Takes a number between `min` and `max`.
pub(crate) fn number(fields: &mut Fields<'_>, name: &str, min: f64, max: f64) -> Result<Option<f64>> {
    let wanted = || format!("must be a number between {min} and {max}");
    let Some(number) = typed::<f64>(fields, name, wanted)? else {
        return Ok(None);
    };
    if !(min..=max).contains(&number) {
        return Err(invalid(
            fields,
            name,
            format!("{number} is out of range: it {}", wanted()),
        ));
    }
    Ok(Some(number))
}

/// Takes a whole number from 1 to `max`.
pub(crate) fn positive(fields: &mut Fields<'_>, name: &str, max: u32) -> Result<Option<u32>> {
    let wanted = || {
        if max == u32::MAX {
            String::from("must be a whole number of at least 1")
        } else {
            format!("must be a whole number between 1 and {max}")
        }
    };
    let Some(number) = typed::<u32>(fields, name, wanted)? else {
        return Ok(None);
    };
    if !(1..=max).contains(&number) {
        return Err(invalid(
            fields,
            name,
            format!("{number} is out of range: it {}", wanted()),
        ));
    }
    Ok(Some(number))
}

/// Takes a whole number of either sign.
pub(super) fn integer(fields: &mut Fields<'_>, name: &str) -> Result<Option<i64>> {
    typed(fields, name, || String::from("must be a whole number of 64 bits"))
}

/// Takes the model's name.
pub(crate) fn model(fields: &mut Fields<'_>) -> Result<String> {
    let model: String = fields.require("model")?;
    if model.trim().is_empty() {
        return Err(invalid(fields, "model", "must name a model"));
    }
    Ok(model)
}

/// An error at a field.
pub(crate) fn invalid(fields: &Fields<'_>, name: &str, message: impl Into<String>) -> Error {
    Error::invalid(fields.path().field(name).to_string(), message)
}

/// The unknown fields of an object and, with their `prefix`, those of the object inside it.
pub(super) fn with_nested(outer: Fields<'_>, prefix: &str, inner: Extra) -> Extra {
    let outer = outer.rest(&CHAT);
    if inner.is_empty() {
        return outer;
    }
    let own = outer
        .fields_for(&CHAT)
        .map(|(name, value)| (name.to_owned(), value.clone()));
    let nested = inner
        .fields_for(&CHAT)
        .map(|(name, value)| (format!("{prefix}.{name}"), value.clone()));
    Extra::new(CHAT, own.chain(nested).collect())
}

/// The unknown fields of the object inside, by the same `prefix`.
pub(super) fn nested<'a>(extra: &'a Extra, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a RawJson)> {
    extra
        .fields_for(&CHAT)
        .filter_map(move |(name, value)| Some((in_prefix(name, prefix)?, value)))
}

/// The unknown fields of the object itself.
pub(super) fn own<'a>(extra: &'a Extra, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a RawJson)> {
    extra
        .fields_for(&CHAT)
        .filter(move |(name, _)| in_prefix(name, prefix).is_none())
}

fn in_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('.')
}

fn typed<'a, T: serde::Deserialize<'a>>(
    fields: &mut Fields<'a>,
    name: &str,
    wanted: impl Fn() -> String,
) -> Result<Option<T>> {
    fields
        .take(name)
        .map_err(|error| invalid(fields, name, wanted()).with_source(error))
}
