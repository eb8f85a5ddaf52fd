//! Fields of an object inside another, by the name `outer.inner`.

use std::borrow::Cow;

use edge_ai_core::{Extra, RawJson};

use super::RESPONSES;
use crate::wire::{Fields, ObjectWriter};

/// What nobody took, without what says nothing: `null` is absent here.
pub(super) fn rest(fields: Fields<'_>) -> Extra {
    Extra::new(RESPONSES, entries(fields, "").collect())
}

/// The same of an object and of those inside it, by their names.
pub(super) fn rest_with(fields: Fields<'_>, inner: Vec<(&str, Fields<'_>)>) -> Extra {
    let own = entries(fields, "");
    let inner = inner.into_iter().flat_map(|(name, fields)| entries(fields, name));
    Extra::new(RESPONSES, own.chain(inner).collect())
}

fn entries<'a>(fields: Fields<'a>, prefix: &'a str) -> impl Iterator<Item = (String, RawJson)> + 'a {
    let named = move |name: Cow<'_, str>| {
        if prefix.is_empty() {
            name.into_owned()
        } else {
            format!("{prefix}.{name}")
        }
    };
    fields
        .into_entries()
        .filter(|(_, value)| !matches!(*value, "null" | "[]"))
        .filter_map(move |(name, value)| Some((named(name), RawJson::parse(value).ok()?)))
}

/// Writes the fields of the object `prefix` inside.
pub(super) fn write(object: &mut ObjectWriter<'_>, extra: &Extra, prefix: &str) {
    for (name, value) in extra.fields_for(&RESPONSES) {
        if let Some(name) = inside(name, prefix) {
            object.raw(name, value.get());
        }
    }
}

/// Whether there are fields of the object `prefix` inside.
pub(super) fn any(extra: &Extra, prefix: &str) -> bool {
    extra
        .fields_for(&RESPONSES)
        .any(|(name, _)| inside(name, prefix).is_some())
}

fn inside<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('.')
}
