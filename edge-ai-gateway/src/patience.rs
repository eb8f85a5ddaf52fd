use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::Clock;
use futures_util::future::{BoxFuture, Either, select};

/// Waits for one thing after another, for each so long and no longer. Time in which nobody waits does not count.
///
/// One timer serves many waits: it is set anew only when it has run out, before a wait was long enough or after.
pub(crate) struct Patience {
    clock: Arc<dyn Clock>,
    limit: Duration,
    timer: Option<BoxFuture<'static, ()>>,
}

impl Patience {
    /// Waits at most for `limit` each time.
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self {
            clock,
            limit,
            timer: None,
        }
    }

    /// How long it waits.
    pub(crate) const fn limit(&self) -> Duration {
        self.limit
    }

    /// What comes of `work`; `None` when it is not there in time.
    pub(crate) async fn wait<T>(&mut self, mut work: impl Future<Output = T> + Unpin) -> Option<T> {
        let since = self.clock.now();
        loop {
            let clock = Arc::clone(&self.clock);
            let left = self.limit.saturating_sub(clock.now().since(since));
            let timer = self
                .timer
                .take()
                .unwrap_or_else(|| Box::pin(async move { clock.sleep(left).await }));
            match select(&mut work, timer).await {
                Either::Left((done, timer)) => {
                    self.timer = Some(timer);
                    return Some(done);
                }
                Either::Right(_) if self.clock.now().since(since) >= self.limit => return None,
                Either::Right(_) => {}
            }
        }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
