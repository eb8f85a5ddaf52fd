use std::future::Future;

use js_sys::futures::JsFuture;
use web_sys::Request;
use worker::send::SendFuture;

use crate::bridge;

/// Resolves when the client of a request has left before its answer was complete; never when it stays.
///
/// Cloudflare tells it with the [compatibility
/// flag](https://developers.cloudflare.com/workers/configuration/compatibility-flags/) `enable_request_signal`, as long as something keeps
/// the request's context alive, such as work given to `waitUntil`. Without the flag, and with `workerd` on a developer's machine
/// ([workerd#5062](https://github.com/cloudflare/workerd/pull/5062)), a client that leaves is noticed when the next piece of a streamed
/// answer is written.
pub fn client_gone(request: &Request) -> impl Future<Output = ()> + Send + 'static {
    let gone = SendFuture::new(JsFuture::from(bridge::gone(request)));
    async move {
        // The promise is never rejected.
        let _ = gone.await;
    }
}
