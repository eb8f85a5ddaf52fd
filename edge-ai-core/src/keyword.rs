//! Keyword stores: records, queries, and the trait.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Filter, JsonObject, Result};

/// Keeps texts and finds those that share words with a query, ranked by BM25.
///
/// The other half of a hybrid search, beside a [`VectorStore`](crate::VectorStore): it knows names, numbers and rare words, which
/// vectors blur. It gives ids and scores, not texts; whoever keeps the texts looks them up.
#[async_trait]
pub trait KeywordStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps the records; one with a known id replaces the whole. Of records with the same id in one call the last counts. Visible to
    /// the next search.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty id or a record that is too long to keep: then
    /// nothing is kept. Service errors by their kind; a long list may then be kept in part, and can be given again.
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()>;

    /// The best records, best first, at most `top_k` of them. A text without a word to look for finds nothing, and no text is an error.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for `top_k` of zero, or a filter the store cannot ask.
    async fn search(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>>;

    /// Removes the records with these ids; unknown ids are fine.
    ///
    /// # Errors
    /// Service errors by their kind.
    async fn delete(&self, ids: &[String]) -> Result<()>;

    /// How many records there are, in all namespaces.
    ///
    /// # Errors
    /// Service errors by their kind.
    async fn count(&self) -> Result<u64>;
}

/// A text with its name and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeywordRecord {
    /// The name, unique in the store across namespaces.
    pub id: String,
    /// The partition it belongs to; a tenant's, for instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What is searched.
    pub text: String,
    /// What it is called; a word here counts more than one in the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a query can filter by.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub metadata: JsonObject,
}

impl KeywordRecord {
    /// A text without namespace, title and metadata.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            namespace: None,
            text: text.into(),
            title: None,
            metadata: JsonObject::new(),
        }
    }

    /// Puts it into a namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Gives it a title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds one field of metadata.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }
}

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeywordQuery {
    /// The words, as a person writes them: there is no syntax.
    pub text: String,
    /// How many to find.
    pub top_k: usize,
    /// Look only there; `None` looks everywhere.
    pub namespace: Option<String>,
    /// Look only at those that pass, before they are counted.
    pub filter: Filter,
    /// How many of the words a record must have.
    pub mode: KeywordMode,
}

impl KeywordQuery {
    /// The ten best for `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            top_k: 10,
            namespace: None,
            filter: Filter::new(),
            mode: KeywordMode::Any,
        }
    }

    /// Finds `top_k`.
    #[must_use]
    pub fn top_k(mut self, top_k: usize) -> Self {
        self.top_k = top_k;
        self
    }

    /// Looks only in `namespace`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Looks only at those that pass `filter`.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Chooses how many of the words a record must have.
    #[must_use]
    pub fn mode(mut self, mode: KeywordMode) -> Self {
        self.mode = mode;
        self
    }
}

/// How many of a query's words a record must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeywordMode {
    /// At least one; more rank higher. For questions.
    #[default]
    Any,
    /// Every one. For the few words of a search box.
    All,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeywordMatch {
    /// Its name.
    pub id: String,
    /// Its BM25: over zero, higher is better. It compares matches of one query alone.
    pub score: f32,
}

impl KeywordMatch {
    /// A match.
    pub fn new(id: impl Into<String>, score: f32) -> Self {
        Self { id: id.into(), score }
    }
}

#[async_trait]
impl<T: KeywordStore + ?Sized> KeywordStore for Arc<T> {
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()> {
        (**self).upsert(records).await
    }

    async fn search(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>> {
        (**self).search(query).await
    }

    async fn delete(&self, ids: &[String]) -> Result<()> {
        (**self).delete(ids).await
    }

    async fn count(&self) -> Result<u64> {
        (**self).count().await
    }
}
