use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result};
use edge_ai_worker::{EnvExt, Level, WaitUntil, log, worker_error};
use futures_util::future::join_all;
use http::{Request, Response, StatusCode};
use worker::send::SendFuture;
use worker::{
    Headers, MessageBatch, MessageExt, Method, ObjectNamespace, QueueRetryOptionsBuilder, RequestInit,
};

use super::JobObjects;
use crate::gateway::Gateway;

/// Jobs in Durable Objects, one for each. The class is `JobObject`.
#[derive(Debug)]
pub struct WorkerJobs(ObjectNamespace);

impl WorkerJobs {
    /// The objects of a namespace.
    pub const fn new(namespace: ObjectNamespace) -> Self {
        Self(namespace)
    }

    /// The namespace that is bound under a name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is none, with what to add to the Worker's configuration.
    pub fn from_env(env: &worker::Env, binding: &str) -> Result<Self> {
        env.required_durable_object(binding).map(Self)
    }
}

#[async_trait]
impl JobObjects for WorkerJobs {
    async fn ask(&self, id: &str, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let asking = async {
            let (head, body) = request.into_parts();
            let headers = Headers::new();
            for (name, value) in &head.headers {
                headers.set(name.as_str(), value.to_str().unwrap_or_default())?;
            }
            let mut init = RequestInit::new();
            init.with_headers(headers).with_method(Method::Post);
            if !body.is_empty() {
                init.with_body(Some(js_sys::Uint8Array::from(&body[..]).into()));
            }
            let request = worker::Request::new_with_init(&head.uri.to_string(), &init)?;
            let mut response = self.0.get_by_name(id)?.fetch_with_request(request).await?;
            let body = response.bytes().await?;
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() =
                StatusCode::from_u16(response.status_code()).unwrap_or(StatusCode::BAD_GATEWAY);
            worker::Result::Ok(answer)
        };
        let answer = SendFuture::new(asking).await;
        answer.map_err(|error| worker_error(ErrorKind::Unavailable, error).with_context("Durable Object"))
    }
}

/// A message whose job cannot be reached is delivered again after this long.
const AGAIN: Duration = Duration::from_secs(30);

impl Gateway {
    /// Works on what a Worker's `queue` event delivers: all messages at once.
    ///
    /// A message is taken off the queue when its job has been worked on, or wants no work; one whose job cannot be reached is delivered again, and in
    /// the end goes to the queue's dead letters. The job itself is not lost with it: its object sends another message.
    ///
    /// # Errors
    /// When the batch does not read.
    pub async fn work_on(&self, batch: MessageBatch<String>, context: worker::Context) -> worker::Result<()> {
        let background = Arc::new(WaitUntil::new(&context));
        let messages = batch.messages()?;
        join_all(messages.iter().map(|message| async {
            let worked: Result<(), Error> = self.work(message.body(), Arc::clone(&background) as _).await;
            match worked {
                Ok(()) => message.ack(),
                Err(error) => {
                    log(
                        Level::Error,
                        &format!("{} was not worked on: {error}", message.body()),
                    );
                    let again = u32::try_from(AGAIN.as_secs()).unwrap_or(u32::MAX);
                    let options = QueueRetryOptionsBuilder::new().with_delay_seconds(again).build();
                    message.retry_with_options(&options);
                }
            }
        }))
        .await;
        Ok(())
    }
}
