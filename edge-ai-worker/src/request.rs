use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::{HeaderMap, Method, Uri, header};
use wasm_bindgen::JsValue;
use web_sys::Request;

use crate::body::{Closing, JsBody};
use crate::error::js_error;
use crate::{bridge, head};

/// A request that the Worker got, with its full URL; the body stays with the runtime until somebody asks for it.
///
/// A `worker::Request` gives its own by `inner()`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] when the method or the URL is none that HTTP allows. Headers that HTTP does not allow
/// are left out.
pub fn request_from_js(request: &Request) -> Result<http::Request<Body>> {
    let text =
        bridge::request_head(request).map_err(|thrown| js_error(ErrorKind::InvalidRequest, &thrown))?;
    let (method, uri, headers) = read(&bridge::text(text))?;
    let length = length(&headers);
    let body = match method {
        Method::GET | Method::HEAD => Body::empty(),
        _ if length == Some(0) => Body::empty(),
        _ => Body::from_source(JsBody::new(JsValue::from(request), length, Closing::Leave)),
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

fn read(text: &str) -> Result<(Method, Uri, HeaderMap)> {
    let invalid = |what: &str| {
        Error::new(
            ErrorKind::InvalidRequest,
            format!("the request's {what} is not valid"),
        )
    };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let method = Method::from_bytes(line().as_bytes()).map_err(|_| invalid("method"))?;
    let uri = uri(line()).ok_or_else(|| invalid("URL"))?;
    Ok((method, uri, head::read_headers(lines)))
}

/// `http` allows fewer characters than the URL standard leaves unescaped: what it refuses is escaped.
fn uri(url: &str) -> Option<Uri> {
    // A fragment never goes over the wire, but a request made by a script can have one.
    let url = url.split('#').next().unwrap_or_default();
    url.parse().ok().or_else(|| {
        let mut escaped = String::with_capacity(url.len() + 16);
        for byte in url.bytes() {
            match byte {
                b'!' | b'#'..=b';' | b'=' | b'?'..=b'_' | b'a'..=b'z' | b'~'
                    if !matches!(byte, b'\\' | b'^') =>
                {
                    escaped.push(byte.into());
                }
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }
        }
        escaped.parse().ok()
    })
}

/// The length that the runtime holds the client to.
fn length(headers: &HeaderMap) -> Option<u64> {
    let encoded = headers.contains_key(header::CONTENT_ENCODING);
    headers
        .get(header::CONTENT_LENGTH)
        .filter(|_| !encoded)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_a_head() {
        let (method, uri, headers) =
            read("PROPFIND\nhttps://example.com:8443/a%20b?c=d#e\nx\ncaf\u{e9}\nbad name\nleft out").unwrap();
        assert_eq!(method.as_str(), "PROPFIND");
        assert_eq!(uri.to_string(), "https://example.com:8443/a%20b?c=d");
        assert_eq!(headers["x"].as_bytes(), "caf\u{e9}".as_bytes());
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn odd_urls_are_escaped_and_odd_methods_refused() {
        let (_, uri, _) = read("GET\nhttps://example.com/{a}|b?q=\"x\"^`\u{e9}[1]").unwrap();
        assert_eq!(uri.host(), Some("example.com"));
        assert!(uri.path().ends_with("b"));
        assert_eq!(
            read("G ET\nhttps://example.com/").unwrap_err().kind(),
            ErrorKind::InvalidRequest
        );
        assert_eq!(read("GET\n").unwrap_err().kind(), ErrorKind::InvalidRequest);
    }

    #[test]
    fn a_length_is_trusted_for_a_plain_body_only() {
        let headers = |text: &'static str| head::read_headers(text.split('\n'));
        assert_eq!(length(&headers("content-length\n7")), Some(7));
        assert_eq!(
            length(&headers("content-length\n7\ncontent-encoding\ngzip")),
            None
        );
        assert_eq!(length(&headers("content-length\nseven")), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,12}(\n\\PC{0,24}){0,7}") {
            let _ = read(&text);
        }

        #[test]
        fn any_path_and_query_is_taken(rest in "[^\u{0}-\u{20}#\u{7f}]{0,40}") {
            let url = format!("https://example.com/{rest}");
            prop_assert!(uri(&url).is_some());
        }
    }
}
