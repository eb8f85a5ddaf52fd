use std::fmt;

use futures_util::future::BoxFuture;

/// Runs work that the answer does not wait for: usage records, cache writes.
///
/// In a Worker it is the request's `waitUntil`, which keeps the isolate alive for up to 30 seconds after the answer
/// ([limits](https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil)); natively it is a spawned task.
pub trait Background: fmt::Debug + Send + Sync + 'static {
    /// Runs `work` to its end, even if the request that gave it is over.
    fn run(&self, work: BoxFuture<'static, ()>);
}

/// Drives the work at once on the calling thread: for tests and tools whose work never waits for the outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detached;

impl Background for Detached {
    fn run(&self, work: BoxFuture<'static, ()>) {
        // Work that is ready when polled needs no executor.
        let _ = futures_util::FutureExt::now_or_never(work);
    }
}
