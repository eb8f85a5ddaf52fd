use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, Handshake, HttpClient, Result, async_trait};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;
use worker::send::SendFuture;

use crate::body::{Closing, JsBody};
use crate::error::{Thrown, js_error};
use crate::exchange::Exchange;
use crate::response::forbids_body;
use crate::web_socket::JsWebSocket;
use crate::{bridge, head};

/// HTTP through the runtime's `fetch`.
///
/// The runtime decodes `gzip` and `br` bodies; their `content-encoding` and `content-length` are taken off the answer. WebSockets are
/// opened by `fetch` as well; each holds up to 16 MiB that nobody has read yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchClient;

#[async_trait]
impl HttpClient for FetchClient {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let (response, exchange) = fetch(&request).await?;
        answer(response, exchange, *request.method() == Method::HEAD)
    }

    async fn connect(&self, request: http::Request<()>) -> Result<Handshake> {
        let mut request = request.map(|()| Bytes::new());
        let websocket = HeaderValue::from_static("websocket");
        request.headers_mut().insert(header::UPGRADE, websocket);
        let (response, exchange) = fetch(&request).await?;
        match JsWebSocket::of(&response)? {
            None => answer(response, exchange, false).map(Handshake::Refused),
            Some(socket) => {
                exchange.finish();
                let (status, headers) = head(&response)?;
                let mut opened = http::Response::new(Box::new(socket) as _);
                *opened.status_mut() = status;
                *opened.headers_mut() = headers;
                Ok(Handshake::Open(opened))
            }
        }
    }
}

async fn fetch(request: &http::Request<Bytes>) -> Result<(Response, Exchange)> {
    let host = check(request)?;
    let url = request.uri().to_string();
    let text = head::write(&[request.method().as_str(), &url], request.headers());
    let body = Some(request.body()).filter(|body| !body.is_empty());
    let (exchange, signal) = Exchange::open()?;
    let response = bridge::send(&text, body.map(|body| &body[..]), &signal);
    let response = SendFuture::new(JsFuture::from(response))
        .await
        .map_err(|thrown| unreachable(&host, Thrown::of(&thrown)))?;
    Ok((response.unchecked_into(), exchange))
}

fn head(response: &Response) -> Result<(StatusCode, HeaderMap)> {
    let text = bridge::response_head(response).map_err(|thrown| js_error(ErrorKind::BadUpstream, &thrown))?;
    read(&bridge::text(text))
}

/// What `fetch` refuses, found before it is asked; the host otherwise.
fn check(request: &http::Request<Bytes>) -> Result<String> {
    let (uri, method) = (request.uri(), request.method());
    let host = match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => host.to_owned(),
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "the address is not an http or https URL",
            ));
        }
    };
    if matches!(*method, Method::GET | Method::HEAD) && !request.body().is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("a {method} request cannot have a body"),
        ));
    }
    Ok(host)
}

/// No answer from `host`. The runtime's words are left out where they may quote the address, whose query can hold a key.
fn unreachable(host: &str, thrown: Thrown) -> Error {
    // What the runtime refuses to send at all is a `TypeError`; what happened on the way is not.
    let (kind, what) = match thrown.name.as_str() {
        "TypeError" => (ErrorKind::InvalidRequest, "cannot be asked"),
        _ => (ErrorKind::Unavailable, "cannot be reached"),
    };
    let message = match thrown.message.contains("://") {
        true => format!("{host} {what}"),
        false => format!("{host} {what}: {}", thrown.message.trim_end_matches('.')),
    };
    Thrown { message, ..thrown }.into_error(kind)
}

/// The head of an answer, with its body still on JavaScript's side; one to `HEAD` has none, whatever it announces.
pub(crate) fn answer(response: Response, exchange: Exchange, to_head: bool) -> Result<http::Response<Body>> {
    let (status, mut headers) = head(&response)?;
    let body = if to_head || forbids_body(status) {
        exchange.finish();
        Body::empty()
    } else {
        let length = settle(&mut headers);
        Body::from_source(JsBody::new(
            JsValue::from(response),
            length,
            Closing::Abort(exchange),
        ))
    };
    let mut answer = http::Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

fn read(text: &str) -> Result<(StatusCode, HeaderMap)> {
    let mut lines = text.split('\n');
    let status = lines
        .next()
        .and_then(|status| status.parse().ok())
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| Error::new(ErrorKind::BadUpstream, "the answer has no HTTP status"))?;
    Ok((status, head::read_headers(lines)))
}

/// Takes off the headers that no longer hold for a body that the runtime decodes; returns the length that does hold.
fn settle(headers: &mut HeaderMap) -> Option<u64> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else {
        return length;
    };
    let is = |name: &str| encoding.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    if is("identity") {
        return length;
    }
    if is("gzip") || is("br") {
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn request(method: Method, uri: &str, body: &'static str) -> http::Request<Bytes> {
        http::Request::builder()
            .method(method)
            .uri(uri)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn refuses_what_fetch_would() {
        let kind = |request| check(&request).unwrap_err().kind();
        assert_eq!(
            kind(request(Method::GET, "ftp://example.com/", "")),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            kind(request(Method::GET, "/relative", "")),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            kind(request(Method::GET, "http://example.com/", "body")),
            ErrorKind::InvalidRequest
        );
        assert_eq!(
            check(&request(
                Method::POST,
                "https://u:p@example.com:8443/a?key=1",
                "x"
            ))
            .unwrap(),
            "example.com"
        );
    }

    #[test]
    fn a_failure_names_the_host_and_never_the_address() {
        let thrown = |name: &str, message: &str| Thrown {
            name: name.into(),
            code: None,
            retryable: Some(true),
            message: message.into(),
        };
        let error = unreachable("api.example.com", thrown("Error", "Network connection lost."));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.message(),
            "api.example.com cannot be reached: Network connection lost"
        );
        let error = unreachable(
            "api.example.com",
            thrown("TypeError", "Invalid URL: https://api.example.com/?key=s3cret"),
        );
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.message(), "api.example.com cannot be asked");
    }

    fn settled(headers: &[(&'static str, &'static str)]) -> (Option<u64>, usize) {
        let mut map: HeaderMap = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        (settle(&mut map), map.len())
    }

    #[test]
    fn a_length_holds_only_for_a_body_that_nothing_decodes() {
        assert_eq!(settled(&[("content-length", "12")]), (Some(12), 1));
        assert_eq!(
            settled(&[("content-length", "12"), ("content-encoding", "identity")]),
            (Some(12), 2)
        );
        assert_eq!(
            settled(&[("content-length", "12"), ("content-encoding", "gzip")]),
            (None, 0)
        );
        assert_eq!(
            settled(&[("content-length", "12"), ("content-encoding", "zstd")]),
            (None, 2)
        );
        assert_eq!(settled(&[("content-length", "-1")]), (None, 1));
        assert_eq!(settled(&[]), (None, 0));
    }

    proptest! {
        #[test]
        fn reading_a_head_never_panics(text in "\\PC{0,6}(\n\\PC{0,12}){0,7}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn reads_status_and_headers() {
        let (status, headers) = read("404\nset-cookie\na\nset-cookie\nb").unwrap();
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    }
}
