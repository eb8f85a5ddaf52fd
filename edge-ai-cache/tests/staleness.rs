//! What is given past its time, what is refused, and what is forgotten early.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::{CacheRule, CacheRules, CachedChatModel, MemoryCache, MemoryKeyValue, PurgeLog};
use edge_ai_core::{
    CacheMode, CachePolicy, CachePurge, CacheStatus, ChatEvent, ChatModel, ChatRequest, Context, Error,
    ErrorKind, FinishReason, Inline, ManualClock, Purge, Result, Timestamp,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

struct Bench {
    clock: ManualClock,
    model: ScriptedChatModel,
    purges: Arc<PurgeLog>,
    cached: CachedChatModel,
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn bench(model: ScriptedChatModel, rules: impl Into<CacheRules>) -> Bench {
    let clock = ManualClock::new(Timestamp::from_millis(1_000));
    let cache = Arc::new(MemoryCache::new(clock.clone()));
    let purges = Arc::new(PurgeLog::new(MemoryKeyValue::new(clock.clone()), clock.clone()));
    let cached = CachedChatModel::new(Arc::new(model.clone()), cache, clock.clone(), rules);
    Bench {
        cached: cached.purges(Arc::clone(&purges)),
        clock,
        model,
        purges,
    }
}

/// A model that answers 1, 2, 3, …
fn counting() -> ScriptedChatModel {
    (1..10).fold(ScriptedChatModel::new(), |model, n: u32| {
        model.answer(n.to_string())
    })
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "down")
}

struct Answer {
    text: Result<String>,
    status: Option<CacheStatus>,
    age: Option<u64>,
}

impl Bench {
    fn ask_with(&self, set: impl FnOnce(&mut CachePolicy), stream: bool) -> Answer {
        let mut request = ChatRequest::new("m").user("hi");
        request.context = Context::default().with_background(Arc::new(Inline));
        set(&mut request.context.cache);
        let trail = request.context.trail.clone();
        let text = block_on(async {
            if stream {
                let stream = self.cached.chat_stream(request).await?;
                return stream.collect().await.map(|answer| answer.text());
            }
            self.cached.chat(request).await.map(|answer| answer.text())
        });
        Answer {
            text,
            status: trail.cache(),
            age: trail.cache_age().map(|age| age.as_secs()),
        }
    }

    fn ask(&self) -> (String, CacheStatus) {
        let answer = self.ask_with(|_| {}, false);
        (answer.text.unwrap(), answer.status.unwrap())
    }

    fn calls(&self) -> usize {
        self.model.requests().len()
    }
}

fn answered(text: &str, status: CacheStatus) -> (String, CacheStatus) {
    (text.to_owned(), status)
}

#[test]
fn a_stale_answer_is_given_at_once_and_a_new_one_is_asked_for_behind_it() {
    for stream in [false, true] {
        let rule = CacheRule::new(secs(10)).stale_while_revalidate(secs(20));
        let bench = bench(counting(), rule);
        let ask = || bench.ask_with(|_| {}, stream);
        assert_eq!(ask().text.unwrap(), "1");
        bench.clock.advance(secs(15));
        let stale = ask();
        assert_eq!(
            (stale.text.unwrap(), stale.status, stale.age),
            ("1".into(), Some(CacheStatus::Stale), Some(15))
        );
        assert_eq!(bench.calls(), 2);
        let fresh = ask();
        assert_eq!(
            (fresh.text.unwrap(), fresh.status, fresh.age),
            ("2".into(), Some(CacheStatus::Hit), Some(0))
        );
        bench.clock.advance(secs(30));
        let late = ask();
        assert_eq!(
            (late.text.unwrap(), late.status, late.age),
            ("3".into(), Some(CacheStatus::Miss), None)
        );
    }
}

#[test]
fn a_new_answer_that_fails_leaves_the_old_one() {
    let model = ScriptedChatModel::new().answer("1").fail(down()).answer("2");
    let bench = bench(model, CacheRule::new(secs(10)).stale_while_revalidate(secs(20)));
    bench.ask();
    bench.clock.advance(secs(15));
    assert_eq!(bench.ask(), answered("1", CacheStatus::Stale));
    assert_eq!(bench.ask(), answered("1", CacheStatus::Stale));
    assert_eq!(bench.ask(), answered("2", CacheStatus::Hit));
}

#[test]
fn without_a_background_a_stale_answer_is_a_miss() {
    let bench = bench(
        counting(),
        CacheRule::new(secs(10)).stale_while_revalidate(secs(20)),
    );
    bench.ask();
    bench.clock.advance(secs(15));
    let answer = block_on(bench.cached.chat(ChatRequest::new("m").user("hi"))).unwrap();
    assert_eq!(answer.text(), "2");
}

#[test]
fn an_old_answer_is_better_than_an_error_for_a_while() {
    let model = ScriptedChatModel::new()
        .answer("1")
        .fail(down())
        .fail(down())
        .fail(Error::invalid("messages", "wrong"))
        .fail(down());
    let bench = bench(model, CacheRule::new(secs(10)).stale_if_error(secs(60)));
    bench.ask();
    bench.clock.advance(secs(20));
    assert_eq!(bench.ask(), answered("1", CacheStatus::Stale));
    let streamed = bench.ask_with(|_| {}, true);
    assert_eq!((streamed.text.unwrap(), streamed.age), ("1".into(), Some(20)));
    let wrong = bench.ask_with(|_| {}, false);
    assert_eq!(wrong.text.unwrap_err().kind(), ErrorKind::InvalidRequest);
    bench.clock.advance(secs(60));
    assert_eq!(
        bench.ask_with(|_| {}, false).text.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

#[test]
fn who_wants_a_new_answer_gets_an_old_one_only_by_its_own_word() {
    let model = ScriptedChatModel::new().answer("1").fail(down()).fail(down());
    let bench = bench(model, CacheRule::new(secs(10)).stale_if_error(secs(60)));
    bench.ask();
    let refreshed = bench.ask_with(|policy| policy.mode = CacheMode::Refresh, false);
    assert_eq!(refreshed.text.unwrap_err().kind(), ErrorKind::Unavailable);
    let rescued = bench.ask_with(
        |policy| {
            policy.mode = CacheMode::Refresh;
            policy.stale_if_error = Some(secs(5));
        },
        false,
    );
    assert_eq!(rescued.text.unwrap(), "1");
}

#[test]
fn who_wants_a_kept_answer_alone_gets_it_or_504() {
    let bench = bench(counting(), secs(10));
    let only = |policy: &mut CachePolicy| policy.only_if_cached = true;
    for stream in [false, true] {
        let error = bench.ask_with(only, stream).text.unwrap_err();
        assert_eq!((error.status(), error.code()), (504, Some("only_if_cached")));
        assert!(!error.is_retryable());
    }
    assert_eq!(bench.calls(), 0);
    bench.ask();
    assert_eq!(bench.ask_with(only, true).text.unwrap(), "1");
    let skipping = bench.ask_with(
        |policy| {
            only(policy);
            policy.mode = CacheMode::Bypass;
        },
        false,
    );
    assert_eq!(skipping.text.unwrap_err().status(), 504);
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_caller_takes_an_answer_of_its_own_age() {
    let bench = bench(counting(), secs(100));
    bench.ask();
    bench.clock.advance(secs(20));
    let young = |age: u64| bench.ask_with(|policy| policy.max_age = Some(secs(age)), false);
    assert_eq!(young(20).text.unwrap(), "1");
    assert_eq!(young(19).text.unwrap(), "2");
    assert_eq!(young(19).text.unwrap(), "2", "and the new one is kept");
}

#[test]
fn each_route_has_its_rule() {
    let rules = CacheRules::from(secs(10))
        .route("off", CacheRule::off())
        .route("long", CacheRule::new(secs(100)));
    let bench = bench(counting(), rules);
    let ask = |model: &str| {
        let request = ChatRequest::new(model).user("hi");
        let trail = request.context.trail.clone();
        block_on(bench.cached.chat(request)).unwrap();
        trail.cache().unwrap()
    };
    for model in ["m", "off", "long"] {
        ask(model);
    }
    assert_eq!(
        ["m", "off", "long"].map(ask),
        [CacheStatus::Hit, CacheStatus::Bypass, CacheStatus::Hit]
    );
    bench.clock.advance(secs(50));
    assert_eq!(["m", "long"].map(ask), [CacheStatus::Miss, CacheStatus::Hit]);
}

#[test]
fn filtered_answers_are_kept_by_rule_alone() {
    for (rule, calls) in [
        (CacheRule::new(secs(9)), 2),
        (CacheRule::new(secs(9)).filtered(), 1),
    ] {
        let cut = || {
            [
                ChatEvent::Text("half".into()),
                ChatEvent::Finish(FinishReason::ContentFilter),
                ChatEvent::Done,
            ]
        };
        let bench = bench(ScriptedChatModel::new().events(cut()).events(cut()), rule);
        bench.ask_with(|_| {}, true).text.unwrap();
        bench.ask_with(|_| {}, true).text.unwrap();
        assert_eq!(bench.calls(), calls);
    }
}

#[test]
fn what_is_purged_is_asked_for_again() {
    let bench = bench(counting(), secs(100));
    let tagged = |policy: &mut CachePolicy| policy.tags = vec!["prices".into()];
    assert_eq!(bench.ask_with(tagged, false).text.unwrap(), "1");
    assert_eq!(bench.ask(), answered("1", CacheStatus::Hit));
    for (purge, expect) in [
        (Purge::everything().tagged("other"), "1"),
        (Purge::everything().of_tenant("else"), "1"),
        (Purge::everything().tagged("prices"), "2"),
        (Purge::everything().of_model("m"), "3"),
        (Purge::everything(), "4"),
    ] {
        bench.clock.advance(Duration::from_millis(1));
        block_on(bench.purges.purge(&purge)).unwrap();
        bench.clock.advance(Duration::from_millis(1));
        assert_eq!(bench.ask().0, expect, "{purge:?}");
        assert_eq!(bench.ask(), answered(expect, CacheStatus::Hit));
    }
}

#[test]
fn an_answer_that_is_under_way_during_a_purge_is_not_given_after_it() {
    let bench = bench(counting(), secs(100));
    block_on(async {
        let stream = bench
            .cached
            .chat_stream(ChatRequest::new("m").user("hi"))
            .await
            .unwrap();
        bench.clock.advance(secs(1));
        bench.purges.purge(&Purge::everything()).await.unwrap();
        bench.clock.advance(secs(1));
        stream.collect().await.unwrap();
    });
    assert_eq!(bench.ask(), answered("2", CacheStatus::Miss));
}
