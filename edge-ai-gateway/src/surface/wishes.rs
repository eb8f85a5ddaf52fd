//! What a client asks for in headers.

mod cache;

use std::collections::BTreeMap;

use edge_ai_core::{Error, Result};
use http::HeaderMap;

pub(crate) use cache::cache_policy;

/// Whether the client lets what it asks and gets be kept: `cf-aig-collect-log`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for anything but `true` and `false`.
pub(crate) fn collects(headers: &HeaderMap) -> Result<bool> {
    match headers
        .get("cf-aig-collect-log")
        .map(|value| value.as_bytes().trim_ascii())
    {
        None | Some(b"true" | b"1") => Ok(true),
        Some(b"false" | b"0") => Ok(false),
        Some(_) => Err(Error::invalid(
            "cf-aig-collect-log",
            "`cf-aig-collect-log` is `true` or `false`",
        )),
    }
}

/// The most labels of a request, and the most bytes they take, as Cloudflare AI Gateway has it.
const MAX_LABELS: usize = 5;
const MAX_LABEL_BYTES: usize = 1_024;

/// Reads the client's labels for its usage record: `cf-aig-metadata`, a flat JSON object.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for anything else, and for too many or too long ones.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>> {
    let Some(value) = headers.get("cf-aig-metadata") else {
        return Ok(BTreeMap::new());
    };
    let wrong = || {
        let message = format!(
            "`cf-aig-metadata` is a JSON object of at most {MAX_LABELS} texts, numbers or booleans, in {MAX_LABEL_BYTES} bytes"
        );
        Error::invalid("cf-aig-metadata", message)
    };
    if value.len() > MAX_LABEL_BYTES {
        return Err(wrong());
    }
    let labels: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(value.as_bytes()).map_err(|_| wrong())?;
    if labels.len() > MAX_LABELS {
        return Err(wrong());
    }
    let text = |(name, value)| match value {
        serde_json::Value::String(text) => Ok((name, text)),
        value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Ok((name, value.to_string())),
        _ => Err(wrong()),
    };
    labels.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_flat_and_few() {
        let read = |text: &'static str| {
            metadata(&HeaderMap::from_iter([(
                "cf-aig-metadata".parse().unwrap(),
                text.parse().unwrap(),
            )]))
        };
        let labels = read(r#"{"team":"search","step":3}"#).unwrap();
        assert_eq!(labels["team"], "search");
        assert_eq!(labels["step"], "3");
        for wrong in [
            "x",
            "[]",
            r#"{"a":{}}"#,
            r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}"#,
        ] {
            assert_eq!(
                read(wrong).unwrap_err().param(),
                Some("cf-aig-metadata"),
                "{wrong}"
            );
        }
    }
}
