//! The subprotocols that a client offers for its WebSocket. OpenAI's pages say with them what others say in headers.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Of a key or of an account: the gateway's own concern.
const OF_CLIENT: [&str; 3] = [
    "openai-insecure-api-key.",
    "openai-organization.",
    "openai-project.",
];

const OPENAI: &str = "realtime";
const OPENAI_BETA: &str = "openai-beta.realtime-v1";

/// The subprotocols that may be chosen among.
pub(super) fn offered(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|offered| !offered.is_empty() && !OF_CLIENT.iter().any(|prefix| offered.starts_with(prefix)))
        .collect()
}

/// Tells a vendor of them: a server of OpenAI's dialect by header, as a server is asked by servers, others as they are.
pub(super) fn tell(offered: &[&str], openai: bool, headers: &mut HeaderMap) {
    if openai {
        if offered.contains(&OPENAI_BETA) {
            let name = HeaderName::from_static("openai-beta");
            headers.insert(name, HeaderValue::from_static("realtime=v1"));
        }
    } else if let Ok(value) = HeaderValue::try_from(offered.join(", "))
        && !value.is_empty()
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
}

/// The one that is chosen where the vendor has chosen none: a client that has offered some gives up without.
pub(super) fn chosen(offered: &[&str]) -> Option<HeaderValue> {
    let chosen = offered
        .iter()
        .find(|offered| **offered == OPENAI)
        .or(offered.first())?;
    HeaderValue::try_from(*chosen).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(offered: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered))])
    }

    #[test]
    fn a_page_of_openais() {
        let headers = headers(
            "realtime, openai-insecure-api-key.secret, openai-beta.realtime-v1, openai-project.theirs",
        );
        let offered = offered(&headers);
        assert_eq!(offered, ["realtime", "openai-beta.realtime-v1"]);
        let mut told = HeaderMap::new();
        tell(&offered, true, &mut told);
        assert_eq!(told["openai-beta"], "realtime=v1");
        assert!(!told.contains_key(SEC_WEBSOCKET_PROTOCOL));
        assert_eq!(chosen(&offered).unwrap(), "realtime");
    }

    #[test]
    fn others() {
        let headers = headers("a,b");
        let offered = offered(&headers);
        let mut told = HeaderMap::new();
        tell(&offered, false, &mut told);
        assert_eq!(told[SEC_WEBSOCKET_PROTOCOL], "a, b");
        assert_eq!(chosen(&offered).unwrap(), "a");
        assert_eq!(chosen(&[]), None);
    }
}
