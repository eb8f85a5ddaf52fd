mod trail;
mod wishes;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::{Background, Credentials, LimitRule, Timestamp, TraceContext};

pub(crate) use trail::shortened;
pub use trail::{Attempt, GuardAction, GuardNote, Trail};
pub use wishes::{Backoff, CacheMode, CachePolicy, CacheStatus, RetryWishes};

/// What belongs to one request but not to its content: whose it is, until when, and what has happened to it so far.
///
/// It travels with a request through every decorator and never reaches a vendor.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// The request's identifier in answers, logs and records.
    pub request_id: Option<Arc<str>>,
    /// Whose request it is. Cache keys, limiter keys, namespaces and names carry it; `None` is the tenant of those
    /// without a credential.
    pub tenant: Option<Arc<str>>,
    /// The public identifier of the key that the caller has shown, never the key itself; `None` where callers have none.
    pub key: Option<Arc<str>>,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// The limits that the caller's key carries, beside those of the gateway: each counts for this key alone.
    pub limits: Arc<[LimitRule]>,
    /// The caller's own keys for vendors; a provider without one uses the operator's.
    pub credentials: Credentials,
    /// When the answer must be there.
    pub deadline: Option<Timestamp>,
    /// What the caller wants of caches.
    pub cache: CachePolicy,
    /// The caller's own labels, for records and routing.
    pub metadata: BTreeMap<String, String>,
    /// The request's headers that routes look at, by their names in lower case, and no others.
    pub headers: BTreeMap<String, String>,
    /// How the caller wants failed calls to be repeated.
    pub retry: RetryWishes,
    /// What has happened to the request; every clone writes to the same one.
    pub trail: Trail,
    /// Where work goes that the answer does not wait for.
    pub background: Option<Arc<dyn Background>>,
    /// Names the request for vendors that make a call with a known name once (`Idempotency-Key`): the same for attempts of which none has
    /// had an answer.
    pub idempotency_key: Option<Arc<str>>,
    /// The span that the work on the request belongs to.
    pub trace: Option<TraceContext>,
    /// Whether a server that is called for the request is told of the span. Identifiers of traces let a vendor tell which requests belong
    /// together, so whoever makes the call decides.
    pub tell_trace: bool,
}

impl Context {
    /// Sets [`request_id`](Self::request_id).
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets [`tenant`](Self::tenant).
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets [`key`](Self::key).
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: impl Into<Arc<[LimitRule]>>) -> Self {
        self.limits = limits.into();
        self
    }

    /// Sets [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets [`cache`](Self::cache).
    #[must_use]
    pub fn with_cache(mut self, cache: CachePolicy) -> Self {
        self.cache = cache;
        self
    }

    /// Sets [`background`](Self::background).
    #[must_use]
    pub fn with_background(mut self, background: Arc<dyn Background>) -> Self {
        self.background = Some(background);
        self
    }

    /// Sets [`trace`](Self::trace).
    #[must_use]
    pub fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The span that a server may be told of.
    pub fn told_trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref().filter(|_| self.tell_trace)
    }

    /// Does `work` after the answer where there is a [`background`](Self::background), else now.
    pub async fn defer(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.background {
            Some(background) => background.run(work.boxed()),
            None => work.await,
        }
    }
}
