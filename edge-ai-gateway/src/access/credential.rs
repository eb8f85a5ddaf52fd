use http::HeaderMap;

/// Where the vendors' clients put a key alone.
const PLAIN: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];

/// What a client sends to say who it is.
pub(super) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = |name: &str| {
        let value = headers.get(name)?.as_bytes().trim_ascii();
        (!value.is_empty()).then_some(value)
    };
    let bearer = value("authorization").and_then(|value| {
        let (scheme, token) = value.split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| token.trim_ascii())
            .filter(|token| !token.is_empty())
    });
    bearer.or_else(|| PLAIN.into_iter().find_map(value))
}
