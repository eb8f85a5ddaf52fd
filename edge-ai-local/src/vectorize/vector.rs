//! A vector as it is written, and what a metadata index keeps of it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Error;
use super::limits;
use crate::config::PropertyType;

/// A vector, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vector {
    pub(super) id: String,
    /// Kept as 32-bit floats, as the service does.
    pub(super) values: Arc<[f32]>,
    pub(super) namespace: Option<String>,
    pub(super) metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    id: String,
    values: Vec<f64>,
    namespace: Option<String>,
    metadata: Option<Map<String, Value>>,
}

impl Vector {
    pub(super) fn parse(json: &[u8], operation: &str) -> Result<Self, Error> {
        let raw: Raw =
            serde_json::from_slice(json).map_err(|e| Error::unparsable(operation, &e.to_string()))?;
        if raw.id.is_empty() {
            return Err(Error::invalid("id must not be empty"));
        }
        if raw.id.len() > limits::ID_BYTES {
            return Err(Error::id_too_long(limits::ID_BYTES, raw.id.len()));
        }
        check_namespace(raw.namespace.as_deref())?;
        if let Some(metadata) = &raw.metadata {
            check_metadata(&raw.id, metadata)?;
        }
        let values: Arc<[f32]> = raw.values.iter().map(|x| *x as f32).collect();
        if values.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(format!(
                "invalid vector for id=\"{}\", values must be finite",
                raw.id
            )));
        }
        Ok(Self {
            id: raw.id,
            values,
            namespace: raw.namespace,
            metadata: raw.metadata,
        })
    }

    /// What a metadata index of this property keeps; nothing when the value has another type.
    pub(super) fn indexed(&self, property: &str, kind: PropertyType) -> Option<Value> {
        let value = at_path(self.metadata.as_ref()?, property)?;
        match (kind, value) {
            (PropertyType::String, Value::String(text)) => Some(first_bytes(text).into()),
            (PropertyType::Number, Value::Number(_)) | (PropertyType::Boolean, Value::Bool(_)) => {
                Some(value.clone())
            }
            _ => None,
        }
    }
}

pub(super) fn check_namespace(namespace: Option<&str>) -> Result<(), Error> {
    match namespace {
        Some(name) if name.len() > limits::NAMESPACE_BYTES => Err(Error::invalid(format!(
            "namespace too long; max is {} bytes, got {} bytes",
            limits::NAMESPACE_BYTES,
            name.len()
        ))),
        _ => Ok(()),
    }
}

fn check_metadata(id: &str, metadata: &Map<String, Value>) -> Result<(), Error> {
    let bytes = serde_json::to_vec(metadata).map_or(0, |json| json.len());
    if bytes > limits::METADATA_BYTES {
        let max = limits::METADATA_BYTES;
        return Err(Error::invalid(format!(
            "metadata too large for id=\"{id}\"; max is {max} bytes, got {bytes} bytes"
        )));
    }
    check_keys(metadata)
}

fn check_keys(metadata: &Map<String, Value>) -> Result<(), Error> {
    for (key, value) in metadata {
        if key.is_empty() || key.starts_with('$') || key.contains(['"', '.', '|']) {
            return Err(Error::invalid(format!(
                "invalid metadata key {key:?}: it must not be empty, start with $, or contain a dot, a bar or a quote"
            )));
        }
        match value {
            Value::Object(nested) => check_keys(nested)?,
            Value::Array(items) if !items.iter().all(Value::is_string) => {
                return Err(Error::invalid(format!(
                    "invalid metadata value for key {key:?}: arrays hold strings only"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Value at a dotted path.
pub(super) fn at_path<'m>(metadata: &'m Map<String, Value>, path: &str) -> Option<&'m Value> {
    let mut parts = path.split('.');
    let first = metadata.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The first 64 bytes of a string, cut between characters.
fn first_bytes(text: &str) -> &str {
    let mut end = text.len().min(limits::INDEXED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<Vector, Error> {
        Vector::parse(value.to_string().as_bytes(), "upsert")
    }

    #[test]
    fn each_rule_refuses_with_its_code() {
        let code = |value: Value| parse(&value).unwrap_err().code;
        assert_eq!(code(json!({ "id": "x".repeat(65), "values": [1] })), 40008);
        assert_eq!(code(json!({ "id": 7, "values": [1] })), 40023);
        assert_eq!(code(json!({ "id": "a", "values": ["x"] })), 40023);
        assert_eq!(code(json!({ "id": "a" })), 40023);
        for bad in [
            json!({ "id": "", "values": [1] }),
            json!({ "id": "a", "values": [1], "namespace": "n".repeat(65) }),
            json!({ "id": "a", "values": [1e300] }),
            json!({ "id": "a", "values": [1], "metadata": { "text": "x".repeat(10_300) } }),
            json!({ "id": "a", "values": [1], "metadata": { "a.b": 1 } }),
            json!({ "id": "a", "values": [1], "metadata": { "a": { "$b": 1 } } }),
            json!({ "id": "a", "values": [1], "metadata": { "a": [1] } }),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
        assert!(parse(&json!({ "id": "x".repeat(64), "values": [1, 2.5], "more": true })).is_ok());
        assert_eq!(
            Vector::parse(br#"{"id":"\ud835","values":[1]}"#, "upsert")
                .unwrap_err()
                .code,
            40023
        );
    }

    #[test]
    fn an_index_sees_64_bytes_of_its_type_only() {
        let metadata = json!({ "t": "é".repeat(40), "n": 1, "deep": { "b": true } });
        let vector = parse(&json!({ "id": "a", "values": [1], "metadata": metadata })).unwrap();
        assert_eq!(
            vector.indexed("t", PropertyType::String),
            Some(json!("é".repeat(32)))
        );
        assert_eq!(vector.indexed("n", PropertyType::String), None);
        assert_eq!(vector.indexed("deep.b", PropertyType::Boolean), Some(json!(true)));
        assert_eq!(vector.indexed("deep.c", PropertyType::Boolean), None);
    }
}
