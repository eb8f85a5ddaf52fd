use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edge_ai_core::{Clock, Context, Timestamp};
use futures_util::FutureExt;

use super::{PaceStore, Paces};

/// A store of paces, and when it is asked next.
#[derive(Debug)]
pub(in crate::route) struct Shared {
    store: Arc<dyn PaceStore>,
    every: Duration,
    next: AtomicU64,
}

impl Shared {
    /// Exchanges with `store` so often, and with the first request.
    pub(in crate::route) fn new(store: Arc<dyn PaceStore>, every: Duration) -> Self {
        Self {
            store,
            every,
            next: AtomicU64::new(0),
        }
    }

    /// Exchanges behind the request, if it is time to.
    pub(in crate::route) fn exchange(&self, paces: &Arc<Paces>, clock: &Arc<dyn Clock>, context: &Context) {
        let Some(background) = &context.background else {
            return;
        };
        if paces.0.is_empty() || !self.is_due(clock.now()) {
            return;
        }
        let (paces, clock, store) = (Arc::clone(paces), Arc::clone(clock), Arc::clone(&self.store));
        let trail = context.trail.clone();
        let work = async move {
            if let Err(error) = exchange(&paces, &*store, &*clock).await {
                trail.warn(format!("paces: {error}"));
            }
        };
        background.run(work.boxed());
    }

    /// Whether it is time, for one request alone. One whose exchange is killed does not hold up the next.
    fn is_due(&self, now: Timestamp) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        let due = now.as_nanos() >= next || next - now.as_nanos() > 2 * self.every_nanos();
        let then = now.as_nanos().saturating_add(self.every_nanos());
        due && self
            .next
            .compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn every_nanos(&self) -> u64 {
        u64::try_from(self.every.as_nanos()).unwrap_or(u64::MAX / 4)
    }
}

async fn exchange(paces: &Paces, store: &dyn PaceStore, clock: &dyn Clock) -> edge_ai_core::Result<()> {
    let taken = paces.take_fresh();
    let mut known = match store.load().await {
        Ok(known) => known,
        Err(error) => {
            paces.give_back(&taken);
            return Err(error);
        }
    };
    known.tidy(clock.now());
    if !taken.is_empty() {
        let mut all = known.clone();
        all.merge(&taken);
        if let Err(error) = store.save(&all).await {
            paces.give_back(&taken);
            paces.learn(&known);
            return Err(error);
        }
        known = all;
    }
    paces.learn(&known);
    Ok(())
}
