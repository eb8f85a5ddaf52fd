use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Background, Body, ChatModel, Clock, Context, Credentials, EmbeddingModel, Entropy, Error, ErrorKind,
    Inline, Operation, Reranker, Result, Timestamp,
};
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};

use crate::access::{Access, Presented, Principal};
use crate::admin::{self, Desk};
use crate::builder::GatewayBuilder;
use crate::jobs::{self, Progress, Submission};
use crate::limit::{self, Asking, Gate, Holds, Stage};
use crate::pass;
use crate::patience::Patience;
use crate::route::{RouteTable, Router};
use crate::site::Site;
use crate::surface::{self, Bodies, Call, Client, Endpoint};
use crate::usage::{Books, Capture, Meter, Sampling};
use crate::vendor_keys::CredentialSource;

/// An AI gateway: an HTTP surface over a stack of models.
///
/// A request goes through these steps, in this order:
///
/// | step | refuses with |
/// | --- | --- |
/// | find the endpoint | 404, 405 |
/// | [limits](crate::Limits) by client address | 429 |
/// | check the key, name the tenant | 401; 503 while that cannot be told |
/// | read the wishes in the headers | 400, 415 |
/// | limits by key and tenant | 429 |
/// | read the body | 413; 408; 503 while the isolate holds too much |
/// | open the usage record | |
/// | read the request in the client's dialect | 400 |
/// | check that the key may ask for the model | 403 |
/// | limits by model; reserve tokens and spend | 429 |
/// | ask the models: [layers](GatewayBuilder::layer) such as a cache, then the [`Router`] | the vendor's error, in the client's dialect |
/// | answer; close the usage record at the end of the answer | an error event, once a stream has begun |
///
/// What is refused before the record is opened is not recorded: it has cost nothing, and a flood of it must cost nothing either.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) router: Router,
    pub(crate) chat: Arc<dyn ChatModel>,
    pub(crate) embeddings: Arc<dyn EmbeddingModel>,
    pub(crate) access: Access,
    pub(crate) admin: Option<Arc<dyn admin::Surface>>,
    pub(crate) long_work: Option<Arc<dyn jobs::Surface>>,
    pub(crate) pass: Option<Arc<dyn pass::Surface>>,
    pub(crate) credentials: Option<Arc<dyn CredentialSource>>,
    pub(crate) gate: Option<Arc<dyn Gate>>,
    pub(crate) books: Arc<Books>,
    pub(crate) sites: Vec<Arc<dyn Site>>,
    pub(crate) sampling: Sampling,
    pub(crate) capture: Option<Arc<Capture>>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) max_body: usize,
    pub(crate) bodies: Bodies,
    pub(crate) keep_alive: Duration,
}

/// Who is at the other end of a connection, as the server that took it knows, and where work goes that the answer does not wait for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Caller {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Runs what comes after the answer, the usage records among it. A Worker gives the request's `waitUntil`.
    pub background: Arc<dyn Background>,
}

impl Caller {
    /// A caller at an unknown address.
    pub const fn new(background: Arc<dyn Background>) -> Self {
        Self {
            address: None,
            background,
        }
    }

    /// Sets [`address`](Self::address).
    #[must_use]
    pub fn with_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }
}

/// Somebody who is known, and how what it asks came.
struct Asker {
    client: Client,
    principal: Arc<Principal>,
    context: Context,
    holds: Holds,
    arrived: Timestamp,
    queued: Option<Queued>,
}

/// What is particular about a request that was queued.
pub(crate) struct Queued {
    /// For its record.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// Where it came from.
    pub(crate) address: Option<IpAddr>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) idempotency_key: String,
}

impl Gateway {
    /// Starts to put a gateway together.
    pub fn builder(clock: impl Clock, entropy: impl Entropy) -> GatewayBuilder {
        GatewayBuilder::new(clock, entropy)
    }

    /// The whole stack as a model: what the surface asks, and what an agent or a pipeline beside it may ask as well.
    pub fn chat_model(&self) -> Arc<dyn ChatModel> {
        Arc::clone(&self.chat)
    }

    /// The same for embeddings.
    pub fn embedding_model(&self) -> Arc<dyn EmbeddingModel> {
        Arc::clone(&self.embeddings)
    }

    /// Every name that requests may ask for.
    pub fn routes(&self) -> &RouteTable {
        self.router.table()
    }

    /// The router as a reranker.
    pub fn reranker(&self) -> Arc<dyn Reranker> {
        Arc::new(self.router.clone())
    }

    /// Answers a request. It always answers: what goes wrong is told in the client's dialect.
    pub async fn handle(&self, request: Request<Body>, caller: Caller) -> Response<Body> {
        if let Some(site) = self.sites.iter().find(|site| site.has(request.uri().path())) {
            return site.answer(request, &caller).await;
        }
        let arrived = self.books.clock.now();
        let id = self.new_request_id();
        let client = Client::at(request.uri().path());
        let mut told = HeaderMap::new();
        let outcome = self
            .answer(request, client, caller, &id, arrived, &mut told)
            .await;
        let mut response = outcome.unwrap_or_else(|error| surface::error_response(client, &error));
        let headers = response.headers_mut();
        headers.extend(told);
        if let Ok(id) = HeaderValue::try_from(id) {
            if client == Client::Anthropic {
                headers.insert("request-id", id.clone());
            }
            headers.insert("cf-aig-log-id", id.clone());
            headers.insert("x-request-id", id);
        }
        response
    }

    async fn answer(
        &self,
        request: Request<Body>,
        client: Client,
        caller: Caller,
        id: &str,
        arrived: Timestamp,
        told: &mut HeaderMap,
    ) -> Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let mut context = Context::default()
            .with_request_id(id)
            .with_background(Arc::clone(&caller.background));
        context.address = caller.address;
        let mut holds = Holds::new(context.clone());
        if let Some(admin) = &self.admin
            && head.uri.path().starts_with(admin::PREFIX)
        {
            self.admit(&Asking::early(Stage::Address, &context), &mut holds, client, told)
                .await?;
            let desk = Desk {
                presented: Presented::new(&head.headers, arrived, &caller.background)
                    .with_address(caller.address),
                clock: &*self.books.clock,
                entropy: &*self.entropy,
                table: self.router.table(),
                head: &head,
            };
            return admin.answer(desk, body).await;
        }
        if let Some(work) = self.long_work.as_ref().filter(|work| work.has(head.uri.path())) {
            self.admit(&Asking::early(Stage::Address, &context), &mut holds, client, told)
                .await?;
            let presented =
                Presented::new(&head.headers, arrived, &caller.background).with_address(caller.address);
            let principal = self.access.principal(&presented).await?;
            return work.answer(self, &head, body, &principal).await;
        }
        let path = head.uri.path();
        let passed = self
            .pass
            .as_ref()
            .and_then(|pass| pass.way(path, self.router.table()));
        let endpoint = match (Endpoint::at(path), passed) {
            (Err(_), Some(way)) => Endpoint::Passed(way),
            (found, _) => found?,
        };
        endpoint.check(&head.method).inspect_err(|_| {
            told.insert(ALLOW, HeaderValue::from_static(endpoint.allow()));
        })?;
        if matches!(endpoint, Endpoint::Health) {
            return Ok(surface::health());
        }
        self.admit(&Asking::early(Stage::Address, &context), &mut holds, client, told)
            .await?;
        let presented =
            Presented::new(&head.headers, arrived, &caller.background).with_address(caller.address);
        let principal = self.access.principal(&presented).await?;
        let asker = Asker {
            client,
            principal,
            context,
            holds,
            arrived,
            queued: None,
        };
        self.answer_to(asker, &head, endpoint, body, told).await
    }

    /// Answers somebody who is known.
    async fn answer_to(
        &self,
        asker: Asker,
        head: &Parts,
        endpoint: Endpoint,
        body: Body,
        told: &mut HeaderMap,
    ) -> Result<Response<Body>> {
        let Asker {
            client,
            principal,
            mut context,
            mut holds,
            arrived,
            queued,
        } = asker;
        context.cache = surface::cache_policy(&head.headers)?;
        context.tenant.clone_from(&principal.tenant);
        context.key.clone_from(&principal.key);
        context.limits = Arc::clone(&principal.limits);
        context.retry = surface::retry_wishes(&head.headers)?;
        context.headers = surface::routing_headers(&head.headers, self.router.table().header_names())?;
        context.metadata = surface::metadata(&head.headers)?;
        // What the operator says of a key is not the client's to change.
        context.metadata.extend(principal.metadata.clone());
        let collects = surface::collects(&head.headers)?;
        let trace = surface::span(&head.headers, &*self.entropy, self.sampling);
        if let Ok(trace) = HeaderValue::try_from(trace.traceparent()) {
            told.insert("traceresponse", trace);
        }
        context.trace = Some(trace);
        match &queued {
            None => {
                self.admit(&Asking::early(Stage::Caller, &context), &mut holds, client, told)
                    .await?;
            }
            // It was counted when it came.
            Some(queued) => {
                let labels = queued.labels.iter();
                context
                    .metadata
                    .extend(labels.map(|(name, value)| ((*name).to_owned(), value.clone())));
                context.idempotency_key = Some(queued.idempotency_key.as_str().into());
            }
        }
        let operation = match &endpoint {
            Endpoint::Health => return Ok(surface::health()),
            Endpoint::Models => return Ok(surface::models(&self.router, &principal)),
            Endpoint::Model(model) => return surface::model(&self.router, &principal, model),
            Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::Messages | Endpoint::CountTokens => {
                Operation::Chat
            }
            Endpoint::Embeddings => Operation::Embeddings,
            Endpoint::Rerank => Operation::Rerank,
            Endpoint::Passed(way) => way.operation(),
        };
        context.credentials = self.credentials_of(&principal, &head.headers, arrived).await?;
        let mut held = self
            .bodies
            .hold(surface::announced_length(&head.headers), self.max_body)?;
        let clock = &*self.books.clock;
        let json = !matches!(endpoint, Endpoint::Passed(_));
        let body = surface::read_body(clock, &head.headers, body, self.max_body, &mut held, json).await?;
        if endpoint == Endpoint::CountTokens {
            return surface::count_tokens(self, client, &body, context, &principal).await;
        }
        if queued.is_none() && surface::wants_no_wait(&head.headers)? {
            holds.count_requests();
            return self
                .queue(context.address, client, operation, head, &body, &principal)
                .await;
        }
        let books = Arc::clone(&self.books);
        let background = context.background.clone().unwrap_or_else(|| Arc::new(Inline));
        let meter = Meter::start(books, background, context.clone(), operation, arrived);
        if let Some(queued) = queued {
            meter.watched_by(queued.progress);
        }
        let call = Call {
            gateway: self,
            client,
            body,
            context,
            principal,
            arrived,
            meter,
            collects,
            holds,
            told,
        };
        if let (Endpoint::Passed(way), Some(pass)) = (&endpoint, &self.pass) {
            return pass.answer(call, way, head).await;
        }
        match operation {
            Operation::Embeddings => surface::embeddings(call).await,
            Operation::Rerank => surface::rerank(call).await,
            _ => surface::chat(call).await,
        }
    }

    /// Queues a request, if it can be read and its model may be asked for.
    async fn queue(
        &self,
        address: Option<IpAddr>,
        client: Client,
        operation: Operation,
        head: &Parts,
        body: &bytes::Bytes,
        principal: &Principal,
    ) -> Result<Response<Body>> {
        let Some(work) = &self.long_work else {
            let message = "this gateway queues no requests: send it without `x-edge-ai-async`, or have its operator turn long work on";
            return Err(Error::invalid("x-edge-ai-async", message));
        };
        let model = self.check_request(client, operation, body, principal)?;
        let submission = Submission {
            head,
            body,
            model: &model,
            principal,
            id: self.new_id("job_"),
            address,
            now_ms: self.books.clock.now().as_millis(),
        };
        work.submit(submission).await
    }

    /// Whether a request reads, and may be made; the model that it asks for.
    ///
    /// # Errors
    /// What the request would be refused with before a model is asked.
    pub(crate) fn check_request(
        &self,
        client: Client,
        operation: Operation,
        body: &bytes::Bytes,
        principal: &Principal,
    ) -> Result<String> {
        let model = surface::asked_model(client, operation, body)?;
        self.permit(principal, &model)?;
        self.router.table().check(&model)?;
        Ok(model)
    }

    /// Answers a request that was queued, in the name of whoever sent it.
    pub(crate) async fn handle_queued(
        &self,
        head: Parts,
        body: bytes::Bytes,
        principal: Arc<Principal>,
        queued: Queued,
        background: Arc<dyn Background>,
    ) -> Response<Body> {
        let id = self.new_request_id();
        let client = Client::at(head.uri.path());
        let mut context = Context::default()
            .with_request_id(id.as_str())
            .with_background(background);
        context.address = queued.address;
        let asker = Asker {
            client,
            principal,
            holds: Holds::new(context.clone()),
            context,
            arrived: self.books.clock.now(),
            queued: Some(queued),
        };
        let mut told = HeaderMap::new();
        let outcome = match Endpoint::at(head.uri.path()) {
            Ok(endpoint) => {
                self.answer_to(asker, &head, endpoint, body.into(), &mut told)
                    .await
            }
            Err(error) => Err(error),
        };
        let mut response = outcome.unwrap_or_else(|error| surface::error_response(client, &error));
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }

    /// Works on what a message of the queue names: a request that was queued. A message that comes again, or late, does nothing.
    ///
    /// # Errors
    /// When what is queued cannot be reached: the message is to be delivered again.
    pub async fn work(&self, message: &str, background: Arc<dyn Background>) -> Result<()> {
        match &self.long_work {
            Some(work) => work.work(self, message, background).await,
            None => Err(Error::new(
                ErrorKind::Configuration,
                "this gateway has no long work",
            )),
        }
    }

    /// The caller's own keys for vendors, if somebody who can be trusted with it says whose they are.
    async fn credentials_of(
        &self,
        principal: &Principal,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Credentials> {
        match (&self.credentials, &principal.tenant) {
            (Some(source), Some(tenant)) if principal.verified => {
                let alias = headers.get("cf-aig-byok-alias").map(|alias| {
                    alias
                        .to_str()
                        .map_err(|_| Error::invalid("cf-aig-byok-alias", "an alias is of ASCII characters"))
                });
                source.credentials(tenant, alias.transpose()?, now).await
            }
            _ => Ok(Credentials::default()),
        }
    }

    /// Refuses a model that the caller may not ask for.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] that names the model, and what may be asked for.
    pub(crate) fn permit(&self, principal: &Principal, model: &str) -> Result<()> {
        if self.router.table().permits(&principal.models, model) {
            return Ok(());
        }
        let shown: String = model.chars().take(128).collect();
        let key = principal.key.as_deref().unwrap_or("of the caller");
        let message = format!(
            "the key `{key}` may not ask for the model `{shown}`; it may ask for {} (GET /v1/models lists them), or have it allowed by \
             whoever runs the gateway",
            principal.models.describe()
        );
        Err(Error::new(ErrorKind::PermissionDenied, message)
            .with_param("model")
            .with_code("model_not_allowed"))
    }

    /// Holds a request to the limits of a stage, and tells where it stands.
    pub(crate) async fn admit(
        &self,
        asking: &Asking<'_>,
        holds: &mut Holds,
        client: Client,
        told: &mut HeaderMap,
    ) -> Result<()> {
        let Some(gate) = &self.gate else { return Ok(()) };
        let outcome = gate.admit(asking, holds).await;
        limit::write(holds, client, self.books.clock.now(), told);
        outcome
    }

    /// How long a stream may be silent until it is kept alive.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(Arc::clone(&self.books.clock), self.keep_alive)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.books.clock)
    }

    fn new_request_id(&self) -> String {
        self.new_id("req_")
    }

    /// An identifier that nobody guesses.
    pub(crate) fn new_id(&self, prefix: &str) -> String {
        format!(
            "{prefix}{:016x}{:016x}",
            self.entropy.next_u64(),
            self.entropy.next_u64()
        )
    }
}
