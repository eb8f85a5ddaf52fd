//! `query` and `queryById`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::Error;
use super::filter::Filter;
use super::index::{Index, Stored};
use super::{limits, vector};
use crate::config::Metric;
use crate::reply::Reply;

/// A query, checked.
#[derive(Debug)]
pub(super) struct Query {
    target: Target,
    top_k: usize,
    namespace: Option<String>,
    return_values: bool,
    return_metadata: Metadata,
    filter: Filter,
}

#[derive(Debug)]
enum Target {
    Vector(Vec<f32>),
    Id(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metadata {
    None,
    Indexed,
    All,
}

#[derive(Debug, Serialize)]
struct Matches<'a> {
    count: usize,
    matches: Vec<Match<'a>>,
}

#[derive(Debug, Serialize)]
struct Match<'a> {
    id: &'a str,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

impl Query {
    pub(super) fn parse(body: Option<&Value>) -> Result<Self, Error> {
        let body = body
            .and_then(Value::as_object)
            .ok_or_else(|| Error::malformed("expected value"))?;
        let given = |key: &str| body.get(key).filter(|value| !value.is_null());
        let return_metadata = match body.get("returnMetadata") {
            None => Metadata::None,
            Some(Value::String(which)) => match which.as_str() {
                "none" => Metadata::None,
                "indexed" => Metadata::Indexed,
                "all" => Metadata::All,
                other => {
                    return Err(Error::malformed(format!(
                        "returnMetadata: unknown variant `{other}`"
                    )));
                }
            },
            // The binding turns `true` into "all" and passes `false` on, which the service does not read.
            Some(_) => return Err(Error::malformed("returnMetadata: expected value")),
        };
        let return_values = match given("returnValues") {
            None => false,
            Some(value) => value
                .as_bool()
                .ok_or_else(|| Error::malformed("returnValues: expected a boolean"))?,
        };
        let top_k = match given("topK") {
            None => limits::TOP_K_DEFAULT,
            Some(value) => value
                .as_u64()
                .ok_or_else(|| Error::malformed("topK: expected a positive integer"))?,
        };
        let full = return_values || return_metadata == Metadata::All;
        let most = if full { limits::TOP_K_FULL } else { limits::TOP_K };
        if top_k == 0 {
            return Err(Error::malformed("topK: expected a positive integer"));
        }
        if top_k > most {
            return Err(Error::top_k(most, top_k, full));
        }
        let namespace = match given("namespace") {
            None => None,
            Some(value) => Some(
                value
                    .as_str()
                    .ok_or_else(|| Error::malformed("namespace: expected a string"))?
                    .to_owned(),
            ),
        };
        vector::check_namespace(namespace.as_deref())?;
        let filter = given("filter").map_or(Ok(Filter::default()), Filter::parse)?;
        let target = target(given("vector"), given("vectorId"))?;
        Ok(Self {
            target,
            top_k: top_k as usize,
            namespace,
            return_values,
            return_metadata,
            filter,
        })
    }

    pub(super) fn run(&self, index: &Index) -> Result<Reply, Error> {
        if index.config.dimensions == 0 {
            return Ok(Reply::json(&Matches {
                count: 0,
                matches: Vec::new(),
            }));
        }
        let wanted: &[f32] = match &self.target {
            Target::Vector(vector) => vector,
            Target::Id(id) => match index.vectors.get(id) {
                Some(stored) => &stored.vector.values,
                None => return Err(Error::invalid(format!("vector with id=\"{id}\" not found"))),
            },
        };
        if wanted.len() != index.config.dimensions {
            return Err(Error::query_dimensions(index.config.dimensions, wanted.len()));
        }
        let metric = index.config.metric;
        let mut found: Vec<(f32, &Stored)> = index
            .vectors
            .values()
            .filter(|stored| self.namespace.is_none() || stored.vector.namespace == self.namespace)
            .filter(|stored| {
                self.filter
                    .matches(&stored.indexed, &index.config.metadata_indexes)
            })
            .map(|stored| (score(metric, wanted, &stored.vector.values), stored))
            .collect();
        found.sort_by(|a, b| match metric {
            Metric::Cosine => b.0.total_cmp(&a.0),
            Metric::Euclidean | Metric::DotProduct => a.0.total_cmp(&b.0),
        });
        found.truncate(self.top_k);
        let matches: Vec<Match<'_>> = found
            .into_iter()
            .map(|(score, stored)| self.encode(score, stored))
            .collect();
        let reply = Reply::json(&Matches {
            count: matches.len(),
            matches,
        });
        Ok(match self.filter.unindexed(&index.config.metadata_indexes) {
            None => reply,
            Some(key) => reply.with_header(
                "x-edge-ai-local-hint",
                format!("no metadata index for {key:?}: a filter on it matches nothing"),
            ),
        })
    }

    fn encode<'i>(&self, score: f32, stored: &'i Stored) -> Match<'i> {
        let vector = &stored.vector;
        Match {
            id: &vector.id,
            score,
            namespace: vector.namespace.as_deref(),
            values: self.return_values.then_some(&*vector.values),
            metadata: match self.return_metadata {
                Metadata::None => None,
                Metadata::Indexed => Some(nested(&stored.indexed)),
                Metadata::All => vector.metadata.clone().map(Value::Object),
            },
        }
    }
}

fn target(vector: Option<&Value>, id: Option<&Value>) -> Result<Target, Error> {
    match (vector, id) {
        (Some(Value::Array(values)), None) => values
            .iter()
            .map(|x| {
                x.as_f64()
                    .map(|x| x as f32)
                    .ok_or_else(|| Error::malformed("vector: expected numbers"))
            })
            .collect::<Result<_, _>>()
            .map(Target::Vector),
        (None, Some(Value::String(id))) => Ok(Target::Id(id.clone())),
        (Some(_), Some(_)) => Err(Error::malformed("expected one of vector and vectorId, got both")),
        (None, None) => Err(Error::malformed("missing field `vector`")),
        (Some(_), None) => Err(Error::malformed("vector: expected an array of numbers")),
        (None, Some(_)) => Err(Error::malformed("vectorId: expected a string")),
    }
}

/// Cosine, distance, or negated dot product.
fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    match metric {
        Metric::Cosine => {
            let norms = (dot(a, a) * dot(b, b)).sqrt();
            if norms > 0.0 {
                (dot(a, b) / norms).clamp(-1.0, 1.0)
            } else {
                0.0
            }
        }
        Metric::Euclidean => a
            .iter()
            .zip(b)
            .map(|(x, y)| (x - y) * (x - y))
            .sum::<f32>()
            .sqrt(),
        Metric::DotProduct => -dot(a, b),
    }
}

/// Dotted properties as nested objects.
fn nested(indexed: &BTreeMap<String, Value>) -> Value {
    let mut root = Map::new();
    for (path, value) in indexed {
        put(&mut root, path, value);
    }
    Value::Object(root)
}

fn put(map: &mut Map<String, Value>, path: &str, value: &Value) {
    let Some((first, rest)) = path.split_once('.') else {
        map.insert(path.to_owned(), value.clone());
        return;
    };
    if let Value::Object(inner) = map.entry(first).or_insert_with(|| Value::Object(Map::new())) {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests;
