//! What one request learns of a target serves the next: breakers, cool-downs, the budget of calls.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    ChatModel, ChatRequest, Clock, Context, Error, ErrorKind, ManualClock, Provider, SeededEntropy, Timestamp,
};
use edge_ai_gateway::{RetryPolicy, Route, RouteTable, Router};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
use futures_executor::block_on;
use futures_util::FutureExt;

struct Bench {
    clock: ManualClock,
    router: Router,
}

const START: Timestamp = Timestamp::from_millis(1_000);

/// A router whose route `r` leads to `a`, then `b`.
fn bench(a: ScriptedChatModel, b: ScriptedChatModel) -> Bench {
    let clock = ManualClock::jumping(START);
    let providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(ScriptedProvider::new("a", a.with_clock(clock.clone()))),
        Arc::new(ScriptedProvider::new("b", b.with_clock(clock.clone()))),
    ];
    let routes = vec![("r".to_owned(), Route::fallback(["a/x", "b/y"]))];
    let table = Arc::new(RouteTable::new(providers, routes).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    Bench { clock, router }
}

impl Bench {
    fn ask_within(&self, model: &str, context: &Context) -> Result<String, Error> {
        let request = ChatRequest::new(model).user("hi").with_context(context.clone());
        block_on(self.router.chat(request)).map(|response| response.text())
    }

    /// The providers that were called for one request.
    fn asked(&self, model: &str) -> String {
        let context = Context::default();
        let _ = self.ask_within(model, &context);
        let attempts = context.trail.attempts();
        attempts.iter().map(|attempt| attempt.provider.as_str()).collect()
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(START)
    }

    fn wait(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }
}

fn script() -> ScriptedChatModel {
    ScriptedChatModel::new()
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "down")
}

fn limited(seconds: u64) -> Error {
    Error::new(ErrorKind::RateLimited, "slow down").with_retry_after(Duration::from_secs(seconds))
}

#[test]
fn a_target_that_fails_is_passed_over_until_a_probe_succeeds() {
    let a = script().fail(down()).fail(down()).fail(down()).fail(down());
    let bench = bench(a.otherwise("a"), script().otherwise("b"));
    for _ in 0..3 {
        assert_eq!(bench.asked("r"), "ab");
    }
    assert_eq!(bench.asked("r"), "b", "the breaker is open");
    bench.wait(1_000);
    assert_eq!(bench.asked("r"), "ab", "half-open: a probe, which fails");
    bench.wait(1_999);
    assert_eq!(bench.asked("r"), "b", "open for twice as long");
    bench.wait(1);
    assert_eq!(bench.asked("r"), "a", "a probe that succeeds");
    assert_eq!(bench.asked("r"), "a");
}

#[test]
fn others_go_elsewhere_while_a_probe_is_under_way() {
    let a = script().fail(down()).fail(down()).fail(down()).hang().answer("a");
    let bench = bench(a, script().otherwise("b"));
    (0..3).for_each(|_| assert_eq!(bench.asked("r"), "ab"));
    bench.wait(1_000);
    let mut probe = Box::pin(bench.router.chat(ChatRequest::new("r").user("hi")));
    assert!((&mut probe).now_or_never().is_none());
    assert_eq!(bench.asked("r"), "b");
    drop(probe);
    assert_eq!(bench.asked("r"), "a", "its caller left: the next one probes");
}

#[test]
fn a_cool_down_holds_for_all_requests() {
    let a = script().fail(limited(20)).otherwise("a");
    let bench = bench(a, script().otherwise("b"));
    assert_eq!(bench.asked("r"), "ab");
    bench.wait(19_999);
    assert_eq!(bench.asked("r"), "b");
    bench.wait(1);
    assert_eq!(bench.asked("r"), "a");
}

#[test]
fn with_nobody_else_a_short_cool_down_is_waited_for() {
    let a = script().fail(limited(4)).otherwise("a");
    let mut bench = bench(a, script());
    let patient = bench.router.clone();
    bench.router = bench.router.retry(RetryPolicy::NEVER);
    assert_eq!(bench.asked("a/x"), "a");
    bench.router = patient;
    assert_eq!(
        bench.ask_within("a/x", &Context::default()).unwrap(),
        "a",
        "clones share what they know"
    );
    assert!(bench.elapsed() >= Duration::from_secs(4) && bench.elapsed() < Duration::from_millis(4_200));
}

#[test]
fn with_nobody_else_a_long_cool_down_is_tried() {
    let a = script().fail(limited(100)).answer("a").fail(limited(50));
    let b = script().fail(Error::new(ErrorKind::ContextLength, "too long"));
    let bench = bench(a, b);
    assert_eq!(bench.asked("a/x"), "a");
    let context = Context::default();
    assert_eq!(
        bench.ask_within("r", &context).unwrap(),
        "a",
        "b came first and could not"
    );
    let providers: Vec<_> = context.trail.attempts();
    assert_eq!(
        (providers[0].provider.as_str(), providers[1].provider.as_str()),
        ("b", "a")
    );
    let error = bench.ask_within("a/x", &Context::default()).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(50)));
    assert_eq!(bench.elapsed(), Duration::ZERO);
}

#[test]
fn with_nobody_else_an_open_breaker_is_tried() {
    let a = script().fail(down()).fail(down()).fail(down()).answer("a");
    let mut bench = bench(a, script());
    bench.router = bench.router.retry(RetryPolicy::NEVER);
    for _ in 0..3 {
        assert_eq!(bench.asked("a/x"), "a");
    }
    assert_eq!(bench.ask_within("a/x", &Context::default()).unwrap(), "a");
}

#[test]
fn wrong_requests_do_not_open_it() {
    let wrong = || Error::new(ErrorKind::ContextLength, "too long");
    let a = (0..10).fold(script(), |a, _| a.fail(wrong()));
    let bench = bench(a.otherwise("a"), script().otherwise("b"));
    (0..10).for_each(|_| assert_eq!(bench.asked("r"), "ab"));
    assert_eq!(bench.asked("r"), "a");
}

#[test]
fn a_callers_haste_does_not_open_it() {
    let a = (0..5).fold(script(), |a, _| a.hang());
    let bench = bench(a.answer("a"), script().otherwise("b"));
    for _ in 0..5 {
        let deadline = bench.clock.now() + Duration::from_millis(50);
        let error = bench.ask_within("r", &Context::default().with_deadline(deadline));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert_eq!(bench.asked("r"), "a");
}

#[test]
fn who_asked_for_time_gets_it_though_others_did_not() {
    let a = script().fail(limited(8)).otherwise("too early");
    let bench = bench(a, script().fail(down()).answer("b"));
    assert_eq!(bench.asked("r"), "abb");
    assert!(bench.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_request_costs_so_many_calls_and_no_more() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let clock = ManualClock::jumping(START);
    let vendor = |name: &&'static str| {
        let failing = ScriptedChatModel::from_fn(|_| Err(down())).with_clock(clock.clone());
        Arc::new(ScriptedProvider::new(*name, failing)) as Arc<dyn Provider>
    };
    let providers = names.iter().map(vendor).collect();
    let route = Route::fallback(names.map(|name| format!("{name}/x")));
    let table = Arc::new(RouteTable::new(providers, vec![("r".to_owned(), route)]).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    let bench = Bench { clock, router };
    assert_eq!(bench.asked("r"), "abcdef");
    let mut policy = RetryPolicy::default();
    policy.max_attempts = 2;
    let bench = Bench {
        router: bench.router.retry(policy),
        ..bench
    };
    assert_eq!(bench.asked("r"), "ab");
}
