use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{Clock, Entropy, Error, ErrorKind, Result, UsageRecord, UsageSink, timeout};

/// Several places for a record, of which the first that takes it keeps it.
///
/// Each is tried three times, with pauses that double and jitter, and given five seconds a try; then the next one's turn comes. A place that says that
/// trying again is no use (a binding is missing, a table is not there) is passed over at once. All of it ends within 25 seconds, inside the
/// [30 seconds](https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil) that a Worker has after its answer.
///
/// A place may have kept what it was too slow to confirm, so the next one may have it as well: stores keep a record once, by its `request_id`.
///
/// ```
/// use edge_ai_core::{Error, ErrorKind, ManualClock, Operation, SeededEntropy, Timestamp, UsageRecord, UsageSink};
/// use edge_ai_gateway::UsageFallback;
/// use edge_ai_testkit::memory::MemoryUsageSink;
///
/// # futures_executor::block_on(async {
/// let down = MemoryUsageSink::failing(Error::new(ErrorKind::Unavailable, "down"));
/// let up = MemoryUsageSink::new();
/// let sink = UsageFallback::new(ManualClock::jumping(Timestamp::default()), SeededEntropy::new(1))
///     .place(down.clone())
///     .place(up.clone());
/// sink.record(&UsageRecord::new("r", Timestamp::default(), Operation::Chat, "m")).await?;
/// assert_eq!((down.records().len(), up.records().len()), (3, 1));
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub struct UsageFallback {
    places: Vec<Arc<dyn UsageSink>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const TRY: Duration = Duration::from_secs(5);
const ALL: Duration = Duration::from_secs(25);

impl UsageFallback {
    /// No place yet.
    pub fn new(clock: impl Clock, entropy: impl Entropy) -> Self {
        Self {
            places: Vec::new(),
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
        }
    }

    /// Adds a place that is tried when those before it have failed.
    #[must_use]
    pub fn place(mut self, sink: impl UsageSink) -> Self {
        self.places.push(Arc::new(sink));
        self
    }

    async fn keep<F: Future<Output = Result<()>>>(
        &self,
        keep: impl Fn(Arc<dyn UsageSink>) -> F,
    ) -> Result<()> {
        let deadline = self.clock.now() + ALL;
        let mut failures = Vec::new();
        for (at, place) in self.places.iter().enumerate() {
            for tried in 1..=TRIES {
                let left = deadline.since(self.clock.now());
                // The last place is mostly a log line: it has its turn even when time is up.
                let limit = if at + 1 == self.places.len() {
                    TRY
                } else {
                    TRY.min(left)
                };
                let Err(error) = timeout(&*self.clock, limit, keep(Arc::clone(place))).await else {
                    return Ok(());
                };
                let again = error.is_retryable() && tried < TRIES;
                let pause = self.pause(tried, &error);
                if !again || self.clock.now() + pause >= deadline {
                    failures.push(error.to_string());
                    break;
                }
                self.clock.sleep(pause).await;
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            format!("no place took the record: {}", failures.join("; ")),
        ))
    }

    /// What was asked for, or a doubling time of which the upper half is random.
    fn pause(&self, tried: u32, error: &Error) -> Duration {
        let full = FIRST_PAUSE * 2_u32.pow(tried.min(8));
        let half = full / 2;
        let jitter = (u64::from(self.entropy.next_u64() as u32) * half.as_millis() as u64) >> 32;
        error
            .retry_after()
            .unwrap_or(half + Duration::from_millis(jitter))
    }
}

impl fmt::Debug for UsageFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UsageFallback").field(&self.places).finish()
    }
}

#[async_trait]
impl UsageSink for UsageFallback {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        self.keep(|place| async move { place.record(record).await }).await
    }

    async fn record_all(&self, records: &[UsageRecord]) -> Result<()> {
        self.keep(|place| async move { place.record_all(records).await })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ManualClock, Operation, SeededEntropy, Timestamp};
    use edge_ai_testkit::memory::MemoryUsageSink;
    use futures_executor::block_on;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    /// Fails, keeps and hangs as it was told, one answer after the other, then keeps.
    #[derive(Debug)]
    struct Flaky {
        answers: Mutex<Vec<u8>>,
        kept: Arc<Mutex<BTreeMap<String, UsageRecord>>>,
    }

    #[async_trait]
    impl UsageSink for Flaky {
        async fn record(&self, record: &UsageRecord) -> Result<()> {
            let answer = self.answers.lock().unwrap().pop();
            let keep = || {
                self.kept
                    .lock()
                    .unwrap()
                    .insert(record.request_id.clone(), record.clone());
            };
            match answer {
                None | Some(0) => keep(),
                Some(1) => return Err(Error::new(ErrorKind::Unavailable, "down")),
                Some(2) => return Err(Error::new(ErrorKind::Configuration, "no such table")),
                Some(3) => {
                    keep();
                    return Err(Error::new(
                        ErrorKind::Interrupted,
                        "kept, and cut before it was said",
                    ));
                }
                _ => std::future::pending().await,
            }
            Ok(())
        }
    }

    fn record(id: usize) -> UsageRecord {
        UsageRecord::new(format!("r{id}"), Timestamp::default(), Operation::Chat, "m")
    }

    proptest! {
        /// Whatever the stores do, as long as the last place takes what it is given: no record is lost, and none counts twice.
        #[test]
        fn rows_equal_requests(first in prop::collection::vec(0_u8..5, 0..40), second in prop::collection::vec(0_u8..5, 0..40), requests in 1_usize..12) {
            let clock = ManualClock::jumping(Timestamp::default());
            let kept = Arc::new(Mutex::new(BTreeMap::new()));
            let place = |answers| Flaky { answers: Mutex::new(answers), kept: Arc::clone(&kept) };
            let sink = UsageFallback::new(clock.clone(), SeededEntropy::new(1))
                .place(place(first))
                .place(place(second))
                .place(place(Vec::new()));
            for id in 0..requests {
                let began = clock.now();
                block_on(sink.record(&record(id))).unwrap();
                prop_assert!(clock.now().since(began) < Duration::from_secs(30));
            }
            prop_assert_eq!(kept.lock().unwrap().len(), requests);
        }
    }

    #[test]
    fn what_stays_wrong_is_not_tried_again_and_all_failures_are_told() {
        let wrong = MemoryUsageSink::failing(Error::new(ErrorKind::Configuration, "no such table"));
        let down = MemoryUsageSink::failing(Error::new(ErrorKind::Unavailable, "down"));
        let sink = UsageFallback::new(ManualClock::jumping(Timestamp::default()), SeededEntropy::new(1))
            .place(wrong.clone())
            .place(down.clone());
        let error = block_on(sink.record_all(&[record(1)])).unwrap_err();
        assert_eq!((wrong.records().len(), down.records().len()), (1, 3));
        assert!(
            error.message().contains("no such table") && error.message().contains("down"),
            "{error}"
        );
    }
}
