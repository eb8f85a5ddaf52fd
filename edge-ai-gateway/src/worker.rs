use std::pin::pin;
use std::sync::Arc;

use edge_ai_core::{Body, Error, ErrorKind};
use edge_ai_worker::{Level, WaitUntil, client_gone, log, request_from_js, response_to_js, upgrade};
use futures_util::StreamExt;
use futures_util::future::{Either, select};

use crate::gateway::{Caller, Gateway};
use crate::surface::{self, Client};

impl Gateway {
    /// Answers a Worker's `fetch` event.
    ///
    /// - The client's address is what Cloudflare says it is
    ///   ([`cf-connecting-ip`](https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip)).
    /// - Usage is recorded after the answer, by `waitUntil`.
    /// - When the client leaves, the call to the provider is given up. The runtime tells of it at once with the compatibility flag
    ///   `enable_request_signal`, else with the next piece that is written.
    ///
    /// # Errors
    /// When the runtime does not take the answer; what goes wrong in the gateway is an answer.
    pub async fn serve(
        &self,
        request: worker::Request,
        context: worker::Context,
    ) -> worker::Result<worker::Response> {
        let incoming = request.inner();
        let background = Arc::new(WaitUntil::new(&context));
        let mut response = match request_from_js(incoming) {
            Ok(request) => {
                let address = request.headers().get("cf-connecting-ip");
                let address = address.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                let caller = Caller::new(Arc::clone(&background) as _).with_address(address);
                match select(pin!(self.handle(request, caller)), pin!(client_gone(incoming))).await {
                    Either::Left((response, _)) => response,
                    // Nobody reads it; the call and its record end with the future that is dropped here.
                    Either::Right(_) => surface::error_response(
                        Client::OpenAi,
                        &Error::new(ErrorKind::Cancelled, "the client left"),
                    ),
                }
            }
            Err(error) => surface::error_response(Client::OpenAi, &error),
        };
        if let Err(error) = upgrade(&mut response, &*background) {
            response = surface::error_response(Client::OpenAi, &error);
        }
        into_worker(response.map(|body| match body.as_bytes() {
            Some(_) => body,
            None => Body::from_stream(body.into_stream().take_until(Box::pin(client_gone(incoming)))),
        }))
    }
}

/// Answers that the gateway could not be put together, with what its operator has to do, in the words that clients of the gateway
/// understand.
///
/// # Errors
/// When the runtime does not take the answer.
pub fn unavailable(error: &Error) -> worker::Result<worker::Response> {
    log(Level::Error, &format!("the gateway is not there: {error}"));
    into_worker(surface::error_response(Client::OpenAi, error))
}

fn into_worker(response: http::Response<Body>) -> worker::Result<worker::Response> {
    response_to_js(response)
        .map(Into::into)
        .map_err(|error| worker::Error::RustError(error.to_string()))
}
