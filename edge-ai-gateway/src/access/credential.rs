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
    bearer
        .or_else(|| PLAIN.into_iter().find_map(value))
        .or_else(|| of_browser(headers))
}

/// The key among the subprotocols of a WebSocket: a page has no other place for it
/// ([OpenAI's guide](https://platform.openai.com/docs/guides/realtime-websocket)).
fn of_browser(headers: &HeaderMap) -> Option<&[u8]> {
    let offered = headers.get_all("sec-websocket-protocol").iter();
    offered
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .find_map(|protocol| protocol.trim_ascii().strip_prefix(b"openai-insecure-api-key."))
        .filter(|key| !key.is_empty())
}
