//! The server that the HTTP client's suite asks.

use std::sync::Arc;

use edge_ai_core::ErrorKind;
use edge_ai_testkit::contract::http_client;
use edge_ai_worker::{WorkerClock, request_from_js, response_to_js};
use worker::{Request, Response};

/// Where it is mounted.
pub(crate) const PREFIX: &str = "/http";

const LIMIT: usize = 1 << 20;

pub(crate) async fn serve(path: &str, request: Request) -> worker::Result<Response> {
    let query = request
        .url()?
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let answered = async {
        let (head, body) = request_from_js(request.inner())?.into_parts();
        let request = http::Request::from_parts(head, body.bytes(LIMIT).await?);
        let answer = http_client::answer(&format!("{path}{query}"), &request)?;
        response_to_js(answer.into_response(Arc::new(WorkerClock)).await)
    };
    match answered.await {
        Ok(response) => Ok(response.into()),
        Err(error) if error.kind() == ErrorKind::InvalidRequest => Response::error(error.to_string(), 400),
        Err(error) => Response::error(error.to_string(), 500),
    }
}
