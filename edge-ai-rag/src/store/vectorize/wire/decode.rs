use edge_ai_core::{Error, ErrorKind, Mutation, Result, StoreInfo, VectorMatch, VectorRecord};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
struct Matches {
    matches: Vec<VectorMatch>,
}

/// The answer of `query`.
pub(in crate::store::vectorize) fn decode_matches(json: &str) -> Result<Vec<VectorMatch>> {
    read::<Matches>(json, "a query").map(|answer| answer.matches)
}

/// The answer of `getByIds`.
pub(in crate::store::vectorize) fn decode_records(json: &str) -> Result<Vec<VectorRecord>> {
    read(json, "a lookup")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    mutation_id: String,
}

/// The answer of `upsert` and `deleteByIds`.
pub(in crate::store::vectorize) fn decode_mutation(json: &str) -> Result<Mutation> {
    read::<Accepted>(json, "a write").map(|accepted| Mutation::pending(accepted.mutation_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    vector_count: u64,
    #[serde(default)]
    dimensions: Option<usize>,
    /// A number by the runtime's types, a text by its documentation.
    #[serde(default)]
    processed_up_to_mutation: Value,
}

/// The answer of `describe`.
pub(in crate::store::vectorize) fn decode_info(json: &str) -> Result<StoreInfo> {
    let info: Info = read(json, "a description")?;
    let mutation = match info.processed_up_to_mutation {
        Value::String(id) if !id.is_empty() => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    Ok(StoreInfo::new(
        info.vector_count,
        info.dimensions.filter(|length| *length > 0),
        mutation,
    ))
}

fn read<T: DeserializeOwned>(json: &str, call: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        let message = format!("Vectorize answered {call} with JSON of another shape: {error}");
        Error::new(ErrorKind::BadUpstream, message).with_source(error)
    })
}
