use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{CacheMode, CachePolicy, Error, Result};
use http::HeaderMap;

/// A month, as Cloudflare AI Gateway has it.
const MAX_TTL: u64 = 31 * 24 * 3_600;

/// The most bytes of a client's own key.
const MAX_KEY: usize = 512;

/// The most tags of a request, and the most bytes of one.
const MAX_TAGS: usize = 16;
const MAX_TAG: usize = 64;

/// Reads what a client wants of the cache: `cache-control` by [RFC 9111 §5.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1) and
/// [RFC 5861 §4](https://www.rfc-editor.org/rfc/rfc5861#section-4), Cloudflare AI Gateway's `cf-aig-skip-cache`, `cf-aig-cache-ttl` and
/// `cf-aig-cache-key`, and the tags of `x-edge-ai-cache-tags`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a header of a gateway that does not read. An odd
/// `cache-control` is ignored, as everywhere on the web.
pub(crate) fn cache_policy(headers: &HeaderMap) -> Result<CachePolicy> {
    let mut policy = CachePolicy::default();
    for line in headers.get_all("cache-control") {
        for directive in line.to_str().unwrap_or_default().split(',') {
            direct(&mut policy, &directive.trim().to_ascii_lowercase());
        }
    }
    match text(headers, "cf-aig-skip-cache")?
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("false" | "0") => {}
        Some("true" | "1") => policy.mode = CacheMode::Bypass,
        Some(_) => {
            return Err(Error::invalid(
                "cf-aig-skip-cache",
                "`cf-aig-skip-cache` is `true` or `false`",
            ));
        }
    }
    if let Some(ttl) = text(headers, "cf-aig-cache-ttl")? {
        let seconds = ttl.parse().ok().filter(|seconds| *seconds <= MAX_TTL);
        let seconds = seconds.ok_or_else(|| {
            Error::invalid(
                "cf-aig-cache-ttl",
                format!("`cf-aig-cache-ttl` is a number of seconds up to {MAX_TTL}"),
            )
        })?;
        policy.ttl = Some(Duration::from_secs(seconds));
    }
    if let Some(key) = text(headers, "cf-aig-cache-key")? {
        if key.is_empty() || key.len() > MAX_KEY {
            let message = format!("`cf-aig-cache-key` has 1 to {MAX_KEY} bytes");
            return Err(Error::invalid("cf-aig-cache-key", message));
        }
        policy.key = Some(key.into());
    }
    policy.tags = tags(headers)?;
    Ok(policy)
}

/// Takes up one directive of `cache-control`.
fn direct(policy: &mut CachePolicy, directive: &str) {
    let (name, value) = directive
        .split_once('=')
        .map_or((directive, None), |(name, value)| {
            (name.trim_end(), Some(value.trim().trim_matches('"')))
        });
    // What is larger than fits is as good as the largest (RFC 9111 §1.2.2).
    let seconds = value.filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = seconds.map(|value| Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    match (name, seconds) {
        ("no-store", _) => policy.mode = CacheMode::Bypass,
        // What is kept is always older than nothing, also where the clock does not show it.
        ("no-cache", _) | ("max-age", Some(Duration::ZERO)) if policy.mode == CacheMode::Use => {
            policy.mode = CacheMode::Refresh;
        }
        ("only-if-cached", _) => policy.only_if_cached = true,
        ("max-age", Some(age)) => policy.max_age = Some(age),
        // Without a time, any age will do.
        ("max-stale", None) if value.is_none() => policy.max_stale = Some(Duration::MAX),
        ("max-stale", Some(time)) => policy.max_stale = Some(time),
        ("min-fresh", Some(time)) => policy.min_fresh = Some(time),
        ("stale-if-error", Some(time)) => policy.stale_if_error = Some(time),
        _ => {}
    }
}

/// The tags under which a client may have its answers purged: names with commas in between.
fn tags(headers: &HeaderMap) -> Result<Vec<Arc<str>>> {
    const NAME: &str = "x-edge-ai-cache-tags";
    let listed = text(headers, NAME)?.unwrap_or_default();
    let tags: Vec<Arc<str>> = listed
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .take(MAX_TAGS + 1)
        .map(Arc::from)
        .collect();
    if tags.len() > MAX_TAGS || tags.iter().any(|tag| tag.len() > MAX_TAG) {
        let message = format!("`{NAME}` has at most {MAX_TAGS} names of at most {MAX_TAG} bytes");
        return Err(Error::invalid(NAME, message));
    }
    Ok(tags)
}

/// A header's text.
fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().map(str::trim).map(Some);
    text.map_err(|_| Error::invalid(name, format!("`{name}` has only visible ASCII characters")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(headers: &[(&'static str, &str)]) -> Result<CachePolicy> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        cache_policy(&headers.collect())
    }

    fn directed(line: &str) -> CachePolicy {
        policy(&[("cache-control", line)]).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn modes_are_read() {
        assert_eq!(policy(&[]).unwrap(), CachePolicy::default());
        assert_eq!(directed("No-Cache, x=\"").mode, CacheMode::Refresh);
        assert_eq!(directed("no-store, no-cache").mode, CacheMode::Bypass);
        assert_eq!(directed("no-cache, no-store").mode, CacheMode::Bypass);
        assert!(directed("only-if-cached").only_if_cached);
        let skipping = policy(&[("cf-aig-skip-cache", "true")]).unwrap();
        assert_eq!(skipping.mode, CacheMode::Bypass);
    }

    #[test]
    fn times_are_read() {
        assert_eq!(directed("max-age=0").mode, CacheMode::Refresh);
        assert_eq!(directed("Max-Age = \"1\"").max_age, Some(SECOND));
        assert_eq!(directed("max-stale").max_stale, Some(Duration::MAX));
        assert_eq!(directed("max-stale=1").max_stale, Some(SECOND));
        assert_eq!(directed("min-fresh=1").min_fresh, Some(SECOND));
        assert_eq!(directed("stale-if-error=1").stale_if_error, Some(SECOND));
        let longest = directed("max-age=99999999999999999999999").max_age;
        assert_eq!(longest, Some(Duration::from_secs(u64::MAX)));
        assert_eq!(policy(&[("cf-aig-cache-ttl", "1")]).unwrap().ttl, Some(SECOND));
    }

    #[test]
    fn odd_directives_are_ignored() {
        for odd in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1s",
            "max-stale=x",
            "=",
            ",,",
            "x=\"a",
        ] {
            assert_eq!(directed(odd), CachePolicy::default(), "{odd}");
        }
    }

    #[test]
    fn several_lines_count_together() {
        let mut headers = HeaderMap::new();
        for line in ["max-age=1", "only-if-cached"] {
            headers.append("cache-control", line.parse().unwrap());
        }
        let wishes = cache_policy(&headers).unwrap();
        assert_eq!((wishes.max_age, wishes.only_if_cached), (Some(SECOND), true));
    }

    #[test]
    fn keys_and_tags_are_read() {
        let wishes = policy(&[
            ("cf-aig-cache-key", "faq-7"),
            ("x-edge-ai-cache-tags", "prices, ,eu"),
        ]);
        let wishes = wishes.unwrap();
        assert_eq!(wishes.key.as_deref(), Some("faq-7"));
        assert_eq!(wishes.tags, [Arc::from("prices"), Arc::from("eu")]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let many = "a,".repeat(MAX_TAGS + 1);
        let (long_tag, long_key) = ("x".repeat(MAX_TAG + 1), "x".repeat(MAX_KEY + 1));
        for (name, value) in [
            ("cf-aig-cache-ttl", "soon"),
            ("cf-aig-cache-ttl", "-1"),
            ("cf-aig-skip-cache", "perhaps"),
            ("cf-aig-cache-key", ""),
            ("cf-aig-cache-key", &long_key),
            ("x-edge-ai-cache-tags", &many),
            ("x-edge-ai-cache-tags", &long_tag),
            ("x-edge-ai-cache-tags", "é"),
        ] {
            assert_eq!(
                policy(&[(name, value)]).unwrap_err().param(),
                Some(name),
                "{value}"
            );
        }
    }
}
