use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{CacheKey, ChatModel, ChatRequest, Timestamp};

use super::CachedChatModel;

/// The keys for which a new answer is under way in this isolate.
#[derive(Clone, Debug, Default)]
pub(super) struct Refreshes(Arc<Mutex<HashMap<CacheKey, Timestamp>>>);

impl Refreshes {
    /// How many go on at once.
    const MAX: usize = 256;

    /// After so long one is taken as lost: a Worker ends what a request leaves behind after 30 seconds, without a word.
    const LOST: Duration = Duration::from_secs(60);

    /// Whether the caller is to ask for the new answer: nobody else does.
    fn begin(&self, key: &CacheKey, now: Timestamp) -> bool {
        self.with(|under_way| {
            if under_way.len() >= Self::MAX {
                under_way.retain(|_, since| now.since(*since) < Self::LOST);
            }
            let taken = under_way
                .get(key)
                .is_some_and(|since| now.since(*since) < Self::LOST);
            if taken || under_way.len() >= Self::MAX {
                return false;
            }
            under_way.insert(key.clone(), now);
            true
        })
    }

    fn end(&self, key: &CacheKey) {
        self.with(|under_way| under_way.remove(key));
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<CacheKey, Timestamp>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CachedChatModel {
    /// Sees to it that a new answer is asked for behind the request; `false` where nothing can be done behind it.
    pub(super) fn refresh(&self, request: &ChatRequest, key: &CacheKey, salt: &[u8], stream: bool) -> bool {
        let Some(background) = &request.context.background else {
            return false;
        };
        if !self.refreshes.begin(key, self.clock.now()) {
            return true;
        }
        let (model, key, mut request) = (self.clone(), key.clone(), request.clone());
        let salt = salt.to_vec();
        let ended = Ended(self.refreshes.clone(), key.clone());
        background.run(Box::pin(async move {
            let _ended = ended;
            // Its way is not that of the request that is answered already, nor is its time.
            let trail = std::mem::take(&mut request.context.trail);
            request.context.deadline = None;
            let rule = model.rules.of(&request.model);
            let question = super::semantic::question(&request, &salt).ok().flatten();
            let question = question.filter(|_| rule.semantic);
            let keeper = model.keeper(&request, rule, key, question);
            let outcome = if stream {
                match model.model.chat_stream(request).await {
                    Ok(stream) => stream.collect().await.map(Into::into),
                    Err(error) => Err(error),
                }
            } else {
                model.model.chat(request).await
            };
            match outcome {
                Ok(answer) => keeper.keep(&answer).await,
                Err(error) => trail.warn(format!("cache: no new answer: {error}")),
            }
        }));
        true
    }
}

/// A refresh that ends, or is dropped, makes room for the next.
struct Ended(Refreshes, CacheKey);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_for_each_key_until_it_is_lost() {
        let refreshes = Refreshes::default();
        let key = |n: u8| CacheKey::from_digest("t", &[n]);
        let at = |secs: u64| Timestamp::from_millis(1_000 * secs);
        assert!(refreshes.begin(&key(1), at(0)));
        assert!(!refreshes.begin(&key(1), at(59)));
        assert!(refreshes.begin(&key(2), at(59)));
        assert!(refreshes.begin(&key(1), at(60)), "the first is lost");
        drop(Ended(refreshes.clone(), key(1)));
        assert!(refreshes.begin(&key(1), at(61)));
    }
}
