//! OpenAI's stand-in, on a port of its own.

use std::sync::LazyLock;

use bytes::Bytes;
use edge_ai_core::{Body, Error, ErrorKind, HttpClient, Result, async_trait};
use edge_ai_local::{Config, Server};
use futures_util::TryStreamExt;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The address of its API; it serves until the tests end.
pub(crate) static BASE_URL: LazyLock<String> = LazyLock::new(|| {
    let mut config = Config::default();
    config.port = 0;
    let server = RUNTIME.block_on(Server::bind(config)).unwrap();
    let url = format!("{}/openai/v1", server.url());
    RUNTIME.spawn(server.serve(std::future::pending()));
    url
});

/// Waits for work that needs the stand-in.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    // Started from outside: a runtime cannot wait for itself.
    LazyLock::force(&BASE_URL);
    RUNTIME.block_on(work)
}

/// HTTP over a socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Socket(reqwest::Client);

#[async_trait]
impl HttpClient for Socket {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let gone = |error: reqwest::Error| {
            Error::new(ErrorKind::Unavailable, "the server cannot be reached").with_source(error)
        };
        let request = request.map(reqwest::Body::from).try_into().map_err(gone)?;
        let mut answer = self.0.execute(request).await.map_err(gone)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        let body = answer.bytes_stream().map_err(|error| {
            Error::new(
                ErrorKind::Interrupted,
                "the connection was closed before the body was complete",
            )
            .with_source(error)
        });
        Ok(response.body(Body::from_stream(body)).unwrap())
    }
}
