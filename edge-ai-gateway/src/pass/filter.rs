//! Which headers go on to a vendor, and which come back.

use http::{HeaderMap, HeaderName};

/// What belongs to one connection and not to the message
/// ([RFC 9110 §7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// What a client tells the gateway and nobody else: who it is, where it is, whose account it would use.
const CLIENTS: [&str; 22] = [
    "host",
    "authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-goog-user-project",
    "openai-organization",
    "openai-project",
    "forwarded",
    "via",
    "x-real-ip",
    "true-client-ip",
    "cdn-loop",
    "origin",
    "referer",
    "expect",
    "accept-encoding",
    "traceparent",
    "tracestate",
    "baggage",
    "x-amz-date",
];

/// The same by how they begin.
const CLIENTS_PREFIXES: [&str; 6] = [
    "cf-",
    "x-edge-ai-",
    "x-forwarded-",
    "sec-",
    "x-amz-security-",
    "x-amz-content-",
];

/// What a vendor tells of the operator's account, or of the way to the vendor.
const VENDORS: [&str; 17] = [
    "set-cookie",
    "set-cookie2",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "request-id",
    "x-request-id",
    "server",
    "via",
    "alt-svc",
    "strict-transport-security",
    "report-to",
    "nel",
    "date",
    "traceresponse",
    "x-goog-user-project",
    "www-authenticate",
];

/// The same by how they begin: an account's limits are shared by all who use the gateway.
const VENDORS_PREFIXES: [&str; 6] = [
    "cf-",
    "x-ratelimit-",
    "anthropic-ratelimit-",
    "x-edge-ai-",
    "access-control-",
    "x-amz-cf-",
];

/// The headers of a request as they go on to a vendor.
pub(super) fn to_vendor(headers: &HeaderMap) -> HeaderMap {
    kept(headers, &CLIENTS, &CLIENTS_PREFIXES)
}

/// The headers of a vendor's answer as they come back to a client.
pub(super) fn to_client(headers: &HeaderMap) -> HeaderMap {
    kept(headers, &VENDORS, &VENDORS_PREFIXES)
}

fn kept(headers: &HeaderMap, names: &[&str], prefixes: &[&str]) -> HeaderMap {
    // What a message says belongs to its connection does, whatever it is.
    let of_connection: Vec<HeaderName> = headers
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let goes = |name: &HeaderName| {
        let text = name.as_str();
        !HOP_BY_HOP.contains(&text)
            && !names.contains(&text)
            && !prefixes.iter().any(|prefix| text.starts_with(prefix))
            && !of_connection.contains(name)
    };
    headers
        .iter()
        .filter(|(name, _)| goes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .fold(HeaderMap::new(), |mut kept, (name, value)| {
            kept.append(name, value);
            kept
        })
}

/// A query without the parameters that carry a key: Google's clients may put it there.
pub(super) fn query(query: Option<&str>) -> Option<String> {
    let kept: Vec<&str> = query?
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
            !matches!(&*name, "key" | "api_key" | "api-key" | "access_token") && !name.starts_with("X-Amz-")
        })
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: HeaderMap) -> Vec<String> {
        let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    }

    fn headers(names: &[&'static str]) -> HeaderMap {
        names
            .iter()
            .map(|name| (HeaderName::from_static(name), "x".parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_vendor_does_not_learn_of_the_client() {
        let mut sent = headers(&[
            "authorization",
            "x-api-key",
            "cookie",
            "cf-connecting-ip",
            "x-forwarded-for",
            "cf-aig-metadata",
            "te",
            "host",
            "content-length",
            "openai-organization",
            "content-type",
            "anthropic-beta",
            "user-agent",
            "x-stainless-os",
            "x-private",
            "idempotency-key",
        ]);
        sent.insert("connection", "close, X-Private".parse().unwrap());
        assert_eq!(
            names(to_vendor(&sent)),
            [
                "anthropic-beta",
                "content-type",
                "idempotency-key",
                "user-agent",
                "x-stainless-os"
            ]
        );
    }

    #[test]
    fn a_client_does_not_learn_of_the_operator() {
        let sent = headers(&[
            "set-cookie",
            "openai-organization",
            "anthropic-organization-id",
            "x-ratelimit-limit-requests",
            "cf-ray",
            "transfer-encoding",
            "content-type",
            "retry-after",
            "openai-processing-ms",
            "x-should-retry",
        ]);
        assert_eq!(
            names(to_client(&sent)),
            [
                "content-type",
                "openai-processing-ms",
                "retry-after",
                "x-should-retry"
            ]
        );
    }

    #[test]
    fn repeated_headers_are_repeated() {
        let mut sent = HeaderMap::new();
        sent.append("link", "a".parse().unwrap());
        sent.append("link", "b".parse().unwrap());
        assert_eq!(to_client(&sent).get_all("link").iter().count(), 2);
    }

    #[test]
    fn keys_are_taken_out_of_a_query() {
        assert_eq!(
            query(Some("alt=sse&key=secret&k%65y=secret")).as_deref(),
            Some("alt=sse")
        );
        assert_eq!(query(Some("key=secret")), None);
        assert_eq!(query(None), None);
    }
}
