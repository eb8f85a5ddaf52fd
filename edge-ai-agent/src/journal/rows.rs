use edge_ai_core::{Error, ErrorKind, Result, Row, SqlValue, Statement, read_row};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The most bytes of a value in one row: half of what a row may have.
const PART: usize = 1 << 20;

/// The statements that keep a value in as many rows as it needs; `keys` are the columns before `part`.
pub(super) fn insert(sql: &'static str, keys: &[SqlValue], value: &impl Serialize) -> Result<Vec<Statement>> {
    let json = to_json(value)?;
    let statements = parts(&json, PART).into_iter().zip(0_u64..).map(|(part, at)| {
        let mut values = keys.to_vec();
        values.extend([SqlValue::from(at), SqlValue::from(part)]);
        Statement::new(sql, values)
    });
    Ok(statements.collect())
}

/// A row with a part of a value.
#[derive(Deserialize)]
struct Part {
    key: u64,
    body: String,
}

/// The values of rows that are ordered by `key` and part.
pub(super) fn read<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Vec<(u64, T)>> {
    let mut texts: Vec<(u64, String)> = Vec::new();
    for row in rows {
        let part: Part = read_row(row)?;
        match texts.last_mut() {
            Some((key, text)) if *key == part.key => text.push_str(&part.body),
            _ => texts.push((part.key, part.body)),
        }
    }
    texts
        .into_iter()
        .map(|(key, text)| Ok((key, from_json(&text)?)))
        .collect()
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a journal's entry cannot be written as JSON").with_source(error)
    })
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            ErrorKind::Configuration,
            format!("a journal's entry does not read: {error}"),
        )
        .with_code("journal_unreadable")
    })
}

/// A text in pieces of at most so many bytes, none of which splits a character.
fn parts(mut text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    while text.len() > most {
        let (part, rest) = text.split_at(text.floor_char_boundary(most));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_text_and_split_no_character() {
        for text in ["", "a", "abcd", "äöüß", "a€b€c"] {
            let parts = parts(text, 4);
            assert!(parts.iter().all(|part| part.len() <= 4));
            assert_eq!(parts.concat(), text);
        }
    }
}
