mod address;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Body, Context, Error, ErrorKind, Handshake, HttpClient, NativeApi, Result};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use address::{below, check_base_url};

/// The most bytes of a vendor's whole answer that are read: larger than any vendor sends, small beside a Worker's 128 MB.
const MAX_ANSWER: usize = 32 << 20;

/// The most bytes of an error's body that are read.
const MAX_ERROR: usize = 256 << 10;

/// Reads a vendor's error: status, headers, body.
pub(crate) type DecodeError = fn(u16, &HeaderMap, Bytes) -> Error;

/// Signs each request, for vendors that want more than a fixed header.
pub(crate) trait Sign: fmt::Debug + Send + Sync + 'static {
    /// Adds the headers that prove who sends the request, which is complete otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for credentials that no header can carry.
    fn sign(&self, request: &mut http::Request<Bytes>) -> Result<()>;
}

/// Talks to one vendor: knows its address and credentials, and how its errors read.
#[derive(Clone)]
pub(crate) struct VendorClient {
    http: Arc<dyn HttpClient>,
    provider: Arc<str>,
    base_url: Arc<str>,
    headers: HeaderMap,
    /// Where the key goes, and what stands before it there.
    key: Option<(HeaderName, &'static str)>,
    signer: Option<Arc<dyn Sign>>,
    decode_error: DecodeError,
}

impl VendorClient {
    /// A client of the API under `base_url`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an address that is not plain `http` or `https`, naming `setting`.
    pub(crate) fn new(
        http: Arc<dyn HttpClient>,
        provider: impl Into<Arc<str>>,
        base_url: &str,
        setting: &str,
        decode_error: DecodeError,
    ) -> Result<Self> {
        let base_url = check_base_url(base_url, setting)?.into();
        Ok(Self {
            http,
            provider: provider.into(),
            base_url,
            headers: HeaderMap::new(),
            key: None,
            signer: None,
            decode_error,
        })
    }

    /// Sends `value` with every request; it is kept out of `Debug`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a value that is no header value, naming the header and not the value.
    pub(crate) fn secret_header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let header = secret_value(value).ok_or_else(|| {
            let message = format!("the credential for `{name}` has characters that a header cannot carry");
            self.own(Error::new(ErrorKind::Configuration, message))
        })?;
        let prefix = if value.starts_with(BEARER) { BEARER } else { "" };
        self.key = Some((name.clone(), prefix));
        self.headers.insert(name, header);
        Ok(self)
    }

    /// Signs every request.
    pub(crate) fn signed(self, signer: Arc<dyn Sign>) -> Self {
        Self {
            signer: Some(signer),
            ..self
        }
    }

    /// Sends a fixed header with every request.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The client for a request: with the caller's own key where the request has one for this vendor, and telling the vendor of the
    /// request's trace and its name where the request says so.
    ///
    /// A key that no header can carry is left out, so that the vendor refuses it: the operator's never stands in for it.
    pub(crate) fn for_request(&self, context: &Context) -> Cow<'_, Self> {
        let own = context.credentials.get(&self.provider);
        let trace = context.told_trace();
        // What is signed says all that it says in its signature.
        let named = context
            .idempotency_key
            .as_deref()
            .filter(|_| self.signer.is_none());
        if own.is_none() && trace.is_none() && named.is_none() {
            return Cow::Borrowed(self);
        }
        let mut client = self.clone();
        if let Some(name) = named.and_then(|name| HeaderValue::try_from(name).ok()) {
            client
                .headers
                .insert(HeaderName::from_static("idempotency-key"), name);
        }
        // Who signs otherwise takes a key as a bearer token.
        let signed = client
            .signer
            .take_if(|_| own.is_some())
            .map(|_| (AUTHORIZATION, BEARER));
        if let (Some(own), Some((name, prefix))) = (own, signed.as_ref().or(self.key.as_ref())) {
            client.headers.remove(name);
            if let Some(value) = secret_value(&format!("{prefix}{}", own.secret.expose())) {
                client.headers.insert(name, value);
            }
        }
        if let Some(trace) = trace {
            let state = trace.state.as_deref().map(HeaderValue::try_from);
            for (name, value) in [
                ("traceparent", Some(HeaderValue::try_from(trace.traceparent()))),
                ("tracestate", state),
            ] {
                if let Some(Ok(value)) = value {
                    client.headers.insert(name, value);
                }
            }
        }
        Cow::Owned(client)
    }

    /// Whether requests carry a key.
    pub(crate) const fn takes_key(&self) -> bool {
        self.key.is_some() || self.signer.is_some()
    }

    /// The same at another address of the vendor.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn at(self, base_url: &str, setting: &str) -> Result<Self> {
        let base_url = check_base_url(base_url, setting)?.into();
        Ok(Self { base_url, ..self })
    }

    /// The vendor's name.
    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    /// Posts a body and reads the whole answer.
    ///
    /// # Errors
    /// The vendor's error, or the client's own; each names the provider.
    pub(crate) async fn post(&self, path: &str, body: Bytes) -> Result<Bytes> {
        let answer = self.exchange(path, body).await?;
        Ok(answer.into_body())
    }

    /// The same with the answer's head.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub(crate) async fn exchange(&self, path: &str, body: Bytes) -> Result<http::Response<Bytes>> {
        let answer = self.send(path, body, "application/json").await?;
        let (head, body) = answer.into_parts();
        let body = body.bytes(MAX_ANSWER).await.map_err(|error| {
            let error = if error.kind() == ErrorKind::TooLarge {
                Error::new(ErrorKind::BadUpstream, "the answer is too large").with_source(error)
            } else {
                error
            };
            self.own(error)
        })?;
        Ok(http::Response::from_parts(head, body))
    }

    /// Posts a body and gives the answer's body as it arrives.
    ///
    /// # Errors
    /// The vendor's error, or the client's own; an answer that is no event stream is [`ErrorKind::BadUpstream`].
    pub(crate) async fn post_stream(&self, path: &str, body: Bytes) -> Result<Body> {
        self.post_stream_of(path, body, "text/event-stream").await
    }

    /// The same for a stream of another media type.
    ///
    /// # Errors
    /// As [`post_stream`](Self::post_stream).
    pub(crate) async fn post_stream_of(&self, path: &str, body: Bytes, wanted: &'static str) -> Result<Body> {
        let answer = self.send(path, body, wanted).await?;
        let media_type = answer
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !media_type.to_ascii_lowercase().contains(wanted) {
            let message = format!("a stream was asked for, `{media_type}` came");
            return Err(self.own(Error::new(ErrorKind::BadUpstream, message)));
        }
        Ok(answer.into_body())
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        body: Bytes,
        accept: &'static str,
    ) -> Result<http::Response<Body>> {
        let mut request = http::Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}{path}", self.base_url).parse().map_err(|error| {
            self.own(Error::new(ErrorKind::Configuration, "the base URL gives no address").with_source(error))
        })?;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).map_err(|error| self.own(error))?;
        }
        let answer = self.http.send(request).await.map_err(|error| self.own(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = body.bytes(MAX_ERROR).await.unwrap_or_default();
        Err(self.own((self.decode_error)(head.status.as_u16(), &head.headers, body)))
    }

    fn own(&self, error: Error) -> Error {
        error.with_provider(&*self.provider)
    }

    /// The request as it goes out: at its address below the base URL, with our credentials in the place of others.
    fn addressed(&self, mut request: http::Request<Bytes>) -> Result<http::Request<Bytes>> {
        let asked = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = below(&self.base_url, asked).map_err(|error| self.own(error))?;
        let headers = request.headers_mut();
        for name in CREDENTIALS {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            let ours = value.is_sensitive() || OPERATORS.contains(&name.as_str());
            if ours || !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        if let Some(signer) = &self.signer {
            // It is signed whether it is there or not.
            let json = HeaderValue::from_static("application/json");
            headers.entry(CONTENT_TYPE).or_insert(json);
            signer.sign(&mut request).map_err(|error| self.own(error))?;
        }
        Ok(request)
    }
}

/// Where clients of vendors put their keys.
const CREDENTIALS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
];

/// Headers that say for whom the operator asks, and whose trace it is.
const OPERATORS: [&str; 4] = [
    "openai-organization",
    "openai-project",
    "traceparent",
    "tracestate",
];

#[async_trait::async_trait]
impl NativeApi for VendorClient {
    async fn send(&self, request: http::Request<Bytes>, context: &Context) -> Result<http::Response<Body>> {
        let client = self.for_request(context);
        let request = client.addressed(request)?;
        client.http.send(request).await.map_err(|error| self.own(error))
    }

    async fn connect(&self, request: http::Request<()>, context: &Context) -> Result<Handshake> {
        let client = self.for_request(context);
        let request = client.addressed(request.map(|()| Bytes::new()))?;
        let opened = client.http.connect(request.map(|_| ()));
        opened.await.map_err(|error| self.own(error))
    }

    fn failure(&self, status: u16, headers: &HeaderMap) -> Option<Error> {
        (status >= 400).then(|| self.own((self.decode_error)(status, headers, Bytes::new())))
    }
}

impl fmt::Debug for VendorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorClient")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// What stands before a bearer token.
pub(crate) const BEARER: &str = "Bearer ";

/// A header's value that is kept out of `Debug`.
fn secret_value(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nobody;

    #[async_trait::async_trait]
    impl HttpClient for Nobody {
        async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Body>> {
            Err(Error::new(ErrorKind::Unavailable, "nobody is there"))
        }
    }

    #[test]
    fn a_callers_own_key_goes_where_the_operators_went() {
        let client = |name: &'static str, value: &str| {
            let client = VendorClient::new(
                Arc::new(Nobody),
                "v",
                "https://a/b",
                "X",
                |_, _, _| unreachable!(),
            );
            client
                .unwrap()
                .secret_header(HeaderName::from_static(name), value)
                .unwrap()
        };
        let mut context = Context::default();
        context.credentials = edge_ai_core::Credentials::default()
            .with("v", edge_ai_core::Credential::new("acme/v/default", "own"))
            .with("other", edge_ai_core::Credential::new("acme/other/default", "no"));
        for (name, operators, own) in [
            ("authorization", "Bearer ours", "Bearer own"),
            ("x-api-key", "ours", "own"),
        ] {
            let client = client(name, operators);
            assert_eq!(client.for_request(&context).headers[name], own);
            assert_eq!(client.for_request(&Context::default()).headers[name], operators);
        }
        context.credentials = edge_ai_core::Credentials::default()
            .with("v", edge_ai_core::Credential::new("acme/v/default", "o\nwn"));
        let client = client("x-api-key", "ours");
        assert!(!client.for_request(&context).headers.contains_key("x-api-key"));
    }

    #[test]
    fn a_native_request_has_our_credentials_and_nobody_elses() {
        let client = VendorClient::new(
            Arc::new(Nobody),
            "v",
            "https://a/v1",
            "X",
            |_, _, _| unreachable!(),
        )
        .unwrap()
        .secret_header(HeaderName::from_static("x-api-key"), "ours")
        .unwrap()
        .header(HeaderName::from_static("version"), HeaderValue::from_static("1"))
        .header(
            HeaderName::from_static("openai-project"),
            HeaderValue::from_static("ours"),
        );
        let request = http::Request::put("/v1/x")
            .header("authorization", "Bearer theirs")
            .header("x-api-key", "theirs")
            .header("cookie", "theirs")
            .header("openai-project", "theirs")
            .header("version", "2")
            .body(Bytes::from_static(b"{ }"))
            .unwrap();
        let request = client.addressed(request).unwrap();
        assert_eq!((request.uri().path(), request.method()), ("/v1/x", &Method::PUT));
        let headers = request.headers();
        assert_eq!(
            (&headers["x-api-key"], &headers["openai-project"]),
            (&"ours".parse().unwrap(), &"ours".parse().unwrap())
        );
        assert_eq!(headers["version"], "2");
        assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"));
    }
}
