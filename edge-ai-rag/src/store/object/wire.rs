//! What the store and its object say to each other: JSON behind its length, then the vectors as they lie in memory, 32 bits a value.

#[cfg(any(feature = "vector-object", test))]
use edge_ai_core::{Comparison, Filter};
use edge_ai_core::{
    Condition, Error, ErrorKind, JsonObject, Metric, Result, ReturnMetadata, VectorQuery, VectorRecord,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::resident::{Quantization, numbers};

/// What an object's vectors are searched by; the first to write decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) metric: Metric,
    pub(super) quantization: Quantization,
}

impl Terms {
    pub(super) const fn name(self) -> &'static str {
        match (self.metric, self.quantization) {
            (Metric::Cosine, Quantization::None) => "cosine",
            (Metric::Cosine, Quantization::Int8) => "cosine, int8",
            (Metric::Euclidean, Quantization::None) => "euclidean",
            (Metric::Euclidean, Quantization::Int8) => "euclidean, int8",
            (_, Quantization::None) => "dot product",
            (_, Quantization::Int8) => "dot product, int8",
        }
    }

    #[cfg(any(feature = "vector-object", test))]
    pub(super) fn named(name: &str) -> Option<Self> {
        let metrics = [Metric::Cosine, Metric::Euclidean, Metric::DotProduct];
        let all = metrics.into_iter().flat_map(|metric| {
            [Quantization::None, Quantization::Int8].map(|quantization| Self { metric, quantization })
        });
        all.into_iter().find(|terms| terms.name() == name)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    pub(super) terms: String,
    pub(super) what: What,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum What {
    Upsert(Vec<Head>),
    Query(Wanted),
    Get(Vec<String>),
    Delete(Vec<String>),
    Info,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wanted {
    top_k: usize,
    namespace: Option<String>,
    filter: Vec<(String, String, serde_json::Value)>,
    values: bool,
    metadata: bool,
}

/// A record or a match without its vector.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub(super) metadata: JsonObject,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    Heads(Vec<Head>),
    Info { count: u64, dimensions: Option<usize> },
}

/// An error as it travels; others than these are the object's own trouble.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    param: Option<String>,
    message: String,
    configuration: bool,
}

impl Head {
    pub(super) fn of(record: &VectorRecord) -> Self {
        Self {
            id: record.id.clone(),
            namespace: record.namespace.clone(),
            metadata: record.metadata.clone(),
            score: None,
        }
    }

    pub(super) fn into_record(self, values: &[f32]) -> VectorRecord {
        let mut record = VectorRecord::new(self.id, values.to_vec());
        record.namespace = self.namespace;
        record.metadata = self.metadata;
        record
    }
}

impl Wanted {
    pub(super) fn of(query: &VectorQuery) -> Self {
        let conditions = query.filter.conditions.iter();
        Self {
            top_k: query.top_k,
            namespace: query.namespace.clone(),
            filter: conditions
                .map(
                    |Condition {
                         field,
                         comparison,
                         value,
                         ..
                     }| {
                        (field.clone(), comparison.operator().to_owned(), value.clone())
                    },
                )
                .collect(),
            values: query.return_values,
            metadata: query.return_metadata != ReturnMetadata::None,
        }
    }

    #[cfg(any(feature = "vector-object", test))]
    pub(super) fn into_query(self, vector: Vec<f32>) -> Result<VectorQuery> {
        let mut query = VectorQuery::new(vector).top_k(self.top_k);
        query.namespace = self.namespace;
        query.return_values = self.values;
        if !self.metadata {
            query.return_metadata = ReturnMetadata::None;
        }
        for (field, operator, value) in self.filter {
            let known = COMPARISONS.iter().find(|known| known.operator() == operator);
            let comparison = known.ok_or_else(unreadable)?;
            query.filter =
                std::mem::replace(&mut query.filter, Filter::new()).with(field, *comparison, value);
        }
        Ok(query)
    }
}

#[cfg(any(feature = "vector-object", test))]
const COMPARISONS: [Comparison; 8] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Lt,
    Comparison::Lte,
    Comparison::Gt,
    Comparison::Gte,
    Comparison::In,
    Comparison::NotIn,
];

impl Refusal {
    #[cfg(any(feature = "vector-object", test))]
    pub(super) fn of(error: &Error) -> Option<Self> {
        matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::Configuration).then(|| Self {
            param: error.param().map(str::to_owned),
            message: error.message().to_owned(),
            configuration: error.kind() == ErrorKind::Configuration,
        })
    }

    pub(super) fn into_error(self) -> Error {
        let kind = if self.configuration {
            ErrorKind::Configuration
        } else {
            ErrorKind::InvalidRequest
        };
        let error = Error::new(kind, self.message);
        match self.param {
            Some(param) => error.with_param(param),
            None => error,
        }
    }
}

/// A message with its vectors behind it.
pub(super) fn write<'a>(json: &impl Serialize, vectors: impl Iterator<Item = &'a [f32]>) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(json).map_err(|error| unreadable().with_source(error))?;
    let length = u32::try_from(json.len()).map_err(|error| unreadable().with_source(error))?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(json);
    for vector in vectors {
        bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
    }
    Ok(bytes)
}

/// The message and the values of all its vectors.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Vec<f32>)> {
    let (length, rest) = bytes.split_first_chunk().ok_or_else(unreadable)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| unreadable())?;
    let (json, vectors) = rest.split_at_checked(length).ok_or_else(unreadable)?;
    let json = serde_json::from_slice(json).map_err(|error| unreadable().with_source(error))?;
    Ok((json, numbers(vectors)))
}

/// The values of each of so many vectors.
pub(super) fn vectors(values: &[f32], count: usize) -> impl Iterator<Item = &[f32]> {
    let length = values.len().checked_div(count).unwrap_or(0);
    // No vectors at all are as many empty ones.
    let empty: &[f32] = &[];
    values
        .chunks_exact(length.max(1))
        .chain(std::iter::repeat(empty))
        .take(count)
}

pub(super) fn unreadable() -> Error {
    Error::new(
        ErrorKind::Internal,
        "what a store of vectors and its object say does not read",
    )
}
