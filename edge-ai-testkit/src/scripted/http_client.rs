use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use edge_ai_core::{
    Body, Bytes, Clock, Error, ErrorKind, HttpClient, ManualClock, Result, Timestamp, async_trait,
};

use super::ScriptedResponse;
use crate::InFlight;

/// An HTTP client that answers by a script, one step a request, and remembers the requests.
///
/// A request past the end of the script fails, as does one that a [check](Self::expect) refuses.
///
/// ```
/// use edge_ai_core::{Bytes, HttpClient};
/// use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
///
/// # futures_executor::block_on(async {
/// let client = ScriptedHttpClient::new().respond(ScriptedResponse::json(429, &"slow down").header("retry-after", "2"));
/// let request = http::Request::post("https://api.example.com/v1/chat").body(Bytes::from_static(b"{}")).unwrap();
/// let response = client.send(request).await?;
/// assert_eq!(response.status(), 429);
/// assert_eq!(client.requests()[0].uri().path(), "/v1/chat");
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct ScriptedHttpClient {
    script: Arc<Mutex<Script>>,
    clock: Arc<dyn Clock>,
    in_flight: InFlight,
}

#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    handler: Option<Handler>,
    requests: Vec<http::Request<Bytes>>,
}

struct Step {
    check: Option<Expectation>,
    answer: Result<ScriptedResponse>,
}

type Expectation = Box<dyn FnOnce(&http::Request<Bytes>) -> Result<(), String> + Send>;
type Handler = Arc<dyn Fn(&http::Request<Bytes>) -> Result<ScriptedResponse> + Send + Sync>;

impl ScriptedHttpClient {
    /// A client with an empty script, on a clock that jumps over waits.
    pub fn new() -> Self {
        Self {
            script: Arc::default(),
            clock: Arc::new(ManualClock::jumping(Timestamp::default())),
            in_flight: InFlight::default(),
        }
    }

    /// A client that answers every request with what a function makes of it.
    pub fn from_fn(
        handler: impl Fn(&http::Request<Bytes>) -> Result<ScriptedResponse> + Send + Sync + 'static,
    ) -> Self {
        let client = Self::new();
        client.with(|script| script.handler = Some(Arc::new(handler)));
        client
    }

    /// Waits by this clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Next, answers with this.
    #[must_use]
    pub fn respond(self, response: ScriptedResponse) -> Self {
        self.step(None, Ok(response))
    }

    /// Next, looks at the request, and answers if nothing is wrong with it. What is wrong becomes an
    /// [`ErrorKind::Internal`] that whoever is tested passes on.
    #[must_use]
    pub fn expect(
        self,
        check: impl FnOnce(&http::Request<Bytes>) -> Result<(), String> + Send + 'static,
        response: ScriptedResponse,
    ) -> Self {
        self.step(Some(Box::new(check)), Ok(response))
    }

    /// Next, gets no answer.
    #[must_use]
    pub fn fail(self, error: Error) -> Self {
        self.step(None, Err(error))
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<http::Request<Bytes>> {
        self.with(|script| script.requests.clone())
    }

    /// The body of the last request as JSON; null when there is none.
    pub fn last_json(&self) -> serde_json::Value {
        self.with(|script| {
            script
                .requests
                .last()
                .and_then(|request| serde_json::from_slice(request.body()).ok())
                .unwrap_or_default()
        })
    }

    /// Steps that were not asked for yet.
    pub fn remaining(&self) -> usize {
        self.with(|script| script.steps.len())
    }

    /// The exchanges that are open: zero once the last body has been read to its end or dropped.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.clone()
    }

    fn step(self, check: Option<Expectation>, answer: Result<ScriptedResponse>) -> Self {
        self.with(|script| script.steps.push_back(Step { check, answer }));
        self
    }

    fn with<T>(&self, f: impl FnOnce(&mut Script) -> T) -> T {
        f(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl HttpClient for ScriptedHttpClient {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let guard = self.in_flight.enter();
        let step = self.with(|script| {
            let step = script.steps.pop_front();
            script.requests.push(request.clone());
            step.or_else(|| {
                script.handler.as_ref().map(|handler| Step {
                    check: None,
                    answer: handler(&request),
                })
            })
        });
        let Some(Step { check, answer }) = step else {
            let message = format!(
                "the script has no answer to {} {}",
                request.method(),
                request.uri()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        };
        if let Some(wrong) = check.and_then(|check| check(&request).err()) {
            let message = format!(
                "{} {} is not what was expected: {wrong}",
                request.method(),
                request.uri()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok(answer?.play(Arc::clone(&self.clock), Some(guard)).await)
    }
}

impl Default for ScriptedHttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ScriptedHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (remaining, requests) = self.with(|script| (script.steps.len(), script.requests.len()));
        f.debug_struct("ScriptedHttpClient")
            .field("remaining", &remaining)
            .field("requests", &requests)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use futures_util::StreamExt;

    fn get() -> http::Request<Bytes> {
        http::Request::get("http://a.example/x")
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn a_broken_body_ends_with_an_error() {
        let client = ScriptedHttpClient::new()
            .respond(ScriptedResponse::sse("data: 1\n\n").cut_every(2).break_after(5));
        let body = block_on(client.send(get())).unwrap().into_body();
        let items: Vec<_> = block_on(body.into_stream().collect());
        assert_eq!(items.len(), 4);
        assert_eq!(items[2].as_ref().unwrap(), ":");
        assert_eq!(items[3].as_ref().unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(client.in_flight().count(), 0);
    }

    #[test]
    fn a_request_that_is_not_expected_fails_with_the_reason() {
        let client = ScriptedHttpClient::new().expect(|_| Err("no key".into()), ScriptedResponse::new(200));
        let error = block_on(client.send(get())).unwrap_err();
        assert_eq!(
            error.message(),
            "GET http://a.example/x is not what was expected: no key"
        );
    }
}
