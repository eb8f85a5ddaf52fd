use std::sync::Arc;

use edge_ai_core::{KeywordMatch, KeywordQuery, KeywordRecord, KeywordStore};

use crate::scope::Scope;
use crate::{Check, Must, Stop, Subject};

/// A keyword store under test.
#[derive(Clone, Debug)]
pub struct KeywordStoreSubject {
    pub(super) store: Arc<dyn KeywordStore>,
    pub(super) scope: Scope,
    pub(super) stems: bool,
    pub(super) parts: bool,
}

impl KeywordStoreSubject {
    /// A store that finds English words by their stems.
    pub fn new(store: impl KeywordStore) -> Self {
        Self {
            store: Arc::new(store),
            scope: Scope::default(),
            stems: true,
            parts: false,
        }
    }

    /// Makes ids and namespaces from a text of this run alone, for a store that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// The store finds any three characters, and knows nothing of words.
    #[must_use]
    pub fn with_trigrams(self) -> Self {
        Self {
            stems: false,
            parts: true,
            ..self
        }
    }

    /// An id of this case alone.
    pub(super) fn id(&self, label: &str) -> String {
        self.scope.name(label)
    }

    /// A namespace of this case alone.
    pub(super) fn namespace(&self, label: &str) -> String {
        self.scope.digest(&format!("namespace {label}"))
    }

    /// A word of this case alone.
    pub(super) fn word(&self, label: &str) -> String {
        format!("w{}", self.scope.digest(&format!("word {label}")))
    }

    /// A text under `label` in the case's own namespace.
    pub(super) fn record(&self, label: &str, text: &str) -> KeywordRecord {
        KeywordRecord::new(self.id(label), text).namespace(self.namespace(""))
    }

    /// A query in the case's own namespace.
    pub(super) fn query(&self, text: &str) -> KeywordQuery {
        KeywordQuery::new(text).namespace(self.namespace(""))
    }

    pub(super) async fn keep(&self, records: impl IntoIterator<Item = KeywordRecord>) -> Check {
        let records = records.into_iter().collect();
        self.store
            .upsert(records)
            .await
            .must("`upsert` keeps valid records")
    }

    pub(super) async fn delete(&self, labels: &[&str]) -> Check {
        let ids: Vec<_> = labels.iter().map(|label| self.id(label)).collect();
        self.store.delete(&ids).await.must("`delete` removes records")
    }

    pub(super) async fn find(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>, Stop> {
        self.store
            .search(query)
            .await
            .must("`search` answers a valid query")
    }

    /// The labels of the matches, in order.
    pub(super) async fn labels(&self, query: KeywordQuery) -> Result<Vec<String>, Stop> {
        let prefix = self.id("");
        let label = |found: KeywordMatch| match found.id.strip_prefix(&prefix) {
            Some(label) => label.to_owned(),
            None => found.id,
        };
        Ok(self.find(query).await?.into_iter().map(label).collect())
    }

    /// The labels in the order of the alphabet.
    pub(super) async fn sorted(&self, query: KeywordQuery) -> Result<Vec<String>, Stop> {
        let mut labels = self.labels(query).await?;
        labels.sort_unstable();
        Ok(labels)
    }
}

impl Subject for KeywordStoreSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}
