use std::fmt;

use futures_util::future::BoxFuture;

/// Runs work that the answer does not wait for: usage records, cache writes.
///
/// In a Worker it is the request's `waitUntil`, which keeps the isolate alive for up to 30 seconds after the answer
/// ([limits](https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil)); natively it is a spawned task:
///
/// ```
/// use edge_ai_core::Background;
///
/// #[derive(Debug)]
/// struct Spawned;
///
/// impl Background for Spawned {
///     fn run(&self, work: futures_util::future::BoxFuture<'static, ()>) {
///         // With tokio: `tokio::spawn(work);`
///         std::thread::spawn(|| futures_executor::block_on(work));
///     }
/// }
/// ```
pub trait Background: fmt::Debug + Send + Sync + 'static {
    /// Runs `work` to its end, even if the request that gave it is over.
    fn run(&self, work: BoxFuture<'static, ()>);
}

/// Does the work at once on the calling thread, as far as it goes without waiting: for tests and tools that keep things in memory.
///
/// Work that waits for the outside is dropped where it waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Background for Inline {
    fn run(&self, work: BoxFuture<'static, ()>) {
        let _ = futures_util::FutureExt::now_or_never(work);
    }
}
