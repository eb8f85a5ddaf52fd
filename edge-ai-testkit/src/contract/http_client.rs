//! The contract of [`HttpClient`], and the server that it asks.

mod server;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use edge_ai_core::{Body, Bytes, ErrorKind, HttpClient};
use futures_util::StreamExt;
use futures_util::future::join_all;

use super::fails_with;
use crate::case::{cases, ensure, require};
use crate::{Case, Check, InFlight, Must, Stop, Subject};

pub use server::answer;

/// More than any answer of the server.
const LIMIT: usize = 8 << 20;

/// An HTTP client under test, with the address of a server that [answers](answer) as the suite expects.
#[derive(Clone, Debug)]
pub struct HttpClientSubject {
    client: Arc<dyn HttpClient>,
    base: String,
    unreachable: Option<String>,
    in_flight: Option<InFlight>,
}

impl HttpClientSubject {
    /// A client, and the address of the server: what comes after it is the path that [`answer`] is given.
    pub fn new(client: impl HttpClient, base: impl Into<String>) -> Self {
        Self {
            client: Arc::new(client),
            base: base.into(),
            unreachable: None,
            in_flight: None,
        }
    }

    /// An address at which nobody listens.
    #[must_use]
    pub fn with_unreachable(self, address: impl Into<String>) -> Self {
        Self {
            unreachable: Some(address.into()),
            ..self
        }
    }

    /// The exchanges that are open, where a double counts them.
    #[must_use]
    pub fn with_in_flight(self, in_flight: InFlight) -> Self {
        Self {
            in_flight: Some(in_flight),
            ..self
        }
    }

    fn request(&self, method: &str, path: &str) -> Result<http::request::Builder, Stop> {
        Ok(http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base)))
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<http::Response<Body>, Stop> {
        let request = request
            .body(body.into())
            .map_err(|error| Stop::failed(format!("the suite's request: {error}")))?;
        self.client
            .send(request)
            .await
            .must("a request to a server that answers gets its answer")
    }

    async fn get(&self, path: &str) -> Result<http::Response<Body>, Stop> {
        self.send(self.request("GET", path)?, "").await
    }
}

impl Subject for HttpClientSubject {
    fn enter(&mut self, _: &'static str) {}
}

/// The cases.
pub fn cases() -> Vec<Case<HttpClientSubject>> {
    cases![
        any_status_is_an_answer,
        the_method_goes_out_as_it_is,
        path_and_query_go_out_as_they_are,
        headers_go_out_as_they_are,
        the_body_goes_out_as_it_is,
        no_redirect_is_followed,
        the_answers_headers_arrive,
        a_body_arrives_whole,
        a_large_body_arrives_whole,
        a_body_that_breaks_off_is_interrupted,
        a_dropped_body_closes_the_exchange,
        exchanges_do_not_touch_each_other,
        a_server_out_of_reach_is_unavailable,
        an_address_that_is_not_http_is_refused,
    ]
}

async fn any_status_is_an_answer(subject: HttpClientSubject) -> Check {
    for status in [200, 201, 204, 400, 404, 418, 429, 500, 503] {
        let found = subject.get(&format!("/status/{status}")).await?.status().as_u16();
        ensure!(found == status, "any status is an answer: {status}, not {found}");
    }
    Ok(())
}

fn echoed<'a>(response: &'a http::Response<Body>, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

async fn the_method_goes_out_as_it_is(subject: HttpClientSubject) -> Check {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let response = subject.send(subject.request(method, "/echo")?, "").await?;
        let found = echoed(&response, "x-echo-method");
        ensure!(
            found == method,
            "the method goes out as it is: {method}, not {found}"
        );
    }
    Ok(())
}

async fn path_and_query_go_out_as_they_are(subject: HttpClientSubject) -> Check {
    let path = "/echo/a%20b/%C3%A9?x=1&y=a%2Bb&empty=";
    let response = subject.get(path).await?;
    let found = echoed(&response, "x-echo-path");
    ensure!(
        found == path,
        "path and query go out as they are: {path}, not {found}"
    );
    Ok(())
}

async fn headers_go_out_as_they_are(subject: HttpClientSubject) -> Check {
    let request = subject
        .request("POST", "/echo")?
        .header("x-one", "1; a=\"b\"")
        .header("content-type", "application/json");
    let response = subject
        .send(request.header("authorization", "Bearer k"), "{}")
        .await?;
    for (name, value) in [
        ("x-one", "1; a=\"b\""),
        ("content-type", "application/json"),
        ("authorization", "Bearer k"),
    ] {
        let found = echoed(&response, &format!("x-echo-header-{name}"));
        ensure!(
            found == value,
            "the header {name} goes out as it is: {value}, not {found}"
        );
    }
    Ok(())
}

async fn the_body_goes_out_as_it_is(subject: HttpClientSubject) -> Check {
    let bytes: Bytes = (0..=255).cycle().take(64 << 10).collect::<Vec<u8>>().into();
    for body in [Bytes::new(), Bytes::from_static(b"{\"a\": 1}"), bytes] {
        let response = subject
            .send(subject.request("POST", "/echo")?, body.clone())
            .await?;
        let found = response
            .into_body()
            .bytes(LIMIT)
            .await
            .must("the body of an answer arrives")?;
        ensure!(
            found == body,
            "a body of {} bytes goes out and comes back as it is",
            body.len()
        );
    }
    Ok(())
}

async fn no_redirect_is_followed(subject: HttpClientSubject) -> Check {
    for status in [301, 302, 307, 308] {
        let response = subject.get(&format!("/redirect/{status}")).await?;
        let found = response.status().as_u16();
        ensure!(
            found == status,
            "a redirect is an answer, {status}, and is not followed to {found}"
        );
        let location = echoed(&response, "location");
        ensure!(
            location.ends_with("/status/200"),
            "a redirect tells where to, not `{location}`"
        );
    }
    Ok(())
}

async fn the_answers_headers_arrive(subject: HttpClientSubject) -> Check {
    let response = subject.get("/headers").await?;
    let kind = echoed(&response, "content-type");
    ensure!(
        kind == "text/event-stream",
        "the headers of an answer arrive: text/event-stream, not `{kind}`"
    );
    let twice: Vec<_> = response
        .headers()
        .get_all("x-twice")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let joined = twice.join(", ");
    ensure!(
        joined == "a, b",
        "a header that comes twice has both values, not `{joined}`"
    );
    Ok(())
}

async fn a_body_arrives_whole(subject: HttpClientSubject) -> Check {
    for path in ["/pieces/1", "/pieces/7"] {
        let mut stream = subject.get(path).await?.into_body().into_stream();
        let mut whole = Vec::new();
        while let Some(piece) = stream.next().await {
            whole.extend_from_slice(&piece.must("a body that nothing breaks arrives")?);
        }
        let expected = server::pieces(path).concat();
        ensure!(
            whole == expected,
            "the pieces of a body are the whole: {} bytes, not {}",
            expected.len(),
            whole.len()
        );
    }
    let empty = subject
        .get("/status/200")
        .await?
        .into_body()
        .bytes(LIMIT)
        .await
        .must("an empty body arrives")?;
    ensure!(empty.is_empty(), "an answer without a body has an empty one");
    Ok(())
}

async fn a_large_body_arrives_whole(subject: HttpClientSubject) -> Check {
    let body = subject
        .get("/large")
        .await?
        .into_body()
        .bytes(LIMIT)
        .await
        .must("a large body arrives")?;
    ensure!(
        body == server::large(),
        "a body of {} bytes arrives as it is, not as {}",
        server::large().len(),
        body.len()
    );
    Ok(())
}

async fn a_body_that_breaks_off_is_interrupted(subject: HttpClientSubject) -> Check {
    let mut stream = subject.get("/broken").await?.into_body().into_stream();
    while let Some(piece) = stream.next().await {
        if let Err(error) = piece {
            let kind = error.kind();
            ensure!(
                kind == ErrorKind::Interrupted,
                "a body that breaks off is `Interrupted`, not {kind}"
            );
            return Ok(());
        }
    }
    Err(Stop::failed(
        "a body that breaks off ends with an error, not as if it were complete",
    ))
}

async fn a_dropped_body_closes_the_exchange(subject: HttpClientSubject) -> Check {
    let mut stream = subject.get("/endless").await?.into_body().into_stream();
    stream
        .next()
        .await
        .must("an endless body has a first piece")?
        .must("the first piece arrives")?;
    drop(stream);
    drop(subject.get("/endless").await?);
    if let Some(in_flight) = &subject.in_flight {
        ensure!(
            in_flight.count() == 0,
            "dropping a body closes its exchange, but {} are open",
            in_flight.count()
        );
    }
    let status = subject.get("/status/200").await?.status();
    ensure!(status == 200, "dropping a body does the next exchange no harm");
    Ok(())
}

async fn exchanges_do_not_touch_each_other(subject: HttpClientSubject) -> Check {
    let bodies: Vec<String> = (0..5)
        .map(|index| format!("body {index}").repeat(index + 1))
        .collect();
    let exchanges = bodies.iter().map(async |body| {
        let response = subject
            .send(subject.request("POST", "/echo")?, body.clone())
            .await?;
        response
            .into_body()
            .bytes(LIMIT)
            .await
            .must("the body of an answer arrives")
    });
    for (body, found) in bodies.iter().zip(join_all(exchanges).await) {
        ensure!(
            found? == body.as_bytes(),
            "of several exchanges at once each gets its own answer"
        );
    }
    Ok(())
}

async fn a_server_out_of_reach_is_unavailable(subject: HttpClientSubject) -> Check {
    require!(
        subject.unreachable.is_some(),
        "no address is known at which nobody listens"
    );
    let request = http::Request::get(subject.unreachable.unwrap_or_default()).body(Bytes::new());
    let request = request.map_err(|error| Stop::failed(format!("the suite's request: {error}")))?;
    let answer = subject.client.send(request).await;
    fails_with(
        answer,
        ErrorKind::Unavailable,
        "a server out of reach is unavailable",
    )
}

async fn an_address_that_is_not_http_is_refused(subject: HttpClientSubject) -> Check {
    for address in ["ftp://example.com/file", "/only/a/path"] {
        let request = http::Request::get(address).body(Bytes::new());
        let request = request.map_err(|error| Stop::failed(format!("the suite's request: {error}")))?;
        let answer = subject.client.send(request).await;
        fails_with(
            answer,
            ErrorKind::InvalidRequest,
            &format!("the address `{address}` is refused"),
        )?;
    }
    Ok(())
}
