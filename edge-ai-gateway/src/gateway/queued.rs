use std::net::IpAddr;
use std::sync::Arc;

use edge_ai_core::{Background, Body, Context, Error, ErrorKind, Operation, Result};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use super::{Asker, Gateway};
use crate::access::Principal;
use crate::jobs::{Progress, Submission};
use crate::limit::Holds;
use crate::surface::{self, Client, Endpoint};

/// What is particular about a request that was queued.
pub(crate) struct Queued {
    /// For its record.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// Where it came from.
    pub(crate) address: Option<IpAddr>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) idempotency_key: String,
}

impl Gateway {
    /// Queues a request, if it can be read and its model may be asked for.
    pub(super) async fn queue(
        &self,
        address: Option<IpAddr>,
        client: Client,
        operation: Operation,
        head: &Parts,
        body: &bytes::Bytes,
        principal: &Principal,
    ) -> Result<Response<Body>> {
        let Some(work) = &self.long_work else {
            let message = "this gateway queues no requests: send it without `x-edge-ai-async`, or have its operator turn long work on";
            return Err(Error::invalid("x-edge-ai-async", message));
        };
        let model = self.check_request(client, operation, body, principal)?;
        let submission = Submission {
            head,
            body,
            model: &model,
            principal,
            id: self.new_id("job_"),
            address,
            now_ms: self.books.clock.now().as_millis(),
        };
        work.submit(submission).await
    }

    /// Whether a request reads, and may be made; the model that it asks for.
    ///
    /// # Errors
    /// What the request would be refused with before a model is asked.
    pub(crate) fn check_request(
        &self,
        client: Client,
        operation: Operation,
        body: &bytes::Bytes,
        principal: &Principal,
    ) -> Result<String> {
        let model = surface::asked_model(client, operation, body)?;
        self.permit(principal, &model)?;
        self.router.table().check(&model)?;
        Ok(model)
    }

    /// Answers a request that was queued, in the name of whoever sent it.
    pub(crate) async fn handle_queued(
        &self,
        head: Parts,
        body: bytes::Bytes,
        principal: Arc<Principal>,
        queued: Queued,
        background: Arc<dyn Background>,
    ) -> Response<Body> {
        let id = self.new_request_id();
        let client = Client::at(head.uri.path());
        let mut context = Context::default()
            .with_request_id(id.as_str())
            .with_background(background);
        context.address = queued.address;
        let asker = Asker {
            client,
            principal,
            holds: Holds::new(context.clone()),
            context,
            arrived: self.books.clock.now(),
            queued: Some(queued),
        };
        let mut told = HeaderMap::new();
        let outcome = match Endpoint::at(head.uri.path()) {
            Ok(endpoint) => {
                self.answer_to(asker, &head, endpoint, body.into(), &mut told)
                    .await
            }
            Err(error) => Err(error),
        };
        let mut response = outcome.unwrap_or_else(|error| surface::error_response(client, &error));
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }

    /// Works on what a message of the queue names: a request that was queued. A message that comes again, or late, does nothing.
    ///
    /// # Errors
    /// When what is queued cannot be reached: the message is to be delivered again.
    pub async fn work(&self, message: &str, background: Arc<dyn Background>) -> Result<()> {
        match &self.long_work {
            Some(work) => work.work(self, message, background).await,
            None => Err(Error::new(
                ErrorKind::Configuration,
                "this gateway has no long work",
            )),
        }
    }
}
