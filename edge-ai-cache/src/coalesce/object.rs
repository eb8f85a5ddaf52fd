#![expect(missing_docs, reason = "the macro makes the runtime's methods public")]

use std::sync::Arc;

use edge_ai_worker::{WorkerClock, request_from_js, response_to_js};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::room::Room;
use super::serve::serve;

/// The Durable Object class in which equal requests meet: one object for each key, with nothing in its storage.
///
/// A Worker exports it with one line, and names it in its configuration:
///
/// ```ignore
/// pub use edge_ai::cache::CoalescingObject;
/// ```
///
/// ```jsonc
/// "durable_objects": { "bindings": [{ "name": "COALESCE", "class_name": "CoalescingObject" }] },
/// "migrations": [{ "tag": "coalesce", "new_sqlite_classes": ["CoalescingObject"] }]
/// ```
#[durable_object]
#[derive(Debug)]
pub struct CoalescingObject {
    room: Arc<Room>,
}

impl DurableObject for CoalescingObject {
    fn new(_state: State, _env: Env) -> Self {
        Self {
            room: Arc::new(Room::new(Arc::new(WorkerClock))),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let failed = |error: edge_ai_core::Error| worker::Error::RustError(error.to_string());
        let request = request_from_js(request.inner()).map_err(failed)?;
        let response = serve(Arc::clone(&self.room), request).await;
        response_to_js(response).map(Into::into).map_err(failed)
    }
}
