use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use crate::RunEvent;

/// How many batches a watcher may be behind before it reads them from the log.
const BEHIND: usize = 256;

/// Tells watchers of events that are in the log.
#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<Vec<Weak<Mutex<Ear>>>>);

/// Events in a row.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) turn: u64,
    pub(super) first: u64,
    pub(super) events: Arc<[RunEvent]>,
}

#[derive(Debug, Default)]
struct Ear {
    batches: VecDeque<Batch>,
    waker: Option<Waker>,
    stirred: bool,
}

impl Feed {
    pub(super) fn publish(&self, turn: u64, first: u64, events: Vec<RunEvent>) {
        if events.is_empty() {
            return;
        }
        let batch = Batch {
            turn,
            first,
            events: events.into(),
        };
        self.each(|ear| {
            if ear.batches.len() >= BEHIND {
                ear.batches.clear();
            }
            ear.batches.push_back(batch.clone());
        });
    }

    /// Lets watchers look again.
    pub(super) fn stir(&self) {
        self.each(|ear| ear.stirred = true);
    }

    pub(super) fn subscribe(&self) -> Subscription {
        let ear = Arc::new(Mutex::new(Ear::default()));
        lock(&self.0).push(Arc::downgrade(&ear));
        Subscription(ear)
    }

    fn each(&self, mut tell: impl FnMut(&mut Ear)) {
        let mut wakers = Vec::new();
        lock(&self.0).retain(|ear| {
            let Some(ear) = ear.upgrade() else { return false };
            let mut ear = lock(&ear);
            tell(&mut ear);
            wakers.extend(ear.waker.take());
            true
        });
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[derive(Debug)]
pub(super) struct Subscription(Arc<Mutex<Ear>>);

impl Subscription {
    /// The next batch; `None` when there may be something to look for.
    pub(super) async fn next(&self) -> Option<Batch> {
        poll_fn(|context| {
            let mut ear = lock(&self.0);
            if let Some(batch) = ear.batches.pop_front() {
                return Poll::Ready(Some(batch));
            }
            if std::mem::take(&mut ear.stirred) {
                return Poll::Ready(None);
            }
            ear.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
