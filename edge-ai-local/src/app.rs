//! The state that requests share.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::anthropic::PromptCache;
use crate::clock::Clock;
use crate::config::Config;
use crate::embedder::Embedder;
use crate::fault::Rules;
use crate::journal::Journal;
use crate::vectorize::Indexes;
use crate::workers_ai::Batches;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    /// Own address, such as `http://127.0.0.1:9900`.
    pub(crate) base: String,
    pub(crate) clock: Clock,
    pub(crate) embedder: Embedder,
    pub(crate) journal: Journal,
    pub(crate) faults: Rules,
    pub(crate) indexes: Indexes,
    pub(crate) batches: Batches,
    pub(crate) prompt_cache: PromptCache,
    requests: AtomicU64,
}

impl App {
    pub(crate) fn new(config: Config, base: String, embedder: Embedder) -> Self {
        let indexes = Indexes::new(&config);
        Self {
            config,
            base,
            clock: Clock::start(),
            embedder,
            journal: Journal::default(),
            faults: Rules::default(),
            indexes,
            batches: Batches::default(),
            prompt_cache: PromptCache::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// Numbers a request, from 1.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }
}
