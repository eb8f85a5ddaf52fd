use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::{CacheRules, CoalescingRooms, PurgeLog};
use edge_ai_core::{
    Cache, CachePurge, ChatModel, Clock, Entropy, Error, ErrorKind, Provider, Result, SemanticIndex,
    UsageSink,
};
use edge_ai_gateway::{
    Admin, Authenticator, Capture, CredentialSource, Gateway, GatewayBuilder, Limit, Limits, LongWork,
    PassThrough, PriceTable, RetryPolicy, Route, RouteTable, Site, Timeouts,
};

use crate::caching::Caching;

/// An AI application at the edge, put together from parts by its [builder](EdgeAi::builder).
#[derive(Debug)]
pub struct EdgeAi {
    gateway: Gateway,
    purges: Option<Arc<PurgeLog>>,
}

impl EdgeAi {
    /// Starts to put an application together that runs in a Worker.
    #[cfg(feature = "worker")]
    pub fn builder() -> EdgeAiBuilder {
        Self::builder_with(edge_ai_worker::WorkerClock, edge_ai_worker::WorkerEntropy)
    }

    /// Starts to put an application together that lives by another clock and randomness: native, or in a test.
    pub fn builder_with(clock: impl Clock, entropy: impl Entropy) -> EdgeAiBuilder {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        EdgeAiBuilder {
            gateway: Gateway::builder(Arc::clone(&clock), entropy),
            clock,
            cache: Caching::default(),
            outermost: None,
            pass: None,
        }
    }

    /// The gateway over everything.
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// What forgets kept answers before their time, where there is a [log of purges](EdgeAiBuilder::cache_purges).
    pub fn cache_purge(&self) -> Option<&dyn CachePurge> {
        self.purges.as_deref().map(|purges| purges as &dyn CachePurge)
    }

    /// The whole stack as a model, for code beside the gateway.
    pub fn chat_model(&self) -> Arc<dyn ChatModel> {
        self.gateway.chat_model()
    }
}

/// Puts an [`EdgeAi`] together.
///
/// ```
/// use std::sync::Arc;
/// use edge_ai::core::{Inline, ManualClock, SeededEntropy};
/// use edge_ai::gateway::{Caller, Limit, Route};
/// use edge_ai::{ChatModel, EdgeAi, Provider, Quota};
/// use edge_ai_testkit::scripted::ScriptedChatModel;
///
/// /// A provider of one's own: here a script.
/// #[derive(Debug)]
/// struct Scripted(ScriptedChatModel);
///
/// impl Provider for Scripted {
///     fn name(&self) -> &str {
///         "scripted"
///     }
///
///     fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
///         Some(Arc::new(self.0.clone()))
///     }
/// }
///
/// # futures_executor::block_on(async {
/// let edge = EdgeAi::builder_with(ManualClock::default(), SeededEntropy::new(1))
///     .provider(Scripted(ScriptedChatModel::new().answer("Paris")))
///     .route("smart", Route::alias("scripted/any"))
///     .rate_limit(Limit::per_ip(Quota::per_minute(60)))
///     .build()?;
///
/// let body = r#"{"model": "smart", "messages": [{"role": "user", "content": "Capital of France?"}]}"#;
/// let request = http::Request::post("/v1/chat/completions").body(body.into()).unwrap();
/// let response = edge.gateway().handle(request, Caller::new(Arc::new(Inline))).await;
/// assert_eq!(response.status(), 200);
/// # Ok::<(), edge_ai::Error>(()) }).unwrap();
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct EdgeAiBuilder {
    gateway: GatewayBuilder,
    clock: Arc<dyn Clock>,
    cache: Caching,
    /// What stands around everything else, the cache included.
    outermost: Option<Outermost>,
    pass: Option<Passing>,
}

/// Takes a model, gives one around it.
type Outermost = Box<dyn FnOnce(Arc<dyn ChatModel>) -> Arc<dyn ChatModel>>;

/// Turns passing on on, knowing whether guardrails stand beside it: made where it is turned on, so that no other application links it.
type Passing = Box<dyn FnOnce(GatewayBuilder, bool) -> GatewayBuilder>;

impl EdgeAiBuilder {
    /// Adds a provider; its models are asked for as `name/model`.
    pub fn provider(self, provider: impl Provider) -> Self {
        self.gateway(|gateway| gateway.provider(provider))
    }

    /// Adds a provider if there is one, as when its key is not configured.
    pub fn maybe_provider(self, provider: Option<impl Provider>) -> Self {
        self.gateway(|gateway| gateway.maybe_provider(provider))
    }

    /// Gives a name to a model, or to a choice among several.
    pub fn route(self, name: impl Into<String>, route: Route) -> Self {
        self.gateway(|gateway| gateway.route(name, route))
    }

    /// The same with those of its targets whose provider is there; without any, there is no such name.
    pub fn optional_route(self, name: impl Into<String>, route: Route) -> Self {
        self.gateway(|gateway| gateway.optional_route(name, route))
    }

    /// Keeps answers and vectors in `cache`, for a time or by [rules](CacheRules).
    pub fn cache(mut self, cache: impl Cache, rules: impl Into<CacheRules>) -> Self {
        self.cache.cache = Some((Arc::new(cache), rules.into()));
        self
    }

    /// Lets kept answers be [purged](EdgeAi::cache_purge): by code, and at `POST /admin/cache/purge` of an [admin API](Self::admin).
    pub fn cache_purges(mut self, log: PurgeLog) -> Self {
        self.cache.purges = Some(Arc::new(log));
        self
    }

    /// Where equal requests meet to share a call, on the routes whose [rule](edge_ai_cache::CacheRule::coalesce) says so.
    pub fn coalesce(mut self, rooms: impl CoalescingRooms) -> Self {
        self.cache.rooms = Some(Box::new(|cached| cached.coalesce(Arc::new(rooms))));
        self
    }

    /// Answers questions that mean the same by one answer, on the routes whose [rule](edge_ai_cache::CacheRule::semantic) says so.
    pub fn semantic_cache(mut self, index: impl SemanticIndex) -> Self {
        self.cache.semantic = Some(Box::new(|cached| cached.semantic(Arc::new(index))));
        self
    }

    /// Puts a model around the router, inside the cache; a later one goes outside the earlier ones.
    pub fn layer(
        self,
        layer: impl FnOnce(Arc<dyn ChatModel>, &RouteTable) -> Arc<dyn ChatModel> + 'static,
    ) -> Self {
        self.gateway(|gateway| gateway.layer(layer))
    }

    /// Guards every chat, those that the cache answers included: what the rules take out of a request is in no cache, and no provider sees it.
    /// Models that a rule asks, such as a moderator, are asked by the names that a request would have for them. Embeddings are not guarded.
    #[cfg(feature = "guard")]
    pub fn guard(self, rails: edge_ai_guard::Guardrails) -> Self {
        Self {
            outermost: Some(Box::new(|model| {
                Arc::new(edge_ai_guard::GuardedChatModel::new(model, rails))
            })),
            ..self
        }
    }

    /// Passes requests on to vendors' own APIs. Beside [guardrails](Self::guard) they are refused, unless it is
    /// [`unguarded`](PassThrough::unguarded).
    pub fn pass_through(self, pass: PassThrough) -> Self {
        let on: Passing = Box::new(|gateway, guarded| {
            gateway.pass_through(if guarded { pass.beside_guardrails() } else { pass })
        });
        Self {
            pass: Some(on),
            ..self
        }
    }

    /// Limits callers.
    pub fn rate_limit(self, limit: Limit) -> Self {
        self.gateway(|gateway| gateway.rate_limit(limit))
    }

    /// Limits callers and what providers are asked. Keep a clone to exchange the rules while the application runs.
    pub fn limits(self, limits: Limits) -> Self {
        self.gateway(|gateway| gateway.limits(limits))
    }

    /// Adds a place where usage is recorded.
    pub fn usage(self, sink: impl UsageSink) -> Self {
        self.gateway(|gateway| gateway.usage(sink))
    }

    /// Answers paths beside the API: a [dashboard](edge_ai_gateway::Dashboard), [metrics](edge_ai_gateway::MetricsPage).
    pub fn site(self, site: impl Site) -> Self {
        self.gateway(|gateway| gateway.site(site))
    }

    /// Keeps what is asked and answered.
    pub fn capture(self, capture: Capture) -> Self {
        self.gateway(|gateway| gateway.capture(capture))
    }

    /// Keeps a share from 0 to 1 of the traces that begin here; all unless told.
    pub fn trace_ratio(self, ratio: f64) -> Self {
        self.gateway(|gateway| gateway.trace_ratio(ratio))
    }

    /// Sets which providers are told of a request's trace; one's own servers unless told.
    pub fn trace_to<T: Into<Arc<str>>>(self, providers: impl IntoIterator<Item = T>) -> Self {
        self.gateway(|gateway| gateway.trace_to(providers))
    }

    /// Sets the prices that usage is charged by.
    pub fn prices(self, prices: PriceTable) -> Self {
        self.gateway(|gateway| gateway.prices(prices))
    }

    /// Adds a way in: keys, virtual keys, tokens. With none, everybody is let in.
    pub fn access(self, way: impl Authenticator) -> Self {
        self.gateway(|gateway| gateway.access(way))
    }

    /// Serves the API that operators manage keys by, under `/admin/`.
    pub fn admin(self, admin: Admin) -> Self {
        self.gateway(|gateway| gateway.admin(admin))
    }

    /// Lets requests be [queued](LongWork) instead of awaited.
    pub fn long_work(self, work: LongWork) -> Self {
        self.gateway(|gateway| gateway.long_work(work))
    }

    /// Asks vendors with the keys that tenants have brought, where they have.
    pub fn vendor_keys(self, source: impl CredentialSource) -> Self {
        self.gateway(|gateway| gateway.vendor_keys(source))
    }

    /// Sets how often the targets of a route are tried.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.gateway(|gateway| gateway.retry(retry))
    }

    /// Lets isolates share how quick targets have lately been, exchanged with `store` so often at most, behind answers.
    pub fn shared_paces(self, store: impl edge_ai_gateway::PaceStore, every: Duration) -> Self {
        self.gateway(|gateway| gateway.shared_paces(store, every))
    }

    /// Sets how long calls to providers may take.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.gateway(|gateway| gateway.timeouts(timeouts))
    }

    /// Sets how long a stream is silent until something that clients pass over is sent; at least a second.
    pub fn keep_alive(self, every: Duration) -> Self {
        self.gateway(|gateway| gateway.keep_alive(every))
    }

    /// Sets the largest request body, in bytes.
    pub fn max_body(self, bytes: usize) -> Self {
        self.gateway(|gateway| gateway.max_body(bytes))
    }

    /// Takes the place of an application that has served: what it learned of its targets' health stays known.
    pub fn inherit(self, other: &EdgeAi) -> Self {
        self.gateway(|gateway| gateway.inherit(&other.gateway))
    }

    /// The application.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for names that clash, and routes and cache rules that lead nowhere.
    pub fn build(self) -> Result<EdgeAi> {
        let purges = self.cache.purges.clone();
        let names: Vec<String> = self.cache.names().map(str::to_owned).collect();
        let gateway = self.cache.around(self.gateway, self.clock);
        let gateway = match &purges {
            Some(purges) => gateway.cache_purge(Arc::clone(purges)),
            None => gateway,
        };
        let (gateway, guarded) = match self.outermost {
            None => (gateway, false),
            Some(around) => (gateway.layer(|model, _| around(model)), true),
        };
        let gateway = match self.pass {
            Some(pass) => pass(gateway, guarded),
            None => gateway,
        };
        let gateway = gateway.build()?;
        for name in names {
            if !gateway.routes().knows(&name) {
                let message = format!("there is a cache rule for `{name}`, and no such route or model");
                let error = Error::new(ErrorKind::Configuration, message);
                return Err(error.with_param(format!("cache.routes.{name}")));
            }
        }
        Ok(EdgeAi { gateway, purges })
    }

    fn gateway(self, with: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        Self {
            gateway: with(self.gateway),
            ..self
        }
    }
}

impl fmt::Debug for EdgeAiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeAiBuilder")
            .field("gateway", &self.gateway)
            .field("cache", &self.cache)
            .finish()
    }
}
