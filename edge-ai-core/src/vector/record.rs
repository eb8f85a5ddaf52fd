use serde::{Deserialize, Serialize};

use super::Filter;
use crate::JsonObject;

/// A vector with its name and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VectorRecord {
    /// The name, unique in the index across namespaces; at most 64 bytes in Vectorize.
    pub id: String,
    /// The vector; its length is the index's.
    pub values: Vec<f32>,
    /// The partition it belongs to; a tenant's, for instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What is known about it; at most 10 KiB as JSON in Vectorize.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub metadata: JsonObject,
}

impl VectorRecord {
    /// A vector without namespace and metadata.
    pub fn new(id: impl Into<String>, values: Vec<f32>) -> Self {
        Self {
            id: id.into(),
            values,
            namespace: None,
            metadata: JsonObject::new(),
        }
    }

    /// Puts it into a namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
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
pub struct VectorQuery {
    /// The vector to be near to; its length is the index's.
    pub vector: Vec<f32>,
    /// How many to find.
    pub top_k: usize,
    /// Look only there; `None` looks everywhere.
    pub namespace: Option<String>,
    /// Look only at those that pass, before they are counted.
    pub filter: Filter,
    /// Whether matches carry their vectors; Vectorize then also scores exactly instead of approximately.
    pub return_values: bool,
    /// Which metadata matches carry.
    pub return_metadata: ReturnMetadata,
}

impl VectorQuery {
    /// The five nearest to `vector`, with all their metadata.
    pub fn new(vector: Vec<f32>) -> Self {
        Self {
            vector,
            top_k: 5,
            namespace: None,
            filter: Filter::default(),
            return_values: false,
            return_metadata: ReturnMetadata::All,
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

    /// Brings the vectors along.
    #[must_use]
    pub fn return_values(mut self) -> Self {
        self.return_values = true;
        self
    }

    /// Chooses the metadata to bring along.
    #[must_use]
    pub fn return_metadata(mut self, metadata: ReturnMetadata) -> Self {
        self.return_metadata = metadata;
        self
    }
}

/// Which metadata a match carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnMetadata {
    /// None.
    None,
    /// The fields with a metadata index, cut to 64 bytes in Vectorize.
    Indexed,
    /// All of it.
    #[default]
    All,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VectorMatch {
    /// Its name.
    pub id: String,
    /// How near it is, on the scale of the store's [`Metric`](super::Metric).
    pub score: f32,
    /// Its partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its vector, when the query asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    /// Its metadata, as far as the query asked for it.
    #[serde(default)]
    pub metadata: JsonObject,
}

impl VectorMatch {
    /// A match without more than a name and a score.
    pub fn new(id: impl Into<String>, score: f32) -> Self {
        Self {
            id: id.into(),
            score,
            namespace: None,
            values: None,
            metadata: JsonObject::new(),
        }
    }
}
