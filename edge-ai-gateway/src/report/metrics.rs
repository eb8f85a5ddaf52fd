use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Body, Database, Result, Secret, Statement};
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::prometheus::{self, Format};
use super::respond::respond;
use super::token::Token;
use crate::gateway::Caller;
use crate::site::Site;

/// `GET /metrics` for Prometheus, behind a token of its own: `Authorization: Bearer …`.
///
/// What it tells is kept in the store together with the records, so it covers every isolate, only grows, and costs a read of one small table. Names are those
/// of OpenTelemetry's conventions in Prometheus' form, such as `gen_ai_client_inference_duration_seconds`; what they do not have begins with `edge_ai_`. At most
/// 500 models have a name of their own; others count as `_other`.
///
/// ```yaml
/// scrape_configs:
///   - job_name: edge-ai
///     scheme: https
///     authorization: { credentials: <METRICS_TOKEN> }
///     static_configs: [{ targets: [gateway.example.workers.dev] }]
/// ```
pub struct MetricsPage {
    database: Arc<dyn Database>,
    token: Token,
}

impl MetricsPage {
    /// Metrics out of `database` for those who have `token`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a token of less than 16 characters.
    pub fn new(database: impl Database, token: &Secret) -> Result<Self> {
        Ok(Self {
            database: Arc::new(database),
            token: Token::new(token, "METRICS_TOKEN")?,
        })
    }

    async fn scrape(&self, headers: &HeaderMap) -> Response<Body> {
        let authorization = headers
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let allowed = authorization.split_at_checked(7).is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case(b"bearer ") && self.token.is(token.trim_ascii())
        });
        if !allowed {
            let message =
                "send the token that the gateway has as METRICS_TOKEN: `Authorization: Bearer <token>`\n";
            let mut response = respond(StatusCode::UNAUTHORIZED, TEXT, message);
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        let statement = Statement::new(prometheus::QUERY, []);
        let rows = match self.database.query(statement).await {
            Ok(rows) => rows,
            Err(error) => return respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{error}\n")),
        };
        let accept = headers
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .unwrap_or_default();
        let format = Format::for_accept(accept);
        respond(
            StatusCode::OK,
            format.content_type(),
            prometheus::write(&rows, format),
        )
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsPage")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Site for MetricsPage {
    fn has(&self, path: &str) -> bool {
        path == "/metrics"
    }

    async fn answer(&self, request: Request<Body>, _: &Caller) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "this takes GET\n");
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        self.scrape(request.headers()).await
    }
}
