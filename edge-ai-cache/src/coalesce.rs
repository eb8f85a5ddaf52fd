//! Equal requests at the same time share one call.

mod client;
mod lead;
mod local;
mod piece;
mod room;
mod serve;

#[cfg(feature = "durable-object")]
mod object;
#[cfg(feature = "worker")]
mod workers;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Body, CacheKey, Result};

pub(crate) use client::{Joined, Meeting, Meets};
pub use local::LocalRooms;
#[cfg(feature = "durable-object")]
pub use object::CoalescingObject;
#[cfg(feature = "worker")]
pub use workers::WorkerRooms;

/// Where equal requests meet: for each key a room, that all who ask for the key reach.
///
/// The first in a room leads: it asks the model, and hands every piece of the answer to the room on its way to its own client. Those
/// that come after it follow: they get the pieces from the first on, as they arrive. A room keeps one answer of at most 2 MiB, and has at most
/// 512 followers; who comes too late for that asks for itself.
///
/// - A leader that fails is followed in its failure: all get the same error, and none of them tries again.
/// - A leader that is lost (its client left, its isolate ended) before there was content is replaced by one of those who wait, at most twice.
///   It is missed at once when its connection breaks, else after 15 seconds without a sign of life. Later than that, those who have begun to
///   answer break off as the leader did; a client that leaves does not end a stream that others follow.
/// - A room that cannot be reached is passed by.
#[async_trait]
pub trait CoalescingRooms: fmt::Debug + Send + Sync + 'static {
    /// Hands a request to the room of `key`, and returns its answer. What they say to each other is this crate's affair.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when the room cannot be reached.
    async fn ask(&self, key: &CacheKey, request: http::Request<Body>) -> Result<http::Response<Body>>;
}

#[async_trait]
impl<T: CoalescingRooms + ?Sized> CoalescingRooms for Arc<T> {
    async fn ask(&self, key: &CacheKey, request: http::Request<Body>) -> Result<http::Response<Body>> {
        (**self).ask(key, request).await
    }
}
