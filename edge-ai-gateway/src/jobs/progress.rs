use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use edge_ai_core::Error;

/// What is seen of a request from outside while it is under way: its meter tells.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    output_tokens: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Progress {
    /// About how many tokens have been written.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.output_tokens.load(Ordering::Relaxed)
    }

    pub(crate) fn wrote(&self, output_tokens: u64) {
        self.output_tokens.store(output_tokens, Ordering::Relaxed);
    }

    /// What went wrong, even in the middle of a stream.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn failed(&self, error: &Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    }
}
