use std::sync::Arc;
use std::time::Duration;

use edge_ai::cache::MemoryCache;
use edge_ai::core::{
    CacheStatus, Clock, ErrorKind, Inline, ManualClock, Outcome, SeededEntropy, Timestamp, UsageRecord,
};
use edge_ai::gateway::{Caller, Route, Timeouts};
use edge_ai::providers::{Anthropic, OpenAi};
use edge_ai::{EdgeAi, Secret};
use edge_ai_testkit::memory::MemoryUsageSink;
use futures_executor::block_on;

use crate::client::{Client, Got};
use crate::fault::{Dice, Mix};
use crate::vendor::{Vendors, answer_to};

/// A gateway over two vendors, with whoever asks it.
pub(crate) struct World {
    clock: ManualClock,
    dice: Arc<Dice>,
    edge: EdgeAi,
    sink: MemoryUsageSink,
    timeouts: Timeouts,
}

/// How requests ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) left: u64,
    pub(crate) hits: u64,
    calls: u64,
    without_usage: u64,
}

/// Between two frames, of which there may be some that a client passes over.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

impl World {
    pub(crate) fn new(mix: Mix, seed: u64) -> Self {
        let clock = ManualClock::jumping(Timestamp::from_millis(1_790_000_000_000));
        let dice = Arc::new(Dice::new(seed));
        let sink = MemoryUsageSink::new();
        let vendors = Arc::new(Vendors::new(clock.clone(), Arc::clone(&dice), mix));
        let openai = OpenAi::builder(Arc::clone(&vendors) as _, Secret::new("sk-1"))
            .build()
            .unwrap();
        let anthropic = Anthropic::builder(vendors, Secret::new("sk-1")).build().unwrap();
        let mut timeouts = Timeouts::default();
        timeouts.total = Duration::from_secs(60);
        timeouts.answer = Duration::from_secs(20);
        timeouts.first_token = Duration::from_secs(10);
        timeouts.idle = Duration::from_secs(10);
        let edge = EdgeAi::builder_with(clock.clone(), SeededEntropy::new(seed))
            .provider(openai)
            .provider(anthropic)
            .route(
                "smart",
                Route::fallback(["openai/gpt-5", "anthropic/claude-sonnet-4-5"]),
            )
            .route(
                "even",
                Route::weighted([("openai/gpt-5", 1), ("anthropic/claude-sonnet-4-5", 1)]),
            )
            .cache(MemoryCache::new(clock.clone()), Duration::from_secs(300))
            .usage(sink.clone())
            .timeouts(timeouts)
            .build()
            .unwrap();
        Self {
            clock,
            dice,
            edge,
            sink,
            timeouts,
        }
    }

    pub(crate) fn run(&self, requests: u64) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..requests {
            self.one(&mut tally);
        }
        tally
    }

    fn one(&self, tally: &mut Tally) {
        let client = *self.dice.pick(&[
            Client {
                anthropic: false,
                stream: false,
            },
            Client {
                anthropic: false,
                stream: true,
            },
            Client {
                anthropic: true,
                stream: false,
            },
            Client {
                anthropic: true,
                stream: true,
            },
        ]);
        let model = *self.dice.pick(&["smart", "even"]);
        // A tenth of all questions are among those that many ask.
        let range = if self.dice.chance(0.1) { 50 } else { u64::MAX };
        let question = format!("Question {}?", self.dice.below(range));
        let leaves_after = (client.stream && self.dice.chance(0.02)).then(|| 1 + self.dice.below(4));
        let expected = answer_to(&question).concat();

        let arrived = self.clock.now();
        let got = block_on(async {
            let request = client.request(model, &question);
            let caller = Caller::new(Arc::new(Inline));
            let response = self.edge.gateway().handle(request, caller).await;
            let waited = self.clock.now().since(arrived);
            assert!(waited <= self.timeouts.total, "the head came after {waited:?}");
            client.read(response, leaves_after, &self.clock, KEEP_ALIVE).await
        });
        let records = self.sink.take();
        let [record] = records.as_slice() else {
            panic!("{} records of one request", records.len());
        };
        tally.calls += u64::try_from(record.attempts.len()).unwrap();
        match &got {
            Got::Answer(text) => {
                tally.answered += 1;
                assert_eq!(*text, expected);
                self.check_answered(record, tally);
            }
            Got::Error { status, before } => {
                tally.failed += 1;
                assert!(
                    expected.starts_with(before.as_str()),
                    "{before} is no part of {expected}"
                );
                assert!(
                    [200, 429, 500, 502, 503, 504, 529].contains(status),
                    "{status}: {record:?}"
                );
                assert!(matches!(record.outcome, Outcome::Error(_)), "{record:?}");
                assert_ne!(record.cache, Some(CacheStatus::Hit));
            }
            Got::Left => {
                tally.left += 1;
                let ended = [Outcome::Ok, Outcome::Error(ErrorKind::Cancelled)];
                assert!(
                    ended.contains(&record.outcome) || matches!(record.outcome, Outcome::Error(_)),
                    "{record:?}"
                );
            }
        }
    }

    fn check_answered(&self, record: &UsageRecord, tally: &mut Tally) {
        assert_eq!(record.outcome, Outcome::Ok, "{record:?}");
        let Some(usage) = record.usage else {
            // Cut after the reason to end and before the usage: complete all the same.
            tally.without_usage += 1;
            return;
        };
        if record.cache == Some(CacheStatus::Hit) {
            tally.hits += 1;
            assert_eq!(usage.total_tokens(), 0);
            assert!(record.attempts.is_empty());
        } else {
            assert_eq!((usage.input_tokens, usage.output_tokens), (9, 5));
            assert!(record.cost.is_some());
            assert!(record.attempts.last().unwrap().error.is_none());
        }
    }
}
