use edge_ai_core::{Body, Error, JsonObject, Result};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Access, Asked, RagService, json};
use crate::index::not_found;
use crate::{Accepted, Document, DocumentId, Job, JobState, MediaType, Namespace};

/// How many documents a part of the list has unless the address says.
const PAGE: usize = 100;

/// What came of a change.
#[derive(Serialize)]
struct Shown<'a> {
    changed: bool,
    job: &'a Job,
}

/// What part of a bucket to compare.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncBody {
    bucket: String,
    #[serde(default)]
    prefix: String,
    cursor: Option<String>,
    #[serde(default = "whole")]
    limit: usize,
}

const fn whole() -> usize {
    1_000
}

impl<A: Access> RagService<A> {
    pub(super) async fn list(&self, asked: &Asked<'_>) -> Result<Response<Body>> {
        let limit = asked.parameters.number("limit")?.unwrap_or(PAGE);
        let page = self
            .index
            .list(&asked.namespace()?, asked.parameters.get("cursor"), limit)
            .await?;
        json(StatusCode::OK, &page)
    }

    pub(super) async fn put(&self, asked: &Asked<'_>, id: &DocumentId, body: Body) -> Result<Response<Body>> {
        let (namespace, wait) = (asked.namespace()?, asked.parameters.flag("wait")?);
        let headers = &asked.head.headers;
        let content_type = MediaType::parse(&text(headers, CONTENT_TYPE.as_str())?.ok_or_else(|| {
            Error::invalid(
                "content-type",
                "say what the body is, such as `text/markdown`, in `content-type`",
            )
        })?);
        let metadata = metadata(headers)?;
        let bytes = body.bytes(self.limits.document_bytes).await?;
        let mut document = Document::new(id.clone(), content_type, bytes);
        document.metadata = metadata;
        document.source = text(headers, "x-source")?;
        let accepted = self.index.put(&namespace, document).await?;
        self.accepted(&namespace, accepted, wait).await
    }

    pub(super) async fn get(&self, asked: &Asked<'_>, id: &DocumentId) -> Result<Response<Body>> {
        let document = self.index.get(&asked.namespace()?, id).await?;
        let document = document.ok_or_else(|| not_found("document", id.as_str()))?;
        json(StatusCode::OK, &document)
    }

    pub(super) async fn delete(&self, asked: &Asked<'_>, id: &DocumentId) -> Result<Response<Body>> {
        let (namespace, wait) = (asked.namespace()?, asked.parameters.flag("wait")?);
        let accepted = self.index.delete(&namespace, id).await?;
        self.accepted(&namespace, accepted, wait).await
    }

    pub(super) async fn batch(&self, asked: &Asked<'_>, body: Body) -> Result<Response<Body>> {
        let namespace = asked.namespace()?;
        let lines = body.bytes(self.limits.batch_bytes).await?;
        let outcomes = self.index.put_all(&namespace, &lines).await?;
        json(StatusCode::ACCEPTED, &serde_json::json!({"outcomes": outcomes}))
    }

    pub(super) async fn sync(&self, asked: &Asked<'_>, body: Body) -> Result<Response<Body>> {
        let namespace = asked.namespace()?;
        let what: SyncBody = self.read(body).await?;
        let cursor = what.cursor.as_deref();
        let synced = self
            .index
            .sync(&namespace, &what.bucket, &what.prefix, cursor, what.limit)
            .await?;
        json(StatusCode::ACCEPTED, &synced)
    }

    /// Tells of a change: at once, or once it is seen.
    async fn accepted(
        &self,
        namespace: &Namespace,
        accepted: Accepted,
        wait: bool,
    ) -> Result<Response<Body>> {
        let mut job = accepted.job;
        if wait && !job.state.is_final() {
            job = self.index.wait(namespace, &job.id, self.limits.wait).await?;
        }
        let status = match job.state {
            JobState::Searchable | JobState::Superseded => StatusCode::OK,
            JobState::Failed if wait => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::ACCEPTED,
        };
        let shown = Shown {
            changed: accepted.changed,
            job: &job,
        };
        let mut response = json(status, &shown)?;
        if let Ok(location) = HeaderValue::try_from(format!("/jobs/{}", job.id)) {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }
}

fn metadata(headers: &HeaderMap) -> Result<JsonObject> {
    let Some(given) = headers.get("x-metadata") else {
        return Ok(JsonObject::new());
    };
    // A header is bytes; JSON in it may be UTF-8.
    serde_json::from_slice(given.as_bytes()).map_err(|error| {
        Error::invalid("x-metadata", format!("`x-metadata` is a JSON object: {error}")).with_source(error)
    })
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Error::invalid(name, format!("the header `{name}` is not text"))),
    }
}
