//! Bodies of writes and of calls by id.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Error;
use super::limits;
use super::vector::Vector;

/// Reads vectors: one JSON object a line, or `{"vectors": […]}`.
pub(super) fn vectors(body: &[u8], operation: &str) -> Result<Vec<Vector>, Error> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        vectors: Vec<&'a RawValue>,
    }
    let vectors: Vec<Vector> = match serde_json::from_slice::<Wrapped<'_>>(body) {
        Ok(wrapped) => {
            check_count(wrapped.vectors.len(), operation)?;
            wrapped
                .vectors
                .iter()
                .map(|raw| Vector::parse(raw.get().as_bytes(), operation))
                .collect::<Result<_, _>>()?
        }
        Err(_) => {
            let lines = || {
                body.split(|b| *b == b'\n')
                    .filter(|line| !line.trim_ascii().is_empty())
            };
            check_count(lines().count(), operation)?;
            lines()
                .map(|line| Vector::parse(line, operation))
                .collect::<Result<_, _>>()?
        }
    };
    Ok(vectors)
}

fn check_count(count: usize, operation: &str) -> Result<(), Error> {
    match count {
        0 => Err(Error::unparsable(operation, "no vectors")),
        1..=limits::BATCH => Ok(()),
        _ => Err(Error::invalid(format!(
            "too many vectors in payload; max is {}, got {count}",
            limits::BATCH
        ))),
    }
}

/// Reads `{"ids": […]}`.
pub(super) fn ids(body: Option<&Value>, max: usize) -> Result<Vec<String>, Error> {
    let list = body
        .ok_or_else(|| Error::malformed("expected value"))?
        .get("ids")
        .and_then(Value::as_array)
        .ok_or_else(|| Error::malformed("ids: expected an array"))?;
    if list.len() > max {
        return Err(Error::too_many_ids(max, list.len()));
    }
    list.iter()
        .map(|id| {
            let id = id
                .as_str()
                .ok_or_else(|| Error::malformed("ids: expected a string"))?;
            if id.len() > limits::ID_BYTES {
                return Err(Error::id_too_long(limits::ID_BYTES, id.len()));
            }
            Ok(id.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let lines = b"{\"id\":\"a\",\"values\":[1]}\n{\"id\":\"b\",\"values\":[2]}";
        let wrapped = br#"{"vectors":[{"id":"a","values":[1]},{"id":"b","values":[2]}]}"#;
        assert_eq!(
            vectors(lines, "upsert").unwrap(),
            vectors(wrapped, "upsert").unwrap()
        );
        assert_eq!(vectors(b"", "insert").unwrap_err().code, 40023);
        assert_eq!(vectors(b"nonsense", "insert").unwrap_err().code, 40023);
    }

    #[test]
    fn counts_are_capped() {
        let line = "{\"id\":\"a\",\"values\":[1]}\n";
        assert_eq!(
            vectors(line.repeat(1000).as_bytes(), "upsert").unwrap().len(),
            1000
        );
        assert!(vectors(line.repeat(1001).as_bytes(), "upsert").is_err());
        let many = |n: usize| json!({ "ids": vec!["a"; n] });
        assert_eq!(ids(Some(&many(20)), limits::GET_IDS).unwrap().len(), 20);
        let refused = ids(Some(&many(21)), limits::GET_IDS).unwrap_err();
        assert_eq!(
            (refused.code, refused.message.as_str()),
            (40007, "too many ids in payload; max id count is 20, got 21")
        );
        assert!(ids(Some(&many(101)), limits::DELETE_IDS).is_err());
        assert_eq!(
            ids(Some(&json!({ "ids": ["x".repeat(65)] })), 20)
                .unwrap_err()
                .code,
            40008
        );
        assert_eq!(ids(Some(&json!({})), 20).unwrap_err().code, 40026);
    }
}
