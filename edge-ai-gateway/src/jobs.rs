//! Long work: requests that are queued instead of awaited.

pub(crate) mod endpoint;
pub(crate) mod envelope;
pub(crate) mod host;
mod local;
mod progress;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod serve;
mod shown;
pub(crate) mod state;
pub(crate) mod storage;
pub(crate) mod ticket;
mod watch;
mod webhook;
mod work;

#[cfg(feature = "long-work")]
mod object;
#[cfg(feature = "worker")]
mod workers;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::Result;

pub use local::LocalJobs;
#[cfg(feature = "long-work")]
pub use object::JobObject;
pub(crate) use progress::Progress;
pub use work::LongWork;
pub(crate) use work::{Submission, Surface};
#[cfg(feature = "worker")]
pub use workers::WorkerJobs;

/// Where jobs are kept: for each identifier an object that answers one request after the other, and wakes by itself.
///
/// `WorkerJobs` are Durable Objects; [`LocalJobs`] live in the memory of one process.
#[async_trait]
pub trait JobObjects: std::fmt::Debug + Send + Sync + 'static {
    /// Hands a request to the object of `id`, and returns its answer. What they say to each other is this crate's affair.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when the object cannot be reached.
    async fn ask(&self, id: &str, request: http::Request<Bytes>) -> Result<http::Response<Bytes>>;
}
