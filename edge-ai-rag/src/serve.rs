//! Documents and questions over HTTP.

mod access;
mod answer;
mod documents;
mod failure;
mod filter;
mod jobs;
mod path;
mod query;

use std::time::Duration;

use edge_ai_core::{Body, Bytes, Error, ErrorKind, Result};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::path::{Parameters, Route};
use crate::{Index, Namespace, RagModel};

pub use access::{Access, AccessTokens, OpenAccess};

/// Documents and questions over HTTP, anywhere: in a Worker's `fetch`, in axum, in a test.
///
/// | method and path | does |
/// | --- | --- |
/// | `PUT /documents/{id}` | takes the body up as a document; `content-type` says its format, `x-metadata` is a JSON object, `x-source` where it came from. 202 with the job, or with `?wait=true` 200 once searches see it |
/// | `GET /documents/{id}` | what is known of a document |
/// | `DELETE /documents/{id}` | removes it and all that came of it; 202, `?wait=true` as above |
/// | `GET /documents?cursor=&limit=` | the documents by name |
/// | `POST /documents/batch` | `{"id", "text", "metadata"}` a line; an outcome for each line |
/// | `POST /sync` | `{"bucket", "prefix", "cursor", "limit"}`: compares a part of a bucket with the index |
/// | `GET /jobs/{id}` | how far a job is; as events with `accept: text/event-stream` |
/// | `POST /jobs/{id}/retry` | does once more what a failed job was to do |
/// | `POST /query` | `{"query", "top_k", "mode", "rerank", "filter", "namespace"}`: the chunks, best first |
/// | `POST /answer` | the same fields, with `"stream": true` for events: an answer with sources and citations |
///
/// A namespace is chosen by `?namespace=` (in the body for the questions), and is always the tenant's own: [`Access`] says whose request it is. Errors are
/// `{"error": {"type", "message", "param"}}`.
#[derive(Clone, Debug)]
pub struct RagService<A> {
    index: Index,
    model: RagModel,
    access: A,
    limits: ServiceLimits,
}

/// What a [`RagService`] takes and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceLimits {
    /// The longest document, in bytes; 16 MiB unless set. It is in memory as a whole while it is taken up.
    pub document_bytes: usize,
    /// The longest batch, in bytes; 8 MiB unless set.
    pub batch_bytes: usize,
    /// The longest question with all around it, in bytes; 256 KiB unless set.
    pub question_bytes: usize,
    /// How long `?wait=true` waits for searches to see a document; 25 seconds unless set. After that the answer is 202 with the job.
    pub wait: Duration,
    /// How long a job is watched by one request; 5 minutes unless set.
    pub watch: Duration,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            document_bytes: 16 << 20,
            batch_bytes: 8 << 20,
            question_bytes: 256 << 10,
            wait: Duration::from_secs(25),
            watch: Duration::from_secs(300),
        }
    }
}

impl<A: Access> RagService<A> {
    /// A service over an index and the model that answers from it, for those whom `access` lets in.
    pub fn new(index: Index, model: RagModel, access: A) -> Self {
        Self {
            index,
            model,
            access,
            limits: ServiceLimits::default(),
        }
    }

    /// Sets what is taken.
    #[must_use]
    pub fn limits(mut self, limits: ServiceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether a path is one of the service's; whoever serves more beside it asks first.
    pub fn knows(path: &str) -> bool {
        !matches!(Route::of(path), Ok(None))
    }

    /// Answers a request; what goes wrong is an answer, too.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        self.answer_to(&head, body)
            .await
            .unwrap_or_else(|error| failure::response(&error))
    }

    async fn answer_to(&self, head: &Parts, body: Body) -> Result<Response<Body>> {
        let Some(route) = Route::of(head.uri.path())? else {
            let message = format!("there is nothing at {}", head.uri.path());
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let tenant = self.access.tenant(head).await?;
        let asked = Asked {
            head,
            parameters: Parameters::of(head.uri.query())?,
            tenant: tenant.as_deref(),
        };
        let method = head.method.as_str();
        match (method, &route) {
            ("GET", Route::Documents) => self.list(&asked).await,
            ("PUT", Route::Document(id)) => self.put(&asked, id, body).await,
            ("GET", Route::Document(id)) => self.get(&asked, id).await,
            ("DELETE", Route::Document(id)) => self.delete(&asked, id).await,
            ("POST", Route::Batch) => self.batch(&asked, body).await,
            ("POST", Route::Sync) => self.sync(&asked, body).await,
            ("GET", Route::Job(id)) => self.job(&asked, id).await,
            ("POST", Route::Retry(id)) => self.retry(&asked, id).await,
            ("POST", Route::Query) => self.query(&asked, body).await,
            ("POST", Route::Answer) => self.answer(&asked, body).await,
            _ => Ok(not_allowed(method, &route)),
        }
    }

    async fn read<T: DeserializeOwned>(&self, body: Body) -> Result<T> {
        let bytes = body.bytes(self.limits.question_bytes).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::invalid("body", format!("the body does not fit: {error}")).with_source(error)
        })
    }
}

/// A request that was let in.
struct Asked<'a> {
    head: &'a Parts,
    parameters: Parameters,
    tenant: Option<&'a str>,
}

impl Asked<'_> {
    /// The tenant's namespace, by the name in the address.
    fn namespace(&self) -> Result<Namespace> {
        self.namespace_named(self.parameters.get("namespace"))
    }

    /// The tenant's namespace of a name.
    fn namespace_named(&self, name: Option<&str>) -> Result<Namespace> {
        if name.is_some_and(|name| name.is_empty() || name.len() > 256) {
            return Err(Error::invalid(
                "namespace",
                "a namespace's name has 1 to 256 bytes",
            ));
        }
        Ok(Namespace::of(self.tenant, name))
    }

    fn wants_events(&self) -> bool {
        let accept = self.head.headers.get(http::header::ACCEPT);
        accept.is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"))
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Result<Response<Body>> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Error::new(ErrorKind::Internal, "an answer cannot be written").with_source(error))?;
    Ok(json_bytes(status, body))
}

fn json_bytes(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A stream of events.
fn events(stream: impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static) -> Response<Body> {
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event with a name and a JSON value.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn not_allowed(method: &str, route: &Route) -> Response<Body> {
    let allowed = route.methods();
    let message = format!("{method} is not for this address: {allowed} is");
    let mut response = failure::shown(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        &message,
        None,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
