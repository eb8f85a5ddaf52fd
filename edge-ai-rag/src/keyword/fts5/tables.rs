//! The tables, the statements over them, and records as the statements read them.
//!
//! Records and ids go in as one JSON array, which SQLite takes apart: so a statement has the same text for one record and for a thousand,
//! and D1's hundred values a statement (<https://developers.cloudflare.com/d1/platform/limits/>) are never in the way.

use std::collections::HashSet;

use edge_ai_core::{Error, JsonObject, KeywordRecord, Result};
use serde::Serialize;

use super::words::space;

/// How a text is taken apart into what can be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tokenizer {
    /// Words without accents, by their English stems: `pumps` finds `pumping`. For every language that puts spaces between words.
    #[default]
    Porter,
    /// Every three characters: any part of a word that is that long is found. For parts of names and numbers, and for languages without
    /// spaces, such as Chinese, Japanese and Thai. Shorter words are not found, and the index takes several times the space.
    Trigram,
}

/// The texts lie in a table of their own, from which the index takes what it forgets: an index that is
/// [contentless](https://sqlite.org/fts5.html#contentless_delete_tables) would spare them, but never takes a deleted row out of the number of rows and the
/// mean length that its scores come from.
macro_rules! migration {
    ($prefix:literal, $tokenizer:literal) => {
        concat!(
            "CREATE TABLE IF NOT EXISTS ",
            $prefix,
            "_records (\n",
            "  key INTEGER PRIMARY KEY,\n",
            "  id TEXT NOT NULL UNIQUE,\n",
            "  namespace TEXT,\n",
            "  space TEXT,\n",
            "  title TEXT,\n",
            "  body TEXT NOT NULL,\n",
            "  metadata TEXT NOT NULL\n",
            ");\n",
            "CREATE VIRTUAL TABLE IF NOT EXISTS ",
            $prefix,
            "_index USING fts5(\n",
            "  space, title, body, content = '",
            $prefix,
            "_records', content_rowid = 'key', tokenize = '",
            $tokenizer,
            "'\n",
            ");\n"
        )
    };
}

pub(super) const PORTER: &str = migration!("keyword", "porter unicode61 remove_diacritics 2");
pub(super) const TRIGRAM: &str = migration!("trigram", "trigram remove_diacritics 1");

/// A row or a value has at most 2 MB: records of a statement stay below half of it, unless one alone is longer.
const GROUP_BYTES: usize = 1_000_000;
const RECORD_BYTES: usize = 1_900_000;

/// The statements, by the name that tables begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables(&'static str);

impl Tables {
    pub(super) const fn of(tokenizer: Tokenizer) -> Self {
        match tokenizer {
            Tokenizer::Porter => Self("keyword"),
            Tokenizer::Trigram => Self("trigram"),
        }
    }

    /// Keeps the records of an array, `?1`: what the index had of them goes, the records come, what the index has of them comes.
    pub(super) fn put(self) -> [String; 3] {
        const IDS: &str = "SELECT value ->> 'id' FROM json_each(?1)";
        let Self(name) = self;
        [
            self.forget(IDS),
            format!(
                "INSERT INTO {name}_records (id, namespace, space, title, body, metadata) \
                 SELECT value ->> 'id', value ->> 'namespace', value ->> 'space', value ->> 'title', value ->> 'text', value -> 'metadata' \
                 FROM json_each(?1) WHERE true \
                 ON CONFLICT (id) DO UPDATE SET namespace = excluded.namespace, space = excluded.space, title = excluded.title, \
                 body = excluded.body, metadata = excluded.metadata"
            ),
            format!(
                "INSERT INTO {name}_index (rowid, space, title, body) \
                 SELECT key, space, title, body FROM {name}_records WHERE id IN ({IDS})"
            ),
        ]
    }

    /// Removes the records of an array of ids, `?1`.
    pub(super) fn delete(self) -> [String; 2] {
        const IDS: &str = "SELECT value FROM json_each(?1)";
        let Self(name) = self;
        [
            self.forget(IDS),
            format!("DELETE FROM {name}_records WHERE id IN ({IDS})"),
        ]
    }

    /// An index over another table is told what to forget: <https://sqlite.org/fts5.html#external_content_tables>.
    fn forget(self, ids: &str) -> String {
        let Self(name) = self;
        format!(
            "INSERT INTO {name}_index ({name}_index, rowid, space, title, body) \
             SELECT 'delete', key, space, title, body FROM {name}_records WHERE id IN ({ids})"
        )
    }

    /// `?1` is what to match, `?2` how many to give, `?3` the namespace; those of the conditions follow. The index leads, so that its
    /// words choose the records and not the other way round.
    pub(super) fn search(self, title_weight: f64, conditions: &str) -> String {
        let Self(name) = self;
        format!(
            "SELECT records.id AS id, -bm25({name}_index, 0.0, {title_weight:?}, 1.0) AS score \
             FROM {name}_index CROSS JOIN {name}_records AS records ON records.key = {name}_index.rowid \
             WHERE {name}_index MATCH ?1 AND (?3 IS NULL OR records.namespace = ?3){conditions} \
             ORDER BY score DESC, id LIMIT ?2"
        )
    }

    pub(super) fn count(self) -> String {
        let Self(name) = self;
        format!("SELECT COUNT(*) AS count FROM {name}_records")
    }
}

/// A record as the statements read it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    namespace: Option<&'a str>,
    space: Option<String>,
    title: Option<&'a str>,
    text: &'a str,
    metadata: &'a JsonObject,
}

/// The records as JSON arrays, each short enough for one value; of equal ids the last.
pub(super) fn groups(records: &[KeywordRecord]) -> Result<Vec<String>> {
    let mut seen = HashSet::with_capacity(records.len());
    let mut rows = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate().rev() {
        if record.id.is_empty() {
            return Err(Error::invalid(format!("records[{at}].id"), "an id is empty"));
        }
        let row = row(at, record)?;
        if seen.insert(record.id.as_str()) {
            rows.push(row);
        }
    }
    let mut groups: Vec<String> = Vec::new();
    for row in rows.iter().rev() {
        match groups.last_mut() {
            Some(group) if group.len() + row.len() < GROUP_BYTES => {
                group.push(',');
                group.push_str(row);
            }
            _ => groups.push(format!("[{row}")),
        }
    }
    groups.iter_mut().for_each(|group| group.push(']'));
    Ok(groups)
}

fn row(at: usize, record: &KeywordRecord) -> Result<String> {
    let row = Row {
        id: &record.id,
        namespace: record.namespace.as_deref(),
        space: record.namespace.as_deref().map(space),
        title: record.title.as_deref(),
        text: &record.text,
        metadata: &record.metadata,
    };
    let json = serde_json::to_string(&row).map_err(|error| {
        Error::invalid(
            format!("records[{at}].metadata"),
            format!("it is not JSON: {error}"),
        )
    })?;
    if json.len() > RECORD_BYTES {
        let message = format!(
            "a record has at most {RECORD_BYTES} bytes as JSON, this one has {}: split its text",
            json.len()
        );
        return Err(Error::invalid(format!("records[{at}].text"), message));
    }
    Ok(json)
}
