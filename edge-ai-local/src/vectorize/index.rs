//! One index: its vectors, and the writes that are not visible yet.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::vector::Vector;
use crate::clock::rfc3339;
use crate::config::{IndexConfig, Metric};

/// A write that was acknowledged and waits to become visible.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Insert(Vec<Vector>),
    Upsert(Vec<Vector>),
    Delete(Vec<String>),
}

#[derive(Debug, Clone)]
struct Pending {
    change: Change,
    mutation: String,
    written_ms: u64,
    ready_ms: u64,
}

/// A visible vector.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) vector: Vector,
    /// Values of the metadata indexes that existed when it was written.
    pub(super) indexed: BTreeMap<String, Value>,
}

#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) config: IndexConfig,
    pub(super) vectors: BTreeMap<String, Stored>,
    pending: VecDeque<Pending>,
    processed: Option<(String, u64)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    id: &'a str,
    values: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Map<String, Value>>,
}

impl Index {
    pub(super) fn new(config: IndexConfig) -> Self {
        Self {
            config,
            vectors: BTreeMap::new(),
            pending: VecDeque::new(),
            processed: None,
        }
    }

    /// An index that nothing was written to and nobody declared.
    pub(super) fn empty(name: &str) -> Self {
        Self::new(IndexConfig::new(name, 0, Metric::Cosine))
    }

    pub(super) fn enqueue(&mut self, change: Change, mutation: String, written_ms: u64, ready_ms: u64) {
        self.pending.push_back(Pending {
            change,
            mutation,
            written_ms,
            ready_ms,
        });
    }

    /// Makes visible, in order, the writes that are due.
    pub(super) fn advance(&mut self, now_ms: u64) {
        while self
            .pending
            .front()
            .is_some_and(|pending| pending.ready_ms <= now_ms)
        {
            let Some(pending) = self.pending.pop_front() else {
                break;
            };
            match pending.change {
                Change::Insert(vectors) => self.store(vectors, false),
                Change::Upsert(vectors) => self.store(vectors, true),
                Change::Delete(ids) => ids.iter().for_each(|id| {
                    self.vectors.remove(id);
                }),
            }
            self.processed = Some((pending.mutation, pending.written_ms));
        }
    }

    fn store(&mut self, vectors: Vec<Vector>, replace: bool) {
        for vector in vectors {
            // An insert keeps what is there already, and says nothing about it.
            if !replace && self.vectors.contains_key(&vector.id) {
                continue;
            }
            let indexed = self
                .config
                .metadata_indexes
                .iter()
                .filter_map(|(property, kind)| Some((property.clone(), vector.indexed(property, *kind)?)))
                .collect();
            self.vectors.insert(vector.id.clone(), Stored { vector, indexed });
        }
    }

    pub(super) fn info(&self) -> Value {
        json!({
            "vectorCount": self.vectors.len(), "dimensions": self.config.dimensions,
            "processedUpToDatetime": self.processed.as_ref().map(|(_, at)| rfc3339(*at)),
            "processedUpToMutation": self.processed.as_ref().map(|(mutation, _)| mutation),
        })
    }

    pub(super) fn get(&self, ids: &[String]) -> Vec<Entry<'_>> {
        ids.iter()
            .filter_map(|id| self.vectors.get(id))
            .map(|stored| Entry {
                id: &stored.vector.id,
                values: &stored.vector.values,
                namespace: stored.vector.namespace.as_deref(),
                metadata: stored.vector.metadata.as_ref(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PropertyType;

    fn vector(id: &str, value: f32) -> Vector {
        let json = json!({ "id": id, "values": [value], "metadata": { "lang": "en" } });
        Vector::parse(json.to_string().as_bytes(), "upsert").unwrap()
    }

    fn index() -> Index {
        Index::new(IndexConfig::new("docs", 1, Metric::Cosine))
    }

    #[test]
    fn writes_become_visible_later_and_in_order() {
        let mut index = index();
        index.enqueue(Change::Upsert(vec![vector("a", 1.0)]), "m1".into(), 0, 100);
        index.enqueue(Change::Delete(vec!["a".into()]), "m2".into(), 10, 200);
        index.advance(99);
        assert_eq!(
            (index.vectors.len(), &index.info()["processedUpToMutation"]),
            (0, &Value::Null)
        );
        index.advance(100);
        assert_eq!(
            (index.vectors.len(), &index.info()["processedUpToMutation"]),
            (1, &json!("m1"))
        );
        index.advance(200);
        let info = index.info();
        assert_eq!(
            (&info["vectorCount"], &info["processedUpToMutation"]),
            (&json!(0), &json!("m2"))
        );
        assert_eq!(info["processedUpToDatetime"], "1970-01-01T00:00:00.010Z");
    }

    #[test]
    fn insert_keeps_the_first_and_upsert_replaces() {
        let mut index = index();
        index.enqueue(
            Change::Insert(vec![vector("a", 1.0), vector("a", 2.0)]),
            "m".into(),
            0,
            0,
        );
        index.enqueue(Change::Insert(vec![vector("a", 3.0)]), "m".into(), 0, 0);
        index.advance(0);
        assert_eq!(index.vectors["a"].vector.values[0], 1.0);
        index.enqueue(
            Change::Upsert(vec![vector("a", 4.0), vector("a", 5.0)]),
            "m".into(),
            0,
            0,
        );
        index.advance(0);
        assert_eq!(index.vectors["a"].vector.values[0], 5.0);
    }

    #[test]
    fn only_vectors_written_after_a_metadata_index_are_in_it() {
        let mut index = index();
        index.enqueue(Change::Upsert(vec![vector("old", 1.0)]), "m".into(), 0, 0);
        index.advance(0);
        index
            .config
            .metadata_indexes
            .push(("lang".into(), PropertyType::String));
        index.enqueue(Change::Upsert(vec![vector("new", 1.0)]), "m".into(), 0, 0);
        index.advance(0);
        assert!(index.vectors["old"].indexed.is_empty());
        assert_eq!(index.vectors["new"].indexed["lang"], "en");
    }
}
