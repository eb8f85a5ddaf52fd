use std::fmt;

use async_trait::async_trait;
use edge_ai_core::Body;
use http::{Request, Response};

use crate::gateway::Caller;

/// Answers paths beside the API, such as a dashboard. It looks after its own access: neither keys nor limits of the gateway are asked.
#[async_trait]
pub trait Site: fmt::Debug + Send + Sync + 'static {
    /// Whether a path is its own.
    fn has(&self, path: &str) -> bool;

    /// Answers a request for one of its paths, whatever the method.
    async fn answer(&self, request: Request<Body>, caller: &Caller) -> Response<Body>;
}
