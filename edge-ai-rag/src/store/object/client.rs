use edge_ai_core::{Error, ErrorKind, Result, async_trait};
use edge_ai_worker::{EnvExt, worker_error};
use worker::send::SendFuture;
use worker::{Env, Method, ObjectNamespace, Request, RequestInit, js_sys};

use super::store::Object;
use super::wire::Refusal;

/// An object by its name.
#[derive(Clone, Debug)]
pub(super) struct Stub {
    namespace: ObjectNamespace,
    name: String,
}

impl Stub {
    pub(super) fn from_env(env: &Env, binding: &str, name: &str) -> Result<Self> {
        Ok(Self {
            namespace: env.required_durable_object(binding)?,
            name: name.to_owned(),
        })
    }
}

#[async_trait]
impl Object for Stub {
    async fn ask(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        let down = |error: worker::Error| {
            worker_error(ErrorKind::Unavailable, error).with_context("vectors' object")
        };
        let asked = async {
            let stub = self.namespace.get_by_name(&self.name).map_err(down)?;
            let mut init = RequestInit::new();
            let body = js_sys::Uint8Array::from(body.as_slice());
            init.with_method(Method::Post).with_body(Some(body.into()));
            let request = Request::new_with_init("https://vectors/", &init).map_err(down)?;
            let mut response = stub.fetch_with_request(request).await.map_err(down)?;
            let bytes = response.bytes().await.map_err(down)?;
            match response.status_code() {
                200 => Ok(bytes),
                400 => Err(serde_json::from_slice(&bytes)
                    .map_or_else(|_| super::wire::unreadable(), Refusal::into_error)),
                status => {
                    let text = String::from_utf8_lossy(&bytes);
                    Err(Error::new(
                        ErrorKind::Unavailable,
                        format!("the vectors' object answered {status}: {text}"),
                    ))
                }
            }
        };
        SendFuture::new(asked).await
    }
}
