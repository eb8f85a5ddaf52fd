//! Two calls for one request: who is first, what becomes of the other, and what it may cost.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Attempt, ChatEvent, ChatModel, ChatRequest, Clock, Context, Error, ErrorKind, ManualClock, Provider,
    SeededEntropy, Timestamp,
};
use edge_ai_gateway::{HedgeAfter, RetryPolicy, Route, RouteTable, Router};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider, StreamStep};
use futures_executor::block_on;
use futures_util::StreamExt;

const START: Timestamp = Timestamp::from_millis(1_000);
const AFTER: Duration = Duration::from_millis(800);

struct Bench {
    clock: ManualClock,
    router: Router,
}

/// A router whose route `r` hedges over `a`, `b`, …
fn bench(after: HedgeAfter, max_extra: u32, models: Vec<ScriptedChatModel>) -> Bench {
    let clock = ManualClock::jumping(START);
    let names = ["a", "b", "c"];
    let providers = names.iter().zip(models).map(|(name, model)| {
        Arc::new(ScriptedProvider::new(*name, model.with_clock(clock.clone()))) as Arc<dyn Provider>
    });
    let providers: Vec<_> = providers.collect();
    let targets = names.iter().take(providers.len()).map(|name| format!("{name}/x"));
    let route = Route::hedged(after, max_extra, targets);
    let table = Arc::new(RouteTable::new(providers, vec![("r".to_owned(), route)]).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    Bench { clock, router }
}

fn pair(a: ScriptedChatModel, b: ScriptedChatModel) -> Bench {
    bench(HedgeAfter::time(AFTER), 1, vec![a, b])
}

impl Bench {
    fn ask(&self) -> (Result<String, Error>, Vec<Attempt>) {
        let context = Context::default();
        let request = ChatRequest::new("r").user("hi").with_context(context.clone());
        let answer = block_on(self.router.chat(request)).map(|response| response.text());
        (answer, context.trail.attempts())
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(START)
    }
}

/// Who was called, whether beside another, and how it ended.
fn told(attempts: &[Attempt]) -> Vec<(&str, bool, Option<ErrorKind>)> {
    let tell = |attempt| {
        let Attempt {
            provider,
            hedge,
            error,
            ..
        }: &Attempt = attempt;
        (provider.as_str(), *hedge, *error)
    };
    attempts.iter().map(tell).collect()
}

fn script() -> ScriptedChatModel {
    ScriptedChatModel::new()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const CANCELLED: Option<ErrorKind> = Some(ErrorKind::Cancelled);

#[test]
fn who_has_an_answer_first_wins_and_the_other_is_given_up() {
    let a = script().answer("late").after(millis(5_000));
    let bench = pair(a.clone(), script().answer("soon").after(millis(100)));
    let (answer, attempts) = bench.ask();
    assert_eq!(answer.unwrap(), "soon");
    assert_eq!(bench.elapsed(), AFTER + millis(100));
    assert_eq!(told(&attempts), [("a", false, CANCELLED), ("b", true, None)]);
    assert!(attempts[0].message.as_deref().unwrap().contains("cost"));
}

#[test]
fn the_first_may_win_after_all() {
    let bench = pair(script().answer("first").after(millis(900)), script().hang());
    let (answer, attempts) = bench.ask();
    assert_eq!(answer.unwrap(), "first");
    assert_eq!(told(&attempts), [("b", true, CANCELLED), ("a", false, None)]);
}

#[test]
fn a_quick_answer_costs_one_call() {
    let b = script().answer("never");
    let bench = pair(script().answer("first").after(millis(799)), b.clone());
    assert_eq!(told(&bench.ask().1), [("a", false, None)]);
    assert!(b.requests().is_empty());
}

#[test]
fn when_one_fails_the_other_goes_on() {
    let down = || Error::new(ErrorKind::Unavailable, "down");
    let bench = pair(
        script().fail(down()).after(millis(850)),
        script().answer("b").after(millis(400)),
    );
    let (answer, attempts) = bench.ask();
    assert_eq!(answer.unwrap(), "b");
    assert_eq!(
        told(&attempts),
        [("a", false, Some(ErrorKind::Unavailable)), ("b", true, None)]
    );
    let bench = pair(script().answer("a").after(millis(850)), script().fail(down()));
    assert_eq!(bench.ask().0.unwrap(), "a");
}

#[test]
fn so_many_calls_and_no_more_are_under_way() {
    let models = || {
        vec![
            script().hang(),
            script().hang(),
            script().answer("c").after(millis(10)),
        ]
    };
    let two = bench(HedgeAfter::time(AFTER), 2, models());
    let (answer, attempts) = two.ask();
    assert_eq!(answer.unwrap(), "c");
    assert_eq!(two.elapsed(), AFTER * 2 + millis(10));
    assert_eq!(
        told(&attempts),
        [("a", false, CANCELLED), ("b", true, CANCELLED), ("c", true, None)]
    );
    let one = bench(HedgeAfter::time(AFTER), 1, models());
    assert_eq!(
        one.ask().0.unwrap(),
        "c",
        "as a fallback, once both had their time"
    );
    assert!(one.elapsed() > Duration::from_secs(300));
}

#[test]
fn a_stream_is_raced_to_its_first_content_and_never_repeated_after() {
    let start = || StreamStep::event(ChatEvent::Start(Default::default()));
    let a = script().stream([start(), StreamStep::Wait(millis(4_000)), StreamStep::text("late")]);
    let broken = Error::new(ErrorKind::Interrupted, "cut");
    let b = script().stream([start(), StreamStep::text("soon"), StreamStep::Item(Err(broken))]);
    let bench = pair(a.clone(), b.clone());
    let context = Context::default();
    let request = ChatRequest::new("r").user("hi").with_context(context.clone());
    let frames: Vec<_> = block_on(async {
        let stream = bench.router.chat_stream(request).await.unwrap();
        StreamExt::collect(stream).await
    });
    let texts = frames
        .iter()
        .filter_map(|frame| frame.as_ref().ok())
        .flat_map(|frame| &frame.events);
    let texts: Vec<_> = texts
        .filter(|event| matches!(event, ChatEvent::Text(_)))
        .collect();
    assert_eq!(texts, [&ChatEvent::Text("soon".into())]);
    assert_eq!(
        frames.last().unwrap().as_ref().unwrap_err().kind(),
        ErrorKind::Interrupted
    );
    assert_eq!(
        told(&context.trail.attempts()),
        [("a", false, CANCELLED), ("b", true, None)]
    );
    assert_eq!((a.requests().len(), b.requests().len()), (1, 1));
    assert_eq!(a.in_flight().count(), 0, "the slower stream is closed");
}

#[test]
fn who_was_slower_does_not_rest() {
    let a = (0..6).fold(script(), |a, _| a.answer("late").after(millis(2_000)));
    let b = (0..6).fold(script(), |b, _| b.answer("soon"));
    let bench = pair(a.answer("a"), b);
    for _ in 0..6 {
        assert_eq!(bench.ask().0.unwrap(), "soon");
    }
    assert_eq!(
        told(&bench.ask().1),
        [("a", false, None)],
        "it is asked first as ever"
    );
}

#[test]
fn an_outage_does_not_double_the_load() {
    let clock = ManualClock::jumping(START);
    let slow = || (0..1_100).fold(script(), |model, _| model.answer("x").after(millis(1_000)));
    let providers = ["a", "b"].map(|name| {
        Arc::new(ScriptedProvider::new(name, slow().with_clock(clock.clone()))) as Arc<dyn Provider>
    });
    let providers = providers.to_vec();
    let route = Route::hedged(HedgeAfter::time(AFTER), 1, ["a/x", "b/x"]);
    let table = Arc::new(RouteTable::new(providers, vec![("r".to_owned(), route)]).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    let ask = |router: &Router| {
        let context = Context::default();
        let request = ChatRequest::new("r").user("hi").with_context(context.clone());
        block_on(router.chat(request)).unwrap();
        context
            .trail
            .attempts()
            .iter()
            .filter(|attempt| attempt.hedge)
            .count()
    };
    let hedges: usize = (0..1_000).map(|_| ask(&router)).sum();
    // Every answer takes a second: 5 % of a thousand, and six in each of the nearly seventeen minutes.
    assert!((100..=157).contains(&hedges), "{hedges}");
    let mut policy = RetryPolicy::default();
    policy.hedge_percent = 0;
    let router = router.retry(policy);
    assert_eq!((0..100).map(|_| ask(&router)).sum::<usize>(), 0);
}
