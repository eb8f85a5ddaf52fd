use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use edge_ai_core::Result;
use futures_channel::oneshot;

use crate::run::RunInput;

/// What others tell a run that is being driven, each with who waits for it to be kept.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<Letters>);

#[derive(Debug, Default)]
struct Letters {
    driven: bool,
    queue: VecDeque<Letter>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(super) struct Letter {
    pub(super) input: RunInput,
    pub(super) kept: oneshot::Sender<Result<()>>,
}

impl Inbox {
    /// The right to drive, which one has at a time.
    pub(super) fn drive(&self) -> Option<Driving<'_>> {
        let mut letters = self.lock();
        if std::mem::replace(&mut letters.driven, true) {
            return None;
        }
        Some(Driving(self))
    }

    /// Tells whoever drives; `None` when nobody does.
    pub(super) fn tell(&self, input: RunInput) -> Option<oneshot::Receiver<Result<()>>> {
        let mut letters = self.lock();
        if !letters.driven {
            return None;
        }
        let (kept, answer) = oneshot::channel();
        letters.queue.push_back(Letter { input, kept });
        let waker = letters.waker.take();
        drop(letters);
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(answer)
    }

    pub(super) fn take(&self) -> VecDeque<Letter> {
        std::mem::take(&mut self.lock().queue)
    }

    pub(super) fn is_driven(&self) -> bool {
        self.lock().driven
    }

    /// Waits until there is something.
    pub(super) async fn filled(&self) {
        poll_fn(|context| {
            let mut letters = self.lock();
            if letters.queue.is_empty() {
                letters.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with its drop, also when a future that drives is dropped; letters that nobody has read go back unanswered.
#[derive(Debug)]
pub(super) struct Driving<'a>(&'a Inbox);

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        let mut letters = self.0.lock();
        letters.driven = false;
        letters.queue.clear();
    }
}
