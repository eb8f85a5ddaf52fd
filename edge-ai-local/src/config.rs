//! What the program is told at its start.

use std::path::PathBuf;
use std::time::Duration;

/// Configuration of a [`Server`](crate::Server).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Vectorize indexes that exist from the start.
    pub indexes: Vec<IndexConfig>,
    /// Time until a Vectorize write can be read back. The service's median is under 30 s.
    pub visible_after: Duration,
    /// Pace of streamed tokens; as fast as the reader reads when absent.
    pub tokens_per_second: Option<f64>,
    /// Directory of the model that makes embeddings, such as all-MiniLM-L6-v2 (feature `embeddings`); hashed features when absent.
    pub embedding_model: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 9900,
            indexes: Vec::new(),
            visible_after: Duration::from_millis(150),
            tokens_per_second: None,
            embedding_model: None,
        }
    }
}

/// A Vectorize index: `wrangler vectorize create NAME --dimensions D --metric M`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexConfig {
    /// Name that bindings refer to.
    pub name: String,
    /// Length of every vector; 1 to 1536.
    pub dimensions: usize,
    /// How vectors are compared.
    pub metric: Metric,
    /// Metadata properties that can be filtered by.
    pub metadata_indexes: Vec<(String, PropertyType)>,
}

impl IndexConfig {
    /// An index without metadata indexes.
    pub fn new(name: impl Into<String>, dimensions: usize, metric: Metric) -> Self {
        Self {
            name: name.into(),
            dimensions,
            metric,
            metadata_indexes: Vec::new(),
        }
    }

    /// Makes a metadata property filterable.
    #[must_use]
    pub fn with_metadata_index(mut self, property: impl Into<String>, kind: PropertyType) -> Self {
        self.metadata_indexes.push((property.into(), kind));
        self
    }
}

/// How an index compares vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// Cosine of the angle, -1 to 1; higher is nearer.
    Cosine,
    /// Euclidean distance, from 0; lower is nearer.
    Euclidean,
    /// Negated dot product; lower is nearer.
    DotProduct,
}

impl Metric {
    /// Name in the service's API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
            Self::DotProduct => "dot-product",
        }
    }
}

impl std::str::FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Cosine, Self::Euclidean, Self::DotProduct]
            .into_iter()
            .find(|metric| metric.as_str() == name)
            .ok_or_else(|| format!("unknown metric `{name}`: cosine, euclidean or dot-product"))
    }
}

/// Type of a metadata index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PropertyType {
    /// Strings, by their first 64 bytes.
    String,
    /// Numbers.
    Number,
    /// Booleans.
    Boolean,
}

impl PropertyType {
    /// Name in the service's API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

impl std::str::FromStr for PropertyType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::String, Self::Number, Self::Boolean]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| format!("unknown property type `{name}`: string, number or boolean"))
    }
}

/// Reads `NAME:DIMENSIONS:METRIC`, and metadata indexes after it as in `docs:384:cosine:lang=string,year=number`.
impl std::str::FromStr for IndexConfig {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ':');
        let name = parts
            .next()
            .filter(|name| !name.is_empty())
            .ok_or("an index needs a name")?;
        let dimensions = parts
            .next()
            .ok_or("NAME:DIMENSIONS:METRIC, such as docs:384:cosine")?;
        let dimensions = dimensions
            .parse::<usize>()
            .ok()
            .filter(|d| (1..=crate::vectorize::limits::DIMENSIONS).contains(d))
            .ok_or_else(|| format!("`{dimensions}` is not a number of dimensions from 1 to 1536"))?;
        let metric = parts.next().map_or(Ok(Metric::Cosine), str::parse)?;
        let mut index = Self::new(name, dimensions, metric);
        for property in parts
            .next()
            .into_iter()
            .flat_map(|list| list.split(','))
            .filter(|p| !p.is_empty())
        {
            let (property, kind) = property.split_once('=').unwrap_or((property, "string"));
            index.metadata_indexes.push((property.to_owned(), kind.parse()?));
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_declarations_are_read() {
        let index: IndexConfig = "docs:384:euclidean:lang=string,meta.year=number".parse().unwrap();
        assert_eq!(
            (index.name.as_str(), index.dimensions, index.metric),
            ("docs", 384, Metric::Euclidean)
        );
        assert_eq!(
            index.metadata_indexes[1],
            ("meta.year".into(), PropertyType::Number)
        );
        for bad in [
            "",
            "docs",
            "docs:0:cosine",
            "docs:2000:cosine",
            "docs:3:manhattan",
            "docs:3:cosine:a=date",
        ] {
            assert!(bad.parse::<IndexConfig>().is_err(), "{bad}");
        }
    }
}
