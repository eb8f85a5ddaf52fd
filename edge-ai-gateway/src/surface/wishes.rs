use std::collections::BTreeMap;
use std::time::Duration;

use edge_ai_core::{CacheMode, CachePolicy, Error, Result};
use http::HeaderMap;

/// Reads what a client wants of the cache: `cache-control` by [RFC 9111 §5.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1)
/// (`no-store`, `no-cache`, `max-age=0`), and Cloudflare AI Gateway's `cf-aig-skip-cache` and `cf-aig-cache-ttl`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a `cf-aig-` header that does not read. An odd
/// `cache-control` is ignored, as everywhere on the web.
pub(crate) fn cache_policy(headers: &HeaderMap) -> Result<CachePolicy> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let mut policy = CachePolicy::default();
    for directive in text("cache-control")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
    {
        match directive.to_ascii_lowercase().as_str() {
            "no-store" => policy.mode = CacheMode::Bypass,
            "no-cache" | "max-age=0" if policy.mode == CacheMode::Use => policy.mode = CacheMode::Refresh,
            _ => {}
        }
    }
    match text("cf-aig-skip-cache").map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0") => {}
        Some("true" | "1") => policy.mode = CacheMode::Bypass,
        Some(_) => {
            return Err(Error::invalid(
                "cf-aig-skip-cache",
                "`cf-aig-skip-cache` is `true` or `false`",
            ));
        }
    }
    if let Some(ttl) = text("cf-aig-cache-ttl") {
        let seconds = ttl
            .parse()
            .ok()
            .filter(|seconds| *seconds <= MAX_TTL)
            .ok_or_else(|| {
                Error::invalid(
                    "cf-aig-cache-ttl",
                    format!("`cf-aig-cache-ttl` is a number of seconds up to {MAX_TTL}"),
                )
            })?;
        policy.ttl = Some(Duration::from_secs(seconds));
    }
    Ok(policy)
}

/// A month, as Cloudflare AI Gateway has it.
const MAX_TTL: u64 = 31 * 24 * 3_600;

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

    fn policy(headers: &[(&'static str, &'static str)]) -> Result<CachePolicy> {
        cache_policy(
            &headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn wishes_are_read() {
        assert_eq!(policy(&[]).unwrap(), CachePolicy::default());
        assert_eq!(
            policy(&[("cache-control", "No-Cache, x=\"")]).unwrap().mode,
            CacheMode::Refresh
        );
        assert_eq!(
            policy(&[("cache-control", "no-store, no-cache")]).unwrap().mode,
            CacheMode::Bypass
        );
        assert_eq!(
            policy(&[("cf-aig-skip-cache", "true")]).unwrap().mode,
            CacheMode::Bypass
        );
        assert_eq!(
            policy(&[("cf-aig-cache-ttl", "90")]).unwrap().ttl,
            Some(Duration::from_secs(90))
        );
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

    #[test]
    fn nonsense_is_refused_by_name() {
        for (name, value) in [
            ("cf-aig-cache-ttl", "soon"),
            ("cf-aig-cache-ttl", "-1"),
            ("cf-aig-skip-cache", "perhaps"),
        ] {
            assert_eq!(policy(&[(name, value)]).unwrap_err().param(), Some(name));
        }
    }
}
