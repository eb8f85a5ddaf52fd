use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use edge_ai_core::{Background, ErrorKind};
use js_sys::Promise;
use js_sys::futures::future_to_promise;
use wasm_bindgen::prelude::*;

use crate::console::{Level, log};
use crate::error::js_error;

/// Work after the answer, by the `waitUntil` of a request's or event's context: up to 30 seconds of it.
#[derive(Clone, Debug)]
pub struct WaitUntil(Context);

impl WaitUntil {
    /// For the request or event that `context` came with.
    pub fn new(context: &worker::Context) -> Self {
        let context: &JsValue = context.as_ref().as_ref();
        Self(context.clone().unchecked_into())
    }
}

impl Background for WaitUntil {
    fn run(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Nothing is used after a panic: the runtime starts the Worker anew.
        let promise = future_to_promise(AssertUnwindSafe(async move {
            work.await;
            Ok(JsValue::UNDEFINED)
        }));
        if let Err(thrown) = self.0.wait_until(&promise) {
            // The work runs all the same, while the request lasts.
            log(Level::Error, &js_error(ErrorKind::Internal, &thrown).to_string());
        }
    }
}

#[wasm_bindgen]
extern "C" {
    #[derive(Clone, Debug)]
    type Context;

    #[wasm_bindgen(method, catch, js_name = waitUntil)]
    fn wait_until(this: &Context, work: &Promise) -> Result<(), JsValue>;
}
