mod queued;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Background, Body, CachePurge, ChatModel, Clock, Context, Credentials, EmbeddingModel, Entropy, Error,
    ErrorKind, Inline, Operation, Reranker, Result, Timestamp,
};
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};

use crate::access::{Access, Presented, Principal};
use crate::admin::{self, Desk};
use crate::builder::GatewayBuilder;
use crate::jobs;
use crate::limit::{self, Asking, Gate, Holds, Stage};
use crate::pass;
use crate::patience::Patience;
use crate::route::{RouteTable, Router};
use crate::site::Site;
use crate::surface::{self, Bodies, Call, Client, Endpoint};
use crate::usage::{Books, Capture, Meter, Sampling};
use crate::vendor_keys::CredentialSource;

pub(crate) use queued::Queued;

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
    pub(crate) purge: Option<Arc<dyn CachePurge>>,
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

/// Where a request leads.
enum Place<'a> {
    Admin(&'a dyn admin::Surface),
    LongWork(&'a dyn jobs::Surface),
    Endpoint(Endpoint),
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
        let place = self.place(&head, told)?;
        if matches!(place, Place::Endpoint(Endpoint::Health)) {
            return Ok(surface::health());
        }
        let mut holds = Holds::new(context.clone());
        self.admit(&Asking::early(Stage::Address, &context), &mut holds, client, told)
            .await?;
        let presented =
            Presented::new(&head.headers, arrived, &caller.background).with_address(caller.address);
        let endpoint = match place {
            Place::Admin(admin) => {
                let desk = Desk {
                    presented,
                    clock: &*self.books.clock,
                    entropy: &*self.entropy,
                    table: self.router.table(),
                    purge: self.purge.as_deref(),
                    head: &head,
                };
                return admin.answer(desk, body).await;
            }
            Place::LongWork(work) => {
                let principal = self.access.principal(&presented).await?;
                return work.answer(self, &head, body, &principal).await;
            }
            Place::Endpoint(endpoint) => endpoint,
        };
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

    /// Who answers at a path.
    fn place(&self, head: &Parts, told: &mut HeaderMap) -> Result<Place<'_>> {
        let path = head.uri.path();
        if let Some(admin) = self.admin.as_deref().filter(|_| path.starts_with(admin::PREFIX)) {
            return Ok(Place::Admin(admin));
        }
        if let Some(work) = self.long_work.as_deref().filter(|work| work.has(path)) {
            return Ok(Place::LongWork(work));
        }
        let endpoint = Endpoint::at(path).or_else(|error| {
            let way = self
                .pass
                .as_ref()
                .and_then(|pass| pass.way(path, self.router.table()));
            way.map(Endpoint::Passed).ok_or(error)
        })?;
        endpoint.check(&head.method).inspect_err(|_| {
            told.insert(ALLOW, HeaderValue::from_static(endpoint.allow()));
        })?;
        Ok(Place::Endpoint(endpoint))
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
            Operation::Rerank if cfg!(feature = "rerank") => surface::rerank(call).await,
            _ => surface::chat(call).await,
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
