//! All indexes, and which of them a call means.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::index::Index;
use crate::config::{Config, IndexConfig, Metric};
use crate::json::set;

/// Index of calls that tell neither a name nor a binding, while none exists.
const DEFAULT: &str = "default";

#[derive(Debug, Default)]
pub(crate) struct Indexes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    indexes: BTreeMap<String, Index>,
    /// Names that were declared, as opposed to made by a write.
    declared: Vec<String>,
}

impl Indexes {
    pub(crate) fn new(config: &Config) -> Self {
        let indexes = Self::default();
        config
            .indexes
            .iter()
            .cloned()
            .for_each(|index| indexes.declare(index));
        indexes
    }

    /// Declares an index. One of the same dimensions and metric keeps its vectors and gets the metadata indexes.
    pub(crate) fn declare(&self, config: IndexConfig) {
        let mut inner = self.lock();
        if !inner.declared.contains(&config.name) {
            inner.declared.push(config.name.clone());
        }
        match inner.indexes.get_mut(&config.name) {
            Some(index)
                if (index.config.dimensions, index.config.metric) == (config.dimensions, config.metric) =>
            {
                index.config = config;
            }
            _ => {
                inner.indexes.insert(config.name.clone(), Index::new(config));
            }
        }
    }

    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut inner = self.lock();
        inner.declared.retain(|declared| declared != name);
        inner.indexes.remove(name).is_some()
    }

    /// Which index is meant: the one named; else the one called like the binding; else the only one declared;
    /// else one of the binding's own, or the only one there is.
    pub(super) fn resolve(&self, named: Option<&str>, binding: Option<&str>) -> String {
        if let Some(name) = named {
            return name.to_owned();
        }
        let inner = self.lock();
        let alike = |binding: &str| {
            let folded = |name: &str| name.to_lowercase().replace('_', "-");
            inner
                .indexes
                .keys()
                .find(|name| folded(name) == folded(binding))
                .cloned()
        };
        if let Some(name) = binding.and_then(alike) {
            return name;
        }
        match (inner.declared.as_slice(), binding) {
            ([only], _) => only.clone(),
            (_, Some(binding)) => binding.to_owned(),
            _ if inner.indexes.len() == 1 => inner.indexes.keys().next().cloned().unwrap_or_default(),
            _ => DEFAULT.to_owned(),
        }
    }

    /// Reads an index as it is visible now; one that does not exist is empty.
    pub(super) fn read<R>(&self, name: &str, now_ms: u64, read: impl FnOnce(&Index) -> R) -> R {
        let mut inner = self.lock();
        match inner.indexes.get_mut(name) {
            Some(index) => {
                index.advance(now_ms);
                read(index)
            }
            None => read(&Index::empty(name)),
        }
    }

    /// Writes to an index, if it exists.
    pub(super) fn write(&self, name: &str, write: impl FnOnce(&mut Index)) {
        if let Some(index) = self.lock().indexes.get_mut(name) {
            write(index);
        }
    }

    /// Dimensions that a write must have; an index that does not exist is made with those it has.
    pub(super) fn dimensions_for_write(&self, name: &str, width: usize) -> usize {
        if width == 0 || width > super::limits::DIMENSIONS {
            let inner = self.lock();
            return inner
                .indexes
                .get(name)
                .map_or(super::limits::DIMENSIONS, |index| index.config.dimensions);
        }
        let mut inner = self.lock();
        let made = || Index::new(IndexConfig::new(name, width, Metric::Cosine));
        inner
            .indexes
            .entry(name.to_owned())
            .or_insert_with(made)
            .config
            .dimensions
    }

    /// All indexes, for people.
    pub(crate) fn describe(&self, now_ms: u64) -> Vec<Value> {
        let mut inner = self.lock();
        inner
            .indexes
            .values_mut()
            .map(|index| {
                index.advance(now_ms);
                let mut info = index.info();
                set(&mut info, "name", json!(index.config.name));
                set(&mut info, "metric", json!(index.config.metric.as_str()));
                set(
                    &mut info,
                    "metadata_indexes",
                    index
                        .config
                        .metadata_indexes
                        .iter()
                        .map(|(property, kind)| (property.clone(), json!(kind.as_str())))
                        .collect::<serde_json::Map<_, _>>(),
                );
                info
            })
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(names: &[&str]) -> Indexes {
        let indexes = names
            .iter()
            .map(|name| IndexConfig::new(*name, 3, Metric::Cosine))
            .collect();
        Indexes::new(&Config {
            indexes,
            ..Config::default()
        })
    }

    #[test]
    fn the_meant_index_is_found() {
        let one = declared(&["docs"]);
        assert_eq!(one.resolve(None, Some("VECTORIZE")), "docs");
        assert_eq!(one.resolve(Some("faq"), Some("VECTORIZE")), "faq");
        let two = declared(&["docs", "faq-en"]);
        assert_eq!(two.resolve(None, Some("FAQ_EN")), "faq-en");
        assert_eq!(two.resolve(None, Some("OTHER")), "OTHER");
        let none = declared(&[]);
        assert_eq!(
            (
                none.resolve(None, None).as_str(),
                none.resolve(None, Some("V")).as_str()
            ),
            ("default", "V")
        );
        none.dimensions_for_write("V", 3);
        assert_eq!(
            (
                none.resolve(None, Some("W")).as_str(),
                none.resolve(None, None).as_str()
            ),
            ("W", "V")
        );
    }

    #[test]
    fn a_first_write_sets_the_dimensions() {
        let indexes = declared(&[]);
        assert_eq!(indexes.dimensions_for_write("docs", 384), 384);
        assert_eq!(indexes.dimensions_for_write("docs", 768), 384);
        assert_eq!(indexes.dimensions_for_write("big", 2000), 1536);
    }

    #[test]
    fn declaring_again_keeps_vectors_unless_the_shape_changes() {
        let indexes = declared(&["docs"]);
        indexes.write("docs", |index| {
            index.enqueue(super::super::Change::Delete(vec![]), "m".into(), 0, 0)
        });
        indexes.declare(IndexConfig::new("docs", 3, Metric::Cosine));
        assert_eq!(
            indexes.read("docs", 0, |index| index.info()["processedUpToMutation"].clone()),
            "m"
        );
        indexes.declare(IndexConfig::new("docs", 4, Metric::Cosine));
        assert_eq!(
            indexes.read("docs", 0, |index| index.info()["processedUpToMutation"].clone()),
            Value::Null
        );
    }
}
