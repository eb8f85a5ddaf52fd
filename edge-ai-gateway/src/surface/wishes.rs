//! What a client asks for in headers.

mod cache;
mod retry;

use std::collections::BTreeMap;

use edge_ai_core::{Error, Result};
use http::HeaderMap;

pub(crate) use cache::cache_policy;
pub(crate) use retry::retry_wishes;

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

/// Whether the client wants its answer later: `Prefer: respond-async` ([RFC 7240 §4.1](https://www.rfc-editor.org/rfc/rfc7240#section-4.1)),
/// or `x-edge-ai-async: true`, for those whose library keeps `Prefer` to itself.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for an `x-edge-ai-async` that is neither `true` nor `false`.
pub(crate) fn wants_no_wait(headers: &HeaderMap) -> Result<bool> {
    match headers
        .get("x-edge-ai-async")
        .map(|value| value.as_bytes().trim_ascii())
    {
        Some(b"true" | b"1") => return Ok(true),
        Some(b"false" | b"0") => return Ok(false),
        Some(_) => {
            let message = "`x-edge-ai-async` is `true` or `false`";
            return Err(Error::invalid("x-edge-ai-async", message));
        }
        None => {}
    }
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    Ok(preferences.flat_map(|value| value.split(',')).any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    }))
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

/// The most bytes of a header that routes look at: it goes into the names of kept answers.
const MAX_HEADER_BYTES: usize = 256;

/// Reads the headers that routes look at, and no others. Of one that is sent several times the first counts.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for one that is too long, or no text.
pub(crate) fn routing_headers<'a>(
    headers: &HeaderMap,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<BTreeMap<String, String>> {
    let mut read = BTreeMap::new();
    for name in names {
        let Some(value) = headers.get(name) else { continue };
        let text = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER_BYTES);
        let text = text.ok_or_else(|| {
            let message = format!("`{name}` has at most {MAX_HEADER_BYTES} visible ASCII characters here, since routes look at it");
            Error::invalid(name, message)
        })?;
        read.insert(name.clone(), text.trim().to_owned());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_headers_that_routes_name_are_read() {
        let headers = |value: &str| {
            HeaderMap::from_iter([
                ("x-plan".parse().unwrap(), value.parse().unwrap()),
                ("x-other".parse().unwrap(), "1".parse().unwrap()),
            ])
        };
        let names = ["x-plan".to_owned(), "x-absent".to_owned()];
        let read = routing_headers(&headers(" pro "), &names).unwrap();
        assert_eq!(read, BTreeMap::from([("x-plan".to_owned(), "pro".to_owned())]));
        let error = routing_headers(&headers(&"x".repeat(257)), &names).unwrap_err();
        assert_eq!(error.param(), Some("x-plan"));
    }

    #[test]
    fn waiting_can_be_declined_in_two_ways() {
        let wants = |name: &'static str, value: &'static str| {
            wants_no_wait(&HeaderMap::from_iter([(
                name.parse().unwrap(),
                value.parse().unwrap(),
            )]))
        };
        assert!(wants("prefer", "wait=5, Respond-Async").unwrap());
        assert!(wants("x-edge-ai-async", "true").unwrap());
        assert!(!wants("x-edge-ai-async", "false").unwrap());
        assert!(!wants("prefer", "return=minimal").unwrap());
        assert!(!wants_no_wait(&HeaderMap::new()).unwrap());
        assert_eq!(wants("x-edge-ai-async", "yes").unwrap_err().status(), 400);
    }

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
