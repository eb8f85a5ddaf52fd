use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Background, Body, Clock, Error, ErrorKind, Result, Secret, check_public_url};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use serde_json::json;

use super::JobObjects;
use super::endpoint::{JobEndpoint, no_job};
use super::envelope::{pack, unpack};
use super::record::Record;
use super::serve::ask;
use super::shown::shown;
use super::state::{Job, Policy, Status};
use super::ticket::Ticket;
use super::watch::watch;
use super::webhook::{self, Hook};
use crate::access::Principal;
use crate::batches::{self, Batches, FileStore};
use crate::gateway::Gateway;
use crate::surface::{event_stream, json as json_response};

/// Long work: requests that are queued instead of awaited, on `Prefer: respond-async` or `x-edge-ai-async: true`.
///
/// The client gets 202 and `/v1/jobs/{id}` at once; somebody who gets the job's message, in a Worker the consumer of a queue, takes the request through
/// the same gateway, and the answer is kept for its owner.
///
/// ```
/// use std::time::Duration;
/// use edge_ai_core::ManualClock;
/// use edge_ai_gateway::{LocalJobs, LongWork};
///
/// let work = LongWork::new(LocalJobs::new(ManualClock::default()))
///     .max_attempts(3)
///     .keep_for(Duration::from_secs(3_600));
/// ```
pub struct LongWork {
    pub(crate) objects: Arc<dyn JobObjects>,
    pub(crate) policy: Policy,
    pub(super) max_run: Duration,
    pub(crate) max_answer: usize,
    batches: Option<Arc<dyn batches::Surface>>,
    webhooks: Option<(Secret, bool)>,
}

impl LongWork {
    /// The largest answer that is kept, 16 MiB.
    pub const MAX_ANSWER: usize = 16 << 20;

    /// How long an attempt may take, 13 minutes: a queue's consumer has
    /// [15](https://developers.cloudflare.com/queues/platform/limits/), and the end has to be told.
    pub const MAX_RUN: Duration = Duration::from_secs(13 * 60);

    /// Jobs in `objects`: four attempts, the second after 2 seconds and each next one after twice as long; a job that nobody has answered within
    /// a day fails, and what has ended is kept for a day.
    pub fn new(objects: impl JobObjects) -> Self {
        Self {
            objects: Arc::new(objects),
            policy: Policy {
                max_attempts: 4,
                lease_ms: 60_000,
                backoff_ms: 2_000,
                max_age_ms: 86_400_000,
                keep_ms: 86_400_000,
            },
            max_run: Self::MAX_RUN,
            max_answer: Self::MAX_ANSWER,
            batches: None,
            webhooks: None,
        }
    }

    /// Serves OpenAI's files and batches too, with files in `files`.
    #[must_use]
    pub fn batches(mut self, files: impl FileStore) -> Self {
        self.batches = Some(Arc::new(Batches::new(files)));
        self
    }

    /// Sets how often a job is tried, at least once: vendor's faults that may pass and attempts that were lost count.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.policy.max_attempts = attempts.max(1);
        self
    }

    /// Sets the wait after the first failure; each next one is twice as long, or as long as the vendor says.
    #[must_use]
    pub fn backoff(mut self, wait: Duration) -> Self {
        self.policy.backoff_ms = millis(wait);
        self
    }

    /// Sets how long an attempt may be silent until it counts as lost; at least 3 seconds. It gives three signs of life in that time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.policy.lease_ms = millis(lease).max(3_000);
        self
    }

    /// Sets how long a job may be without an answer.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.policy.max_age_ms = millis(age);
        self
    }

    /// Sets how long a job is kept after its end, its result and the reason of its failure among it.
    #[must_use]
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.policy.keep_ms = millis(time);
        self
    }

    /// Lets clients name a webhook. `secret` is what each tenant's signing key is made from; the objects need the same, in a Worker as the secret
    /// `WEBHOOK_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a secret of fewer than 32 characters.
    pub fn webhooks(mut self, secret: Secret) -> Result<Self> {
        if secret.expose().len() < 32 {
            let message =
                "`WEBHOOK_SECRET` has fewer than 32 characters; make one with `openssl rand -hex 32`";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        self.webhooks = Some((secret, false));
        Ok(self)
    }

    /// Allows webhooks at this machine, over `http` too: for development alone.
    #[must_use]
    pub fn allow_local_webhooks(mut self) -> Self {
        if let Some((_, local)) = &mut self.webhooks {
            *local = true;
        }
        self
    }

    /// The webhook that a request names.
    fn hook(&self, headers: &HeaderMap) -> Result<Option<Hook>> {
        let Some(url) = headers.get("x-edge-ai-webhook") else {
            return Ok(None);
        };
        let Some((_, local)) = &self.webhooks else {
            let message = "this gateway sends no webhooks: its operator has to set the secret WEBHOOK_SECRET";
            return Err(Error::invalid("x-edge-ai-webhook", message));
        };
        let url = url.to_str().unwrap_or_default().trim();
        check_public_url(url, *local).map_err(|error| error.with_param("x-edge-ai-webhook"))?;
        Ok(Some(Hook::new(url.to_owned())))
    }

    pub(super) async fn record(&self, what: &str, id: &str, tenant: Option<&str>) -> Result<(Record, Bytes)> {
        let response = self.objects.ask(id, ask(what, tenant, Bytes::new())?).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(no_job(id));
        }
        unpack(response.body())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for LongWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongWork")
            .field("objects", &self.objects)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A request that is to be queued.
pub(crate) struct Submission<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) body: &'a Bytes,
    pub(crate) model: &'a str,
    pub(crate) principal: &'a Principal,
    pub(crate) id: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) now_ms: u64,
}

/// Long work as the gateway sees it: one without it does not link it.
#[async_trait]
pub(crate) trait Surface: fmt::Debug + Send + Sync {
    /// Whether a path is its own.
    fn has(&self, path: &str) -> bool;

    /// Answers a request for one of its paths.
    async fn answer(
        &self,
        gateway: &Gateway,
        head: &Parts,
        body: Body,
        principal: &Principal,
    ) -> Result<Response<Body>>;

    /// Queues a request that has been checked.
    async fn submit(&self, submission: Submission<'_>) -> Result<Response<Body>>;

    /// Works on what a message names.
    async fn work(&self, gateway: &Gateway, message: &str, background: Arc<dyn Background>) -> Result<()>;
}

#[async_trait]
impl Surface for LongWork {
    fn has(&self, path: &str) -> bool {
        path.starts_with(JobEndpoint::PREFIX) || (self.batches.is_some() && batches::has(path))
    }

    async fn answer(
        &self,
        gateway: &Gateway,
        head: &Parts,
        body: Body,
        principal: &Principal,
    ) -> Result<Response<Body>> {
        if let Some(batches) = self.batches.as_ref().filter(|_| batches::has(head.uri.path())) {
            return batches.answer(self, gateway, head, body, principal).await;
        }
        let tenant = principal.tenant.as_deref();
        match JobEndpoint::at(&head.method, head.uri.path())? {
            JobEndpoint::WebhookSecret => {
                let Some((secret, _)) = &self.webhooks else {
                    let message =
                        "this gateway sends no webhooks: its operator has to set the secret WEBHOOK_SECRET";
                    return Err(Error::new(ErrorKind::NotFound, message).with_code("webhooks_off"));
                };
                let key = webhook::told_key(&webhook::tenant_key(secret, tenant));
                let mut response = json_response(StatusCode::OK, json!({ "secret": key }).to_string());
                let no_store = http::HeaderValue::from_static("no-store");
                response
                    .headers_mut()
                    .insert(http::header::CACHE_CONTROL, no_store);
                Ok(response)
            }
            JobEndpoint::Show(id) => {
                let (record, _) = self.record("show", id, tenant).await?;
                Ok(status(StatusCode::OK, &record))
            }
            JobEndpoint::Cancel(id) => {
                let (record, _) = self.record("cancel", id, tenant).await?;
                Ok(status(StatusCode::OK, &record))
            }
            JobEndpoint::Delete(id) => {
                // A worker on it is told by the cancellation that it is not wanted.
                self.record("cancel", id, tenant).await?;
                self.objects.ask(id, ask("forget", tenant, Bytes::new())?).await?;
                let gone = json!({ "id": id, "object": "job", "deleted": true });
                Ok(json_response(StatusCode::OK, gone.to_string()))
            }
            JobEndpoint::Answer(id) => {
                let (record, body) = self.record("answer", id, tenant).await?;
                kept_answer(&record, body)
            }
            JobEndpoint::Events(id) => {
                let (record, _) = self.record("show", id, tenant).await?;
                let clock: Arc<dyn Clock> = gateway.clock();
                let objects = Arc::clone(&self.objects);
                Ok(event_stream(watch(
                    objects,
                    clock,
                    record,
                    tenant.map(str::to_owned),
                )))
            }
        }
    }

    async fn submit(&self, submission: Submission<'_>) -> Result<Response<Body>> {
        let Submission {
            head,
            body,
            model,
            principal,
            id,
            address,
            now_ms,
        } = submission;
        let record = Record {
            hook: self.hook(&head.headers)?,
            ticket: Ticket::of(head, principal, address),
            model: model.to_owned(),
            policy: self.policy.clone(),
            job: Job::new(now_ms),
            answer: None,
            id,
        };
        let kept = self
            .objects
            .ask(&record.id, ask("submit", None, pack(&record, body)?)?)
            .await?;
        if !kept.status().is_success() {
            let message = "the request could not be queued; try again";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let mut response = status(StatusCode::ACCEPTED, &record);
        let headers = response.headers_mut();
        if let Ok(location) = format!("/v1/jobs/{}", record.id).parse() {
            headers.insert(http::header::LOCATION, location);
        }
        headers.insert(
            "preference-applied",
            http::HeaderValue::from_static("respond-async"),
        );
        headers.insert("retry-after", http::HeaderValue::from_static("1"));
        Ok(response)
    }

    async fn work(&self, gateway: &Gateway, message: &str, background: Arc<dyn Background>) -> Result<()> {
        match &self.batches {
            Some(batches) if message.starts_with("batch_") => {
                batches.work(self, gateway, message, background).await
            }
            _ => super::run::run(self, gateway, message, background).await,
        }
    }
}

fn status(status: StatusCode, record: &Record) -> Response<Body> {
    json_response(status, shown(record).to_string())
}

/// The answer as the client would have got it.
fn kept_answer(record: &Record, body: Bytes) -> Result<Response<Body>> {
    let id = &record.id;
    match (&record.answer, record.job.status) {
        (Some(answer), Status::Completed | Status::Failed) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
            let headers = response.headers_mut();
            for (name, value) in [
                ("content-type", &answer.content_type),
                ("x-edge-ai-request-id", &answer.request_id),
            ] {
                if let Ok(value) = value.parse() {
                    headers.insert(name, value);
                }
            }
            Ok(response)
        }
        (None, Status::Failed) => {
            let failure = record.job.failure.as_ref();
            let message = failure.map_or("it failed", |failure| failure.message.as_str());
            let message = format!("the job `{id}` has no result: {message}");
            Err(Error::new(ErrorKind::Unavailable, message)
                .with_retryable(false)
                .with_code("job_failed"))
        }
        (_, Status::Cancelled) => {
            let message = format!("the job `{id}` was cancelled");
            Err(Error::new(ErrorKind::InvalidRequest, message)
                .with_status(409)
                .with_code("job_cancelled"))
        }
        _ => {
            let message = format!("the job `{id}` has no result yet; GET /v1/jobs/{id} says how far it is");
            let error = Error::new(ErrorKind::InvalidRequest, message)
                .with_status(409)
                .with_code("job_not_finished");
            Err(error
                .with_retryable(true)
                .with_retry_after(Duration::from_secs(1)))
        }
    }
}
