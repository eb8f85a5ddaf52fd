use std::collections::HashSet;

use edge_ai_core::{Error, ErrorKind, JsonObject, Result, ReturnMetadata, VectorQuery, VectorRecord};
use serde::Serialize;
use serde_json::Value;

use crate::store::record::{check_query, check_records};
use crate::store::vectorize::filter::{Encoded, encode_filter};
use crate::store::vectorize::limits;

/// The records as JSON arrays, each within the limit of one upsert; of equal ids only the last.
///
/// Every record is checked before the first array is made, so that of records of which one is bad none is sent.
pub(in crate::store::vectorize) fn record_batches(
    records: &[VectorRecord],
    dimensions: Option<usize>,
) -> Result<Vec<String>> {
    let length = check_records(records, dimensions)?;
    if let Some(length) = length.filter(|length| *length > limits::DIMENSIONS) {
        let message = format!(
            "Vectorize takes vectors of at most {} values, these have {length}",
            limits::DIMENSIONS
        );
        return Err(Error::invalid("records[0].values", message));
    }
    for (index, record) in records.iter().enumerate() {
        check_record(record)
            .map_err(|(part, message)| Error::invalid(format!("records[{index}].{part}"), message))?;
    }
    let mut seen = HashSet::with_capacity(records.len());
    let mut last: Vec<&VectorRecord> = records
        .iter()
        .rev()
        .filter(|record| seen.insert(record.id.as_str()))
        .collect();
    last.reverse();
    last.chunks(limits::UPSERT).map(write).collect()
}

/// The part of a record that the service would refuse, and why.
fn check_record(record: &VectorRecord) -> Result<(), (String, String)> {
    if record.id.len() > limits::ID {
        return Err((
            "id".into(),
            format!(
                "an id has at most {} bytes, this one has {}",
                limits::ID,
                record.id.len()
            ),
        ));
    }
    if let Some(namespace) = record
        .namespace
        .as_ref()
        .filter(|name| name.len() > limits::NAMESPACE)
    {
        let message = format!(
            "a namespace has at most {} bytes, this one has {}",
            limits::NAMESPACE,
            namespace.len()
        );
        return Err(("namespace".into(), message));
    }
    check_metadata(&record.metadata, "metadata")?;
    let size = serde_json::to_vec(&record.metadata).map_or(usize::MAX, |json| json.len());
    if size > limits::METADATA {
        let message = format!(
            "metadata has at most {} bytes as JSON, this has {size}",
            limits::METADATA
        );
        return Err(("metadata".into(), message));
    }
    Ok(())
}

fn check_metadata(metadata: &JsonObject, path: &str) -> Result<(), (String, String)> {
    for (name, value) in metadata {
        let path = format!("{path}.{name}");
        if name.is_empty() || name.starts_with('$') || name.contains(['"', '.', '|']) {
            let message = "a field's name is not empty, does not start with $, and has no quote, dot or bar";
            return Err((path, message.into()));
        }
        match value {
            Value::Object(inner) => check_metadata(inner, &path)?,
            Value::Array(items) if !items.iter().all(Value::is_string) => {
                return Err((path, "an array in metadata holds strings only".into()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What becomes of a query.
#[derive(Debug, PartialEq)]
pub(in crate::store::vectorize) enum Search {
    /// Nothing can match: the service need not be asked.
    Nothing,
    /// The options to ask it with, as JSON.
    Options(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    top_k: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    return_values: bool,
    /// Never a boolean: the binding passes `false` on, and the service refuses it (40026).
    return_metadata: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<JsonObject>,
}

/// The options of a query.
pub(in crate::store::vectorize) fn search(query: &VectorQuery, dimensions: Option<usize>) -> Result<Search> {
    check_query(query, dimensions)?;
    check_top_k(query)?;
    if let Some(namespace) = query
        .namespace
        .as_ref()
        .filter(|name| name.len() > limits::NAMESPACE)
    {
        let message = format!(
            "a namespace has at most {} bytes, this one has {}",
            limits::NAMESPACE,
            namespace.len()
        );
        return Err(Error::invalid("namespace", message));
    }
    let filter = match encode_filter(&query.filter)? {
        Encoded::Nothing => return Ok(Search::Nothing),
        Encoded::Everything => None,
        Encoded::Fields(fields) => Some(fields),
    };
    let options = Options {
        top_k: query.top_k,
        namespace: query.namespace.as_deref(),
        return_values: query.return_values,
        return_metadata: metadata_level(query.return_metadata),
        filter,
    };
    write(&options).map(Search::Options)
}

/// 100 matches, or 50 with vectors or all metadata.
fn check_top_k(query: &VectorQuery) -> Result<()> {
    let full = query.return_values || metadata_level(query.return_metadata) == "all";
    let most = if full { limits::TOP_K_FULL } else { limits::TOP_K };
    if query.top_k <= most {
        return Ok(());
    }
    let mut message = format!("Vectorize returns at most {most} matches");
    if full {
        message.push_str(" with vectors or all metadata; ask for neither, or for indexed metadata");
    }
    Err(Error::new(ErrorKind::Unsupported, message).with_param("top_k"))
}

fn metadata_level(metadata: ReturnMetadata) -> &'static str {
    match metadata {
        ReturnMetadata::None => "none",
        ReturnMetadata::Indexed => "indexed",
        _ => "all",
    }
}

/// The ids, each once, in lists of at most `size`. One that no record can have is left out, since the service would refuse the others
/// with it.
pub(in crate::store::vectorize) fn id_batches(ids: &[String], size: usize) -> Vec<Vec<&str>> {
    let mut seen = HashSet::with_capacity(ids.len());
    let possible = ids
        .iter()
        .map(String::as_str)
        .filter(|id| (1..=limits::ID).contains(&id.len()));
    let ids: Vec<&str> = possible.filter(|id| seen.insert(*id)).collect();
    ids.chunks(size.max(1)).map(<[&str]>::to_vec).collect()
}

fn write<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value cannot be written as JSON").with_source(error)
    })
}
