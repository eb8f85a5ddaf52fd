use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Background, Body, Error, ErrorKind, Operation, Result};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use http::request::Parts;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::FileStore;
use super::batch::{Asked, Batch};
use super::endpoint::BatchEndpoint;
use super::files::{self, Meta, folder, key, no_file};
use super::multipart::read_form;
use super::object::ask;
use super::run::run;
use super::shown::shown;
use crate::access::Principal;
use crate::gateway::Gateway;
use crate::jobs::LongWork;
use crate::jobs::endpoint::is_id;
use crate::jobs::envelope::unpack;
use crate::jobs::storage::write_json;
use crate::jobs::ticket::Who;
use crate::surface::json as json_response;

/// What batches need beside long work.
#[derive(Debug)]
pub(crate) struct Batches {
    pub(super) files: Arc<dyn FileStore>,
    pub(super) at_once: usize,
    pub(super) max_file: usize,
}

/// The largest input file, 24 MiB: it is held in a Worker's memory while it is read.
const MAX_FILE: usize = 24 << 20;

/// How long a batch has.
const WINDOW_MS: u64 = 86_400_000;

/// What a batch's requests may ask for.
const ENDPOINTS: [&str; 3] = ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"];

impl Batches {
    pub(crate) fn new(files: impl FileStore) -> Self {
        Self {
            files: Arc::new(files),
            at_once: 6,
            max_file: MAX_FILE,
        }
    }
}

/// What the requests of an endpoint do.
pub(super) fn operation(endpoint: &str) -> Operation {
    match endpoint {
        "/v1/embeddings" => Operation::Embeddings,
        _ => Operation::Chat,
    }
}

/// Whether a path is of files or batches.
pub(crate) fn has(path: &str) -> bool {
    BatchEndpoint::has(path)
}

/// Batches as long work sees them: one without them does not link them.
#[async_trait]
pub(crate) trait Surface: std::fmt::Debug + Send + Sync {
    /// Answers a request for files or batches.
    async fn answer(
        &self,
        work: &LongWork,
        gateway: &Gateway,
        head: &Parts,
        body: Body,
        principal: &Principal,
    ) -> Result<Response<Body>>;

    /// Works on a batch.
    async fn work(
        &self,
        work: &LongWork,
        gateway: &Gateway,
        id: &str,
        background: Arc<dyn Background>,
    ) -> Result<()>;
}

#[async_trait]
impl Surface for Batches {
    async fn answer(
        &self,
        work: &LongWork,
        gateway: &Gateway,
        head: &Parts,
        body: Body,
        principal: &Principal,
    ) -> Result<Response<Body>> {
        answer(work, self, gateway, head, body, principal).await
    }

    async fn work(
        &self,
        work: &LongWork,
        gateway: &Gateway,
        id: &str,
        background: Arc<dyn Background>,
    ) -> Result<()> {
        run(work, self, gateway, id, background).await
    }
}

async fn answer(
    work: &LongWork,
    batches: &Batches,
    gateway: &Gateway,
    head: &Parts,
    body: Body,
    principal: &Principal,
) -> Result<Response<Body>> {
    let desk = Desk {
        work,
        batches,
        gateway,
        principal,
        tenant: principal.tenant.as_deref(),
    };
    match BatchEndpoint::at(&head.method, head.uri.path())? {
        BatchEndpoint::Upload => desk.upload(head, body).await,
        BatchEndpoint::ListFiles => desk.list_files(head).await,
        BatchEndpoint::ShowFile(id) => desk.file(id).await.map(|file| ok(&files::shown(&file))),
        BatchEndpoint::Content(id) => desk.content(id).await,
        BatchEndpoint::DeleteFile(id) => {
            desk.file(id).await?;
            batches.files.delete(&key("files", desk.tenant, id)).await?;
            Ok(ok(&json!({ "id": id, "object": "file", "deleted": true })))
        }
        BatchEndpoint::Create => desk.create(body).await,
        BatchEndpoint::List => desk.list(head).await,
        BatchEndpoint::Show(id) => desk.batch("show", id).await.map(|batch| ok(&shown(&batch))),
        BatchEndpoint::Cancel(id) => desk.batch("cancel", id).await.map(|batch| ok(&shown(&batch))),
    }
}

struct Desk<'a> {
    work: &'a LongWork,
    batches: &'a Batches,
    gateway: &'a Gateway,
    principal: &'a Principal,
    tenant: Option<&'a str>,
}

#[derive(Deserialize)]
struct Wanted {
    input_file_id: Option<String>,
    endpoint: Option<String>,
    completion_window: Option<String>,
    metadata: Option<Map<String, Value>>,
}

impl Desk<'_> {
    fn now_ms(&self) -> u64 {
        self.gateway.clock().now().as_millis()
    }

    /// An identifier that nobody guesses, and that is before those of earlier ones: lists have the newest first.
    fn new_id(&self, prefix: &str) -> String {
        let chance = self.gateway.new_id("");
        let chance = chance.get(..20).unwrap_or_default();
        format!(
            "{prefix}{:012x}{chance}",
            0xffff_ffff_ffff_u64.saturating_sub(self.now_ms())
        )
    }

    async fn upload(&self, head: &Parts, body: Body) -> Result<Response<Body>> {
        let content_type = head.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let most = self.batches.max_file;
        // The form around the file is small.
        let whole = body
            .bytes(most + 4_096)
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::TooLarge => {
                    let message = format!("a file has at most {most} bytes; split it into several batches");
                    Error::new(ErrorKind::TooLarge, message).with_param("file")
                }
                _ => error,
            })?;
        let form = read_form(content_type, &whole)?;
        let purpose = form
            .purpose
            .ok_or_else(|| Error::invalid("purpose", "`purpose` is missing; it is `batch`"))?;
        if purpose != "batch" {
            let message = format!("files are kept for the purpose `batch`, not for `{purpose}`");
            return Err(Error::invalid("purpose", message));
        }
        let (filename, content) = form
            .file
            .ok_or_else(|| Error::invalid("file", "`file` is missing"))?;
        if content.is_empty() {
            return Err(Error::invalid("file", "the file is empty"));
        }
        let meta = Meta {
            filename,
            purpose,
            created_at: self.now_ms() / 1_000,
        };
        let meta = String::from_utf8_lossy(&write_json(&meta)?).into_owned();
        let key = key("files", self.tenant, &self.new_id("file-"));
        let bytes = self
            .batches
            .files
            .put(&key, &meta, stream::iter([Ok(content)]).boxed())
            .await?;
        Ok(ok(&files::shown(&super::StoredFile::new(key, meta, bytes))))
    }

    async fn file(&self, id: &str) -> Result<super::StoredFile> {
        if !is_id(id, "file-") {
            return Err(no_file(id));
        }
        let file = self.batches.files.head(&key("files", self.tenant, id)).await?;
        file.ok_or_else(|| no_file(id))
    }

    async fn content(&self, id: &str) -> Result<Response<Body>> {
        if !is_id(id, "file-") {
            return Err(no_file(id));
        }
        let file = self.batches.files.get(&key("files", self.tenant, id)).await?;
        let (_, body) = file.ok_or_else(|| no_file(id))?;
        let mut response = Response::new(body);
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/octet-stream"),
        );
        Ok(response)
    }

    async fn list_files(&self, head: &Parts) -> Result<Response<Body>> {
        let query = Query::of(head, 1_000)?;
        let purpose = query.purpose.clone();
        let (files, more) = self.page("files", &query).await?;
        let data: Vec<Value> = files
            .iter()
            .map(files::shown)
            .filter(|file| {
                purpose
                    .as_ref()
                    .is_none_or(|purpose| file["purpose"] == purpose.as_str())
            })
            .collect();
        Ok(ok(&list(data, more)))
    }

    async fn list(&self, head: &Parts) -> Result<Response<Body>> {
        let (kept, more) = self.page("batches", &Query::of(head, 100)?).await?;
        let ids = kept.iter().filter_map(|kept| kept.key.rsplit('/').next());
        let found = join_all(ids.map(|id| self.batch("show", id))).await;
        // Those whose time is over are forgotten.
        let batches = found.into_iter().filter(|found| !is_gone(found));
        let data = batches
            .map(|batch| Ok(shown(&batch?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(ok(&list(data, more)))
    }

    async fn page(&self, kind: &str, query: &Query) -> Result<(Vec<super::StoredFile>, bool)> {
        let folder = folder(kind, self.tenant);
        let after = query
            .after
            .as_ref()
            .map(|id| format!("{folder}{id}"))
            .unwrap_or_default();
        let mut found = self.batches.files.list(&folder, &after, query.limit + 1).await?;
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        Ok((found, more))
    }

    async fn create(&self, body: Body) -> Result<Response<Body>> {
        let body = body.bytes(64 << 10).await?;
        let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
            Error::invalid(
                "body",
                format!("the body is no JSON that describes a batch: {error}"),
            )
        })?;
        let missing = |name: &str| Error::invalid(name, format!("`{name}` is missing"));
        let endpoint = wanted.endpoint.ok_or_else(|| missing("endpoint"))?;
        if !ENDPOINTS.contains(&endpoint.as_str()) {
            let message = format!(
                "`{endpoint}` is no endpoint of batches; there is {}",
                ENDPOINTS.join(", ")
            );
            return Err(Error::invalid("endpoint", message));
        }
        if wanted
            .completion_window
            .ok_or_else(|| missing("completion_window"))?
            != "24h"
        {
            return Err(Error::invalid(
                "completion_window",
                "the completion window is `24h`",
            ));
        }
        check_metadata(wanted.metadata.as_ref())?;
        let input = wanted.input_file_id.ok_or_else(|| missing("input_file_id"))?;
        self.file(&input).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::invalid("input_file_id", error.message().to_owned()),
            _ => error,
        })?;
        let mut policy = self.work.policy.clone();
        policy.keep_ms = policy.keep_ms.max(30 * WINDOW_MS);
        let asked = Asked {
            id: self.new_id("batch_"),
            who: Who::from(self.principal),
            endpoint,
            input_file_id: input,
            metadata: wanted.metadata,
            policy,
            at_once: self.batches.at_once,
            window_ms: WINDOW_MS,
            file_ids: (self.new_id("file-"), self.new_id("file-")),
        };
        let batch = Batch::new(asked, self.now_ms());
        let kept = key("batches", self.tenant, &batch.id);
        self.batches
            .files
            .put(&kept, "", stream::iter([Ok(Bytes::from_static(b"{}"))]).boxed())
            .await?;
        let request = ask("submit", None, write_json(&batch)?.into())?;
        self.work.objects.ask(&batch.id, request).await?;
        Ok(ok(&shown(&batch)))
    }

    async fn batch(&self, what: &str, id: &str) -> Result<Batch> {
        let gone = || {
            let shown: String = id.chars().take(64).collect();
            let message =
                format!("there is no batch `{shown}`; it may be past its time, or belong to another key");
            Error::new(ErrorKind::NotFound, message).with_code("batch_not_found")
        };
        if !is_id(id, "batch_") {
            return Err(gone());
        }
        let response = self
            .work
            .objects
            .ask(id, ask(what, self.tenant, Bytes::new())?)
            .await?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(gone()),
            StatusCode::CONFLICT => {
                let (batch, _) = unpack::<Batch>(response.body())?;
                let status = serde_json::to_value(batch.status).unwrap_or_default();
                let message = format!(
                    "a batch that is {} cannot be cancelled",
                    status.as_str().unwrap_or_default()
                );
                Err(Error::new(ErrorKind::InvalidRequest, message)
                    .with_status(409)
                    .with_code("batch_not_cancellable"))
            }
            _ => Ok(unpack(response.body())?.0),
        }
    }
}

fn is_gone(found: &Result<Batch>) -> bool {
    found
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Up to 16 pairs of names of 64 and values of 512 characters, as OpenAI has it.
fn check_metadata(metadata: Option<&Map<String, Value>>) -> Result<()> {
    let Some(metadata) = metadata else { return Ok(()) };
    let fits = |(name, value): (&String, &Value)| {
        name.chars().count() <= 64 && value.as_str().is_some_and(|value| value.chars().count() <= 512)
    };
    if metadata.len() > 16 || !metadata.iter().all(fits) {
        let message = "`metadata` has at most 16 texts of 512 characters, under names of 64";
        return Err(Error::invalid("metadata", message));
    }
    Ok(())
}

/// What a list is asked for.
struct Query {
    after: Option<String>,
    limit: usize,
    purpose: Option<String>,
}

impl Query {
    fn of(head: &Parts, most: usize) -> Result<Self> {
        let mut query = Self {
            after: None,
            limit: most.min(20),
            purpose: None,
        };
        if most > 100 {
            query.limit = most - 1;
        }
        for pair in head.uri.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "after" if is_id(value, "file-") || is_id(value, "batch_") => {
                    query.after = Some(value.to_owned())
                }
                "after" => return Err(Error::invalid("after", "`after` is the id of the last one seen")),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=most).contains(limit));
                    let wrong = || Error::invalid("limit", format!("`limit` is a number from 1 to {most}"));
                    query.limit = limit.ok_or_else(wrong)?.min(999);
                }
                "purpose" => query.purpose = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(query)
    }
}

fn list(data: Vec<Value>, more: bool) -> Value {
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    json!({ "object": "list", "first_id": id(data.first()), "last_id": id(data.last()), "has_more": more, "data": data })
}

fn ok(value: &Value) -> Response<Body> {
    json_response(StatusCode::OK, value.to_string())
}
