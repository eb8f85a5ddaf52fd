use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{CachePurge, ChatModel, Clock, EmbeddingModel, Entropy, Provider, Result, UsageSink};

use crate::access::{Access, Authenticator};
use crate::admin::{self, Admin};
use crate::gateway::Gateway;
use crate::jobs::{self, LongWork};
use crate::limit::{Gate, Limit, Limits};
use crate::pass::{self, PassThrough};
use crate::route::{PaceStore, RetryPolicy, Route, RouteTable, Router, Timeouts};
use crate::site::Site;
use crate::surface::Bodies;
use crate::usage::{Books, Capture, LogLine, PriceTable, Sampling};
use crate::vendor_keys::CredentialSource;

/// A decorator: takes a model and the names it answers to, gives one around it.
type Layer<M> = Box<dyn FnOnce(Arc<M>, &RouteTable) -> Arc<M>>;

/// Makes the limits when everything else is known to be right.
type Gating = Box<dyn FnOnce() -> Result<Arc<dyn Gate>>>;

/// Puts a [`Gateway`] together.
#[must_use = "a builder does nothing until `build`"]
pub struct GatewayBuilder {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    providers: Vec<Arc<dyn Provider>>,
    routes: Vec<(String, Route)>,
    optional_routes: Vec<(String, Route)>,
    layers: Vec<Layer<dyn ChatModel>>,
    embedding_layers: Vec<Layer<dyn EmbeddingModel>>,
    sinks: Vec<Arc<dyn UsageSink>>,
    log: Option<LogLine>,
    sites: Vec<Arc<dyn Site>>,
    sampling: Sampling,
    capture: Option<Arc<Capture>>,
    trace_to: Vec<Arc<str>>,
    prices: PriceTable,
    access: Access,
    admin: Option<Arc<dyn admin::Surface>>,
    long_work: Option<Arc<dyn jobs::Surface>>,
    pass: Option<Arc<dyn pass::Surface>>,
    purge: Option<Arc<dyn CachePurge>>,
    credentials: Option<Arc<dyn CredentialSource>>,
    gate: Option<Gating>,
    retry: RetryPolicy,
    timeouts: Timeouts,
    paces: Option<(Arc<dyn PaceStore>, Duration)>,
    max_body: usize,
    keep_alive: Duration,
    inherited: Option<Router>,
}

impl GatewayBuilder {
    /// The largest request body by default, 8 MiB: a few pictures fit, and a Worker's memory is not filled by one caller.
    /// All bodies that are under way together may take four times as much, and small ones a little more.
    pub const DEFAULT_MAX_BODY: usize = 8 << 20;

    /// How long a stream is silent by default until it is kept alive, 15 seconds: shorter than what proxies wait.
    pub const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(15);

    /// A gateway that lives by `clock` and `entropy`.
    pub fn new(clock: impl Clock, entropy: impl Entropy) -> Self {
        Self {
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            providers: Vec::new(),
            routes: Vec::new(),
            optional_routes: Vec::new(),
            layers: Vec::new(),
            embedding_layers: Vec::new(),
            sinks: Vec::new(),
            log: default_log(),
            sites: Vec::new(),
            sampling: Sampling::default(),
            capture: None,
            trace_to: Router::TOLD.into_iter().map(Arc::from).collect(),
            prices: PriceTable::default(),
            access: Access::default(),
            admin: None,
            long_work: None,
            pass: None,
            purge: None,
            credentials: None,
            gate: None,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            paces: None,
            max_body: Self::DEFAULT_MAX_BODY,
            keep_alive: Self::DEFAULT_KEEP_ALIVE,
            inherited: None,
        }
    }

    /// Adds a provider; its models are asked for as `name/model`.
    pub fn provider(mut self, provider: impl Provider) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// Adds a provider if there is one, as when its key is not configured.
    pub fn maybe_provider(self, provider: Option<impl Provider>) -> Self {
        match provider {
            Some(provider) => self.provider(provider),
            None => self,
        }
    }

    /// Gives a name to a model, or to a [choice](Route) among several.
    pub fn route(mut self, name: impl Into<String>, route: Route) -> Self {
        self.routes.push((name.into(), route));
        self
    }

    /// The same with those of its targets whose provider is there; without any, there is no such name.
    pub fn optional_route(mut self, name: impl Into<String>, route: Route) -> Self {
        self.optional_routes.push((name.into(), route));
        self
    }

    /// Puts a model around the router, such as a cache; a later one goes outside the earlier ones.
    pub fn layer(
        mut self,
        layer: impl FnOnce(Arc<dyn ChatModel>, &RouteTable) -> Arc<dyn ChatModel> + 'static,
    ) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The same for embeddings.
    pub fn embedding_layer(
        mut self,
        layer: impl FnOnce(Arc<dyn EmbeddingModel>, &RouteTable) -> Arc<dyn EmbeddingModel> + 'static,
    ) -> Self {
        self.embedding_layers.push(Box::new(layer));
        self
    }

    /// Adds a place where usage is recorded.
    pub fn usage(mut self, sink: impl UsageSink) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Sets where it is told that a record could not be kept; in a Worker, the console unless told.
    pub fn log(mut self, line: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.log = Some(Arc::new(line));
        self
    }

    /// Keeps what is asked and answered; nothing is kept unless told.
    pub fn capture(self, capture: Capture) -> Self {
        Self {
            capture: Some(Arc::new(capture)),
            ..self
        }
    }

    /// Answers paths beside the API: a dashboard, metrics.
    pub fn site(mut self, site: impl Site) -> Self {
        self.sites.push(Arc::new(site));
        self
    }

    /// Keeps a share from 0 to 1 of the traces that begin here; all unless told. A client that names its trace decides itself. The share
    /// concerns what is exported as traces, never the usage records.
    pub fn trace_ratio(self, ratio: f64) -> Self {
        Self {
            sampling: Sampling::ratio(ratio),
            ..self
        }
    }

    /// Sets which providers are told of a request's trace; [those](Router::TOLD) that are one's own unless told.
    pub fn trace_to<T: Into<Arc<str>>>(self, providers: impl IntoIterator<Item = T>) -> Self {
        Self {
            trace_to: providers.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Sets the prices; the [list prices](PriceTable::default) unless told.
    pub fn prices(self, prices: PriceTable) -> Self {
        Self { prices, ..self }
    }

    /// Adds a way in. With several, the first that knows a request's kind of credential answers; with none, everybody is let in.
    pub fn access(mut self, way: impl Authenticator) -> Self {
        self.access.add(Arc::new(way));
        self
    }

    /// Serves the API that operators manage keys by, under `/admin/`; there is none unless told.
    pub fn admin(self, admin: Admin) -> Self {
        Self {
            admin: Some(Arc::new(admin)),
            ..self
        }
    }

    /// Lets the [admin API](Self::admin) purge kept answers at `POST /admin/cache/purge`; it is told to `purge`, which the cache in the
    /// [layers](Self::layer) looks at. The facade `edge-ai` does so with its log of purges.
    pub fn cache_purge(self, purge: impl CachePurge) -> Self {
        Self {
            purge: Some(Arc::new(purge)),
            ..self
        }
    }

    /// Lets requests be queued instead of awaited; none are unless told.
    pub fn long_work(self, work: LongWork) -> Self {
        Self {
            long_work: Some(Arc::new(work)),
            ..self
        }
    }

    /// Passes on to vendors what has no words here, as it is; without this, their own APIs are not to be reached.
    pub fn pass_through(self, pass: PassThrough) -> Self {
        Self {
            pass: Some(Arc::new(pass)),
            ..self
        }
    }

    /// Asks vendors with the keys that tenants have brought, where they have; with the operator's unless told.
    pub fn vendor_keys(self, source: impl CredentialSource) -> Self {
        Self {
            credentials: Some(Arc::new(source)),
            ..self
        }
    }

    /// Limits requests by client address, in the isolate, in the place of other limits; no limit unless told. It is short for
    /// [`limits`](Self::limits) with [one rule](Limit::rule).
    pub fn rate_limit(self, limit: Limit) -> Self {
        let clock = Arc::clone(&self.clock);
        let gate: Gating = Box::new(move || {
            let limits = Limits::new(clock);
            limits.replace(vec![limit.rule()])?;
            Ok(Arc::new(limits))
        });
        Self {
            gate: Some(gate),
            ..self
        }
    }

    /// Limits callers and what providers are asked. Keep a clone to exchange the rules while the gateway runs.
    pub fn limits(self, limits: Limits) -> Self {
        let gate: Gating = Box::new(move || Ok(Arc::new(limits)));
        Self {
            gate: Some(gate),
            ..self
        }
    }

    /// Sets how often targets are tried.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Lets isolates share how quick targets have lately been, for routes that choose the [fastest](Route::fastest): each exchanges with `store` so often at
    /// most, behind an answer. A minute is a good time: measurements count half after one, and not at all after ten.
    pub fn shared_paces(self, store: impl PaceStore, every: Duration) -> Self {
        Self {
            paces: Some((Arc::new(store), every)),
            ..self
        }
    }

    /// Sets how long calls to providers may take.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Sets the largest request body, in bytes.
    pub fn max_body(self, bytes: usize) -> Self {
        Self {
            max_body: bytes,
            ..self
        }
    }

    /// Sets how long a stream is silent until something that clients pass over is sent; at least a second.
    pub fn keep_alive(self, every: Duration) -> Self {
        Self {
            keep_alive: every.max(Duration::from_secs(1)),
            ..self
        }
    }

    /// Takes the place of a gateway that has served: what it learned of targets' [health](Router#health) stays known.
    pub fn inherit(mut self, other: &Gateway) -> Self {
        self.inherited = Some(other.router.clone());
        self
    }

    /// The gateway.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for names that clash and routes that lead nowhere.
    pub fn build(self) -> Result<Gateway> {
        let mut table = RouteTable::new(self.providers, self.routes)?;
        for (name, route) in self.optional_routes {
            table.add_optional(name, route);
        }
        if self.pass.is_some() {
            pass::check_names(&table)?;
        }
        let table = Arc::new(table);
        let router = Router::new(table, Arc::clone(&self.clock), Arc::clone(&self.entropy))
            .retry(self.retry)
            .timeouts(self.timeouts)
            .prices(self.prices.clone())
            .trace_to(self.trace_to);
        let router = match self.paces {
            Some((store, every)) => router.shared_paces(store, every),
            None => router,
        };
        let gate = self.gate.map(|gate| gate()).transpose()?;
        let router = router.gate(gate.clone());
        let router = match &self.inherited {
            Some(before) => router.inherit(before),
            None => router,
        };
        let chat: Arc<dyn ChatModel> = Arc::new(router.clone());
        let chat = self
            .layers
            .into_iter()
            .fold(chat, |chat, layer| layer(chat, router.table()));
        let embeddings: Arc<dyn EmbeddingModel> = Arc::new(router.clone());
        let embeddings = self
            .embedding_layers
            .into_iter()
            .fold(embeddings, |embeddings, layer| layer(embeddings, router.table()));
        let books = Books {
            clock: self.clock,
            prices: self.prices,
            sinks: self.sinks,
            log: self.log,
        };
        Ok(Gateway {
            router,
            chat,
            embeddings,
            access: self.access,
            admin: self.admin,
            long_work: self.long_work,
            pass: self.pass,
            purge: self.purge,
            credentials: self.credentials,
            gate,
            books: Arc::new(books),
            sites: self.sites,
            sampling: self.sampling,
            capture: self.capture,
            entropy: self.entropy,
            max_body: self.max_body,
            keep_alive: self.keep_alive,
            bodies: Bodies::new(self.max_body.saturating_mul(BODIES_AT_ONCE)),
        })
    }
}

/// How many bodies of the largest size are held together.
const BODIES_AT_ONCE: usize = 4;

#[cfg(feature = "worker")]
fn default_log() -> Option<LogLine> {
    Some(Arc::new(|line| {
        edge_ai_worker::log(edge_ai_worker::Level::Error, line)
    }))
}

#[cfg(not(feature = "worker"))]
fn default_log() -> Option<LogLine> {
    None
}

impl fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayBuilder")
            .field("providers", &self.providers)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}
