//! Where in a document something stands.

/// Between the keys of a place, which may have dots in them themselves.
pub(super) const SEPARATOR: &str = "\u{1f}";

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    /// Where the byte at `offset` stands; columns count characters.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// A place as people write it: `limits[2].amount`.
pub(super) fn shown(place: &str) -> String {
    place.replace(SEPARATOR, ".")
}

/// The parts of a place: keys, and indices in brackets.
fn steps(place: &str) -> impl Iterator<Item = Step<'_>> {
    place.split(SEPARATOR).flat_map(|part| {
        let (key, index) = match part.strip_suffix(']').and_then(|part| part.rsplit_once('[')) {
            Some((key, index)) => (key, index.parse().ok()),
            None => (part, None),
        };
        let key = (!key.is_empty()).then_some(Step::Key(key));
        key.into_iter().chain(index.map(Step::Index))
    })
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Where the value at a place begins, as far in as the document goes.
pub(super) fn in_json(text: &str, place: &str) -> Option<Position> {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    let mut at: &RawValue = serde_json::from_str(text).ok()?;
    for step in steps(place) {
        let inner = match step {
            Step::Key(key) => {
                let fields: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(at.get()).ok();
                fields.and_then(|fields| fields.get(key).copied())
            }
            Step::Index(index) => {
                let items: Option<Vec<&RawValue>> = serde_json::from_str(at.get()).ok();
                items.and_then(|items| items.get(index).copied())
            }
        };
        match inner {
            Some(inner) => at = inner,
            None => break,
        }
    }
    // Borrowed values are parts of the text.
    let offset = (at.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (offset <= text.len()).then(|| Position::of(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(parts: &[&str]) -> String {
        parts.join(SEPARATOR)
    }

    #[test]
    fn places_are_found_in_json() {
        let text = "{\n  \"a\": [1,\n    {\"b.c\": true}],\n  \"ü\": 2 }";
        let at = |parts: &[&str]| in_json(text, &place(parts)).map(|at| (at.line, at.column));
        assert_eq!(at(&["a[1]", "b.c"]), Some((3, 13)));
        assert_eq!(at(&["a[1]"]), Some((3, 5)));
        assert_eq!(at(&["ü"]), Some((4, 8)));
        assert_eq!(at(&["a[7]"]), Some((2, 8)), "as far in as it goes");
        assert_eq!(in_json("{", "a"), None);
    }
}
