use async_trait::async_trait;
use edge_ai_core::{Body, CacheKey, Error, ErrorKind, Result};
use edge_ai_worker::{EnvExt, body_from_js, body_to_js, worker_error};
use worker::send::SendFuture;
use worker::{Headers, Method, ObjectNamespace, RequestInit};

use super::CoalescingRooms;

/// Rooms that are Durable Objects: the requests of all isolates meet in them.
///
/// A request that may meet others pays one round trip to the object before the model is asked. The class is `CoalescingObject`.
#[derive(Debug)]
pub struct WorkerRooms(ObjectNamespace);

impl WorkerRooms {
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
impl CoalescingRooms for WorkerRooms {
    async fn ask(&self, key: &CacheKey, request: http::Request<Body>) -> Result<http::Response<Body>> {
        SendFuture::new(async move {
            let stub = self.0.get_by_name(key.as_str()).map_err(failed)?;
            let response = stub
                .fetch_with_request(outgoing(request)?)
                .await
                .map_err(failed)?;
            let mut incoming = http::Response::new(Body::empty());
            *incoming.status_mut() = http::StatusCode::from_u16(response.status_code())
                .map_err(|_| Error::new(ErrorKind::BadUpstream, "the answer has no HTTP status"))?;
            for (name, value) in response.headers().entries() {
                if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                    incoming.headers_mut().insert(name, value);
                }
            }
            let response: web_sys::Response = response.into();
            if let Some(stream) = response.body() {
                *incoming.body_mut() = body_from_js(stream);
            }
            Ok(incoming)
        })
        .await
    }
}

fn outgoing(request: http::Request<Body>) -> Result<worker::Request> {
    let (head, body) = request.into_parts();
    let headers = Headers::new();
    for (name, value) in &head.headers {
        headers
            .set(name.as_str(), value.to_str().unwrap_or_default())
            .map_err(failed)?;
    }
    let mut init = RequestInit::new();
    init.with_headers(headers);
    if head.method == http::Method::POST {
        init.with_method(Method::Post);
        if body.as_bytes().is_none() {
            init.with_body(Some(body_to_js(body)?.into()));
        }
    }
    worker::Request::new_with_init(&head.uri.to_string(), &init).map_err(failed)
}

fn failed(error: worker::Error) -> Error {
    worker_error(ErrorKind::Unavailable, error).with_context("Durable Object")
}
