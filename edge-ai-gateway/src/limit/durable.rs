use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{
    Error, ErrorKind, LeaseAsk, LeaseGrant, LeaseOffice, LeaseOptions, LeasedLimits, LimitKey, Result,
};
use edge_ai_worker::{EnvExt, WorkerClock, WorkerEntropy, worker_error};
use worker::send::SendFuture;
use worker::{Env, Method, ObjectNamespace, Request, RequestInit};

use super::digest::digest;

/// Leases from [`LimitOffice`](crate::LimitOffice)s, one for each rule and key: `leases.limits(…)` is the backend.
#[derive(Clone, Debug)]
pub struct DurableLeases {
    namespace: ObjectNamespace,
}

impl DurableLeases {
    /// The Durable Object namespace `name` of the Worker, with the class [`LimitOffice`](crate::LimitOffice).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it is not there.
    pub fn from_env(env: &Env, name: &str) -> Result<Self> {
        let namespace = env.required_durable_object(name)?;
        Ok(Self { namespace })
    }

    /// The backend that takes leases from them.
    pub fn limits(self, options: LeaseOptions) -> LeasedLimits<Self> {
        LeasedLimits::new(self, Arc::new(WorkerClock), &WorkerEntropy, options)
    }
}

#[async_trait]
impl LeaseOffice for DurableLeases {
    async fn lease(&self, key: &LimitKey, ask: LeaseAsk) -> Result<LeaseGrant> {
        let down = |error: worker::Error| worker_error(ErrorKind::Unavailable, error);
        let body = serde_json::to_string(&ask).map_err(unreadable)?;
        let name = digest(&key.name());
        SendFuture::new(async {
            let stub = self.namespace.get_by_name(&name).map_err(down)?;
            let mut init = RequestInit::new();
            init.with_method(Method::Post).with_body(Some(body.into()));
            let request = Request::new_with_init("https://limits/", &init).map_err(down)?;
            let mut response = stub.fetch_with_request(request).await.map_err(down)?;
            let text = response.text().await.map_err(down)?;
            if response.status_code() != 200 {
                return Err(Error::new(ErrorKind::Unavailable, text));
            }
            serde_json::from_str(&text).map_err(unreadable)
        })
        .await
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::BadUpstream, "the office of a limit does not read").with_source(error)
}
