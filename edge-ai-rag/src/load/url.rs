use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{Bytes, Clock, Error, ErrorKind, HttpClient, Result, check_public_url, timeout};
use http::{Request, Response, StatusCode, header};

use super::location::resolve;
use crate::{Document, DocumentId, Limits, MediaType};

/// Fetches documents from the public web: over `https`, from public hosts alone, within bounds; each redirect is checked as the address itself is.
///
/// ```
/// use std::sync::Arc;
/// use edge_ai_core::ManualClock;
/// use edge_ai_rag::{DocumentId, UrlLoader};
/// use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
///
/// # futures_executor::block_on(async {
/// let web = ScriptedHttpClient::new().respond(ScriptedResponse::new(200).body("# Tea").header("content-type", "text/markdown"));
/// let loader = UrlLoader::new(Arc::new(web), Arc::new(ManualClock::default()));
/// let document = loader.load(DocumentId::new("tea")?, "https://example.com/tea.md").await?;
/// assert_eq!(document.content_type.essence(), "text/markdown");
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct UrlLoader {
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    redirects: usize,
    patience: Duration,
    local: bool,
}

impl UrlLoader {
    /// Over a client, with the usual [`Limits`], five redirects, and 30 seconds for everything.
    pub fn new(client: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            limits: Limits::default(),
            redirects: 5,
            patience: Duration::from_secs(30),
            local: false,
        }
    }

    /// Takes bodies of up to [`Limits::max_bytes`].
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Follows at most so many redirects.
    #[must_use]
    pub const fn redirects(mut self, most: usize) -> Self {
        self.redirects = most;
        self
    }

    /// Waits at most so long, for redirects and body together.
    #[must_use]
    pub const fn timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Also takes `http` and this machine: for development.
    #[must_use]
    pub const fn allow_local(mut self) -> Self {
        self.local = true;
        self
    }

    /// The document at an address; its [source](Document::source) is where it was in the end.
    ///
    /// # Errors
    /// For `url`: [`ErrorKind::InvalidRequest`] when it, or one that it redirects to, is not of a public host;
    /// [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`], [`ErrorKind::RateLimited`] and [`ErrorKind::Unavailable`] as the server says;
    /// [`ErrorKind::TooLarge`] and [`ErrorKind::Timeout`] past the bounds; the client's own errors.
    pub async fn load(&self, id: DocumentId, url: &str) -> Result<Document> {
        let loading = timeout(&*self.clock, self.patience, self.fetch(id, url));
        loading.await.map_err(|error| error.with_param("url"))
    }

    async fn fetch(&self, id: DocumentId, url: &str) -> Result<Document> {
        let mut address = url.to_owned();
        for _ in 0..=self.redirects {
            check_public_url(&address, self.local).map_err(|error| match address == url {
                true => error,
                false => error.with_context(format!("it redirects to {address}")),
            })?;
            let request = Request::get(&address)
                .header(header::USER_AGENT, "edge-ai-rag")
                .header(header::ACCEPT, "text/markdown, text/html;q=0.9, */*;q=0.8")
                .body(Bytes::new())
                .map_err(|_| Error::new(ErrorKind::InvalidRequest, "the address is no URL"))?;
            let response = self.client.send(request).await?;
            match redirect(&response) {
                Some(location) => address = resolve(&address, location),
                None => return self.read(id, address, response).await,
            }
        }
        let message = format!("it redirects more than {} times", self.redirects);
        Err(Error::new(ErrorKind::InvalidRequest, message))
    }

    async fn read(
        &self,
        id: DocumentId,
        address: String,
        response: Response<edge_ai_core::Body>,
    ) -> Result<Document> {
        if !response.status().is_success() {
            return Err(refused(response.status()));
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map_or(MediaType::UNKNOWN, MediaType::parse);
        let body = response.into_body().bytes(self.limits.max_bytes).await?;
        Ok(Document::new(id, content_type, body).source(address))
    }
}

fn redirect<T>(response: &Response<T>) -> Option<&str> {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| response.headers().get(header::LOCATION)?.to_str().ok())
        .flatten()
}

fn refused(status: StatusCode) -> Error {
    let kind = match status.as_u16() {
        401 | 403 | 407 | 451 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        408 | 425 | 500.. => ErrorKind::Unavailable,
        _ => ErrorKind::InvalidRequest,
    };
    Error::new(kind, format!("the server answered {status}")).with_status(status.as_u16())
}

#[cfg(test)]
mod tests {
    use edge_ai_core::ManualClock;
    use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
    use futures_executor::block_on;

    use super::*;

    fn load(web: &ScriptedHttpClient, url: &str) -> Result<Document> {
        let loader = UrlLoader::new(Arc::new(web.clone()), Arc::new(ManualClock::default()));
        let loader = loader.limits(Limits::default().bytes(100)).redirects(2);
        block_on(loader.load(DocumentId::new("a").unwrap(), url))
    }

    fn redirects(status: u16, location: &str) -> ScriptedResponse {
        ScriptedResponse::new(status).header("location", location)
    }

    #[test]
    fn a_document_is_found_behind_redirects() {
        let web = ScriptedHttpClient::new()
            .respond(redirects(301, "/docs/"))
            .respond(redirects(307, "tea.html"))
            .respond(
                ScriptedResponse::new(200)
                    .body("<p>tea")
                    .header("content-type", "text/html; charset=utf-8"),
            );
        let document = load(&web, "https://example.com/").unwrap();
        assert_eq!(
            document.source.as_deref(),
            Some("https://example.com/docs/tea.html")
        );
        assert_eq!(document.content_type.to_string(), "text/html; charset=utf-8");
        assert_eq!(&document.body[..], b"<p>tea");
    }

    #[test]
    fn no_redirect_leads_into_a_private_network() {
        for location in [
            "http://example.com/",
            "https://169.254.169.254/",
            "//localhost/",
            "file:///etc/passwd",
            "https://[::1]/",
        ] {
            let web = ScriptedHttpClient::new().respond(redirects(302, location));
            let error = load(&web, "https://example.com/").unwrap_err();
            assert_eq!(
                (error.kind(), error.param()),
                (ErrorKind::InvalidRequest, Some("url")),
                "{location}"
            );
            assert_eq!(web.requests().len(), 1);
        }
        let web = ScriptedHttpClient::new();
        assert!(load(&web, "https://10.0.0.1/").is_err());
        assert!(web.requests().is_empty());
    }

    #[test]
    fn bounds_hold() {
        let web = ScriptedHttpClient::from_fn(|_| Ok(redirects(302, "/again")));
        let error = load(&web, "https://example.com/").unwrap_err();
        assert!(error.message().contains("more than 2 times"), "{error}");
        let web = ScriptedHttpClient::new().respond(ScriptedResponse::new(200).body("x".repeat(101)));
        assert_eq!(
            load(&web, "https://example.com/").unwrap_err().kind(),
            ErrorKind::TooLarge
        );
    }

    #[test]
    fn what_the_server_says_is_told() {
        for (status, kind) in [
            (404, ErrorKind::NotFound),
            (403, ErrorKind::PermissionDenied),
            (429, ErrorKind::RateLimited),
            (503, ErrorKind::Unavailable),
            (418, ErrorKind::InvalidRequest),
        ] {
            let web = ScriptedHttpClient::new().respond(ScriptedResponse::new(status));
            assert_eq!(load(&web, "https://example.com/").unwrap_err().kind(), kind);
        }
    }
}
