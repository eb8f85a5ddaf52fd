use edge_ai_core::{Error, ErrorKind, Result};

/// The address of `path`, which may have a query, below a base URL whose path it may repeat.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] for a path that is not plainly below.
pub(super) fn below(base_url: &str, path: &str) -> Result<http::Uri> {
    let refused = || {
        let message = "the path has to be plain: it begins with one slash, and has no `.`, `..`, backslash or empty segment, also encoded";
        Error::new(ErrorKind::InvalidRequest, message).with_code("invalid_path")
    };
    let (bare, query) = path
        .split_once('?')
        .map_or((path, None), |(bare, query)| (bare, Some(query)));
    let rest = bare
        .strip_prefix('/')
        .filter(|_| is_below(bare))
        .ok_or_else(refused)?;
    let root = base_url.split_once("://").map_or("", |(_, rest)| rest);
    let root = root.split_once('/').map_or("", |(_, path)| path);
    let mut address = String::with_capacity(base_url.len() + path.len() + 1);
    address.push_str(base_url);
    let rest = beyond(root, rest);
    if !rest.is_empty() {
        address.push('/');
        address.push_str(rest);
    }
    if let Some(query) = query {
        address.push('?');
        address.push_str(query);
    }
    address.parse().map_err(|_| refused())
}

/// What of `path` is left after the most that `root` ends with and `path` begins with, segment by segment.
fn beyond<'a>(root: &str, path: &'a str) -> &'a str {
    let starts = std::iter::once(0).chain(root.match_indices('/').map(|(at, _)| at + 1));
    for start in starts.filter(|_| !root.is_empty()) {
        let tail = root.get(start..).unwrap_or_default();
        if let Some(rest) = path.strip_prefix(tail)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return rest.trim_start_matches('/');
        }
    }
    path
}

/// Whether no server on the way can take a path for one above or beside it.
fn is_below(path: &str) -> bool {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    let mut segments = path.trim_end_matches('/').split('/').skip(1);
    plain
        && segments.all(|segment| {
            let lower = segment.to_ascii_lowercase();
            let decoded = lower.replace("%2e", ".");
            !decoded.is_empty()
                && decoded != "."
                && decoded != ".."
                && !HIDDEN.iter().any(|hidden| decoded.contains(hidden))
        })
}

/// What could become another path when somebody decodes it. A slash may be part of a model's name, as in the ARN of an inference profile.
const HIDDEN: [&str; 8] = ["%5c", "%25", "%00", "%0a", "%0d", "%2f..", "..%2f", "%2f%2f"];

/// A base URL without the slash at its end.
pub(super) fn check_base_url<'a>(base_url: &'a str, setting: &str) -> Result<&'a str> {
    let wrong = |problem: &str| Error::new(ErrorKind::Configuration, format!("`{setting}` {problem}"));
    let base_url = base_url.trim().trim_end_matches('/');
    let uri: http::Uri = base_url
        .parse()
        .map_err(|error| wrong("is not a URL").with_source(error))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("must start with https:// or http://"));
    }
    if uri
        .authority()
        .is_none_or(|authority| authority.as_str().contains('@'))
    {
        return Err(wrong(
            "must not carry credentials; put the key into its own setting",
        ));
    }
    if uri.query().is_some() || base_url.contains('#') {
        return Err(wrong("must have neither a query nor a fragment"));
    }
    Ok(base_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_the_base_url_and_not_doubled() {
        for (base, path, address) in [
            ("https://a/v1", "/v1/files?limit=2", "https://a/v1/files?limit=2"),
            ("https://a/v1", "/files", "https://a/v1/files"),
            ("https://a/v1", "/v1", "https://a/v1"),
            ("https://a/v1", "/v1beta/x", "https://a/v1/v1beta/x"),
            ("https://a", "/v1/messages", "https://a/v1/messages"),
            ("https://a/openai/v1", "/openai/v1/x", "https://a/openai/v1/x"),
            ("https://a/openai/v1", "/v1/x", "https://a/openai/v1/x"),
            (
                "http://a:1/b/v1",
                "/v1/models/m:generate",
                "http://a:1/b/v1/models/m:generate",
            ),
        ] {
            assert_eq!(below(base, path).unwrap().to_string(), address, "{base} {path}");
        }
        for path in [
            "files",
            "//evil",
            "/a//b",
            "/..",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/./a",
            "/a\\b",
            "/a%5cb",
            "/a%252e",
            "/a%2f..%2fb",
            "/a#b",
            "http://evil/a",
            "@evil",
            "/a b",
            "",
        ] {
            assert!(below("https://a/v1", path).is_err(), "{path}");
        }
    }

    #[test]
    fn base_urls_are_checked() {
        assert_eq!(
            check_base_url(" https://api.example.com/v1/ ", "X").unwrap(),
            "https://api.example.com/v1"
        );
        for bad in [
            "",
            "api.example.com",
            "ftp://a/b",
            "https://user:pass@a/b",
            "https://a/b?key=1",
            "https://a/b#c",
            "/v1",
        ] {
            let error = check_base_url(bad, "OPENAI_BASE_URL").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains("OPENAI_BASE_URL"), "{error}");
        }
    }
}
