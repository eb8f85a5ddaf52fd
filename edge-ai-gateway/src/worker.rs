use std::sync::Arc;

use edge_ai_core::Error;
use edge_ai_worker::{WaitUntil, request_from_js, response_to_js};

use crate::gateway::{Caller, Gateway};
use crate::surface;

impl Gateway {
    /// Answers a Worker's `fetch` event. The client's address is what Cloudflare says it is
    /// ([`cf-connecting-ip`](https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip)), and usage is recorded
    /// after the answer, by `waitUntil`.
    ///
    /// # Errors
    /// When the runtime does not take the answer; what goes wrong in the gateway is an answer.
    pub async fn serve(
        &self,
        request: worker::Request,
        context: worker::Context,
    ) -> worker::Result<worker::Response> {
        let response = match request_from_js(request.inner()) {
            Ok(request) => {
                let address = request.headers().get("cf-connecting-ip");
                let address = address.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                let caller = Caller::new(address).with_background(Arc::new(WaitUntil::new(&context)));
                self.handle(request, caller).await
            }
            Err(error) => surface::error_response(&error),
        };
        into_worker(response)
    }
}

/// Answers that the gateway could not be put together, with what its operator has to do, in the words that clients of the gateway
/// understand.
///
/// # Errors
/// When the runtime does not take the answer.
pub fn unavailable(error: &Error) -> worker::Result<worker::Response> {
    into_worker(surface::error_response(error))
}

fn into_worker(response: http::Response<edge_ai_core::Body>) -> worker::Result<worker::Response> {
    response_to_js(response)
        .map(Into::into)
        .map_err(|error| worker::Error::RustError(error.to_string()))
}
