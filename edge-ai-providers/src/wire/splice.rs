use bytes::Bytes;
use edge_ai_core::{Error, Result};

use super::{Fields, Path, write_object};

/// Rewrites some fields of an object and leaves the others as they were written.
///
/// A change of `None` removes the field; a field that is not there yet goes to the end. Without an effective change the
/// original bytes are returned.
///
/// # Errors
/// When `original` is not an object.
pub(crate) fn splice(original: &Bytes, changes: &[(&str, Option<&str>)]) -> Result<Bytes> {
    let text = std::str::from_utf8(original)
        .map_err(|error| Error::invalid("", "the body is not UTF-8").with_source(error))?;
    splice_fields(original, Fields::parse(text, Path::ROOT)?, changes)
}

/// The same for an object whose fields are read already: `fields` are those of `original`, none of them taken.
///
/// # Errors
/// None in practice: the fields are written as they were read.
pub(crate) fn splice_fields(
    original: &Bytes,
    fields: Fields<'_>,
    changes: &[(&str, Option<&str>)],
) -> Result<Bytes> {
    let entries: Vec<_> = fields.into_entries().collect();
    let unchanged = changes.iter().all(|(name, wanted)| {
        let present = entries
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| *value);
        present == *wanted
    });
    if unchanged {
        return Ok(original.clone());
    }
    let spliced = write_object(|object| {
        for (name, value) in &entries {
            match changes.iter().find(|(changed, _)| name == changed) {
                None => object.raw(name, value),
                Some((_, Some(json))) => object.raw(name, json),
                Some((_, None)) => {}
            }
        }
        for (name, json) in changes {
            if let (Some(json), false) = (json, entries.iter().any(|(field, _)| field == name)) {
                object.raw(name, json);
            }
        }
        Ok(())
    })?;
    Ok(spliced.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(original: &'static str, changes: &[(&str, Option<&str>)], expect: &str) {
        assert_eq!(
            splice(&Bytes::from_static(original.as_bytes()), changes).unwrap(),
            expect
        );
    }

    #[test]
    fn only_what_changes_is_rewritten() {
        check(
            r#"{ "model" : "a", "n": 1.10 }"#,
            &[("model", Some("\"a\""))],
            r#"{ "model" : "a", "n": 1.10 }"#,
        );
        check(
            r#"{"model":"a","n":1.10}"#,
            &[("model", Some("\"b\""))],
            r#"{"model":"b","n":1.10}"#,
        );
        check(r#"{"a":1}"#, &[("a", None), ("b", Some("2"))], r#"{"b":2}"#);
        check(r#"{"a":1}"#, &[("z", None)], r#"{"a":1}"#);
    }
}
