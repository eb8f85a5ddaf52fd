//! The way through a route's targets: rounds, pauses, time limits, streams.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    ChatEvent, ChatModel, ChatRequest, Clock, Context, Error, ErrorKind, ManualClock, Provider,
    SeededEntropy, Timestamp,
};
use edge_ai_gateway::{RetryPolicy, Route, RouteTable, Router, Timeouts};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider, StreamStep};
use futures_executor::block_on;
use futures_util::StreamExt;

/// A router whose route `r` leads to `a`, then `b`, on a clock that jumps over waits.
struct Bench {
    clock: ManualClock,
    router: Router,
    context: Context,
}

fn bench(a: ScriptedChatModel, b: ScriptedChatModel) -> Bench {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    let providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(ScriptedProvider::new("a", a.with_clock(clock.clone()))),
        Arc::new(ScriptedProvider::new("b", b.with_clock(clock.clone()))),
    ];
    let routes = vec![("r".to_owned(), Route::fallback(["a/x", "b/y"]))];
    let table = Arc::new(RouteTable::new(providers, routes).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    Bench {
        clock,
        router,
        context: Context::default(),
    }
}

impl Bench {
    fn ask(&self, model: &str) -> Result<String, Error> {
        let request = ChatRequest::new(model)
            .user("hi")
            .with_context(self.context.clone());
        block_on(self.router.chat(request)).map(|response| response.text())
    }

    fn stream(&self, model: &str) -> Result<Vec<Result<ChatEvent, ErrorKind>>, Error> {
        block_on(async {
            let request = ChatRequest::new(model)
                .user("hi")
                .with_context(self.context.clone());
            let mut stream = self.router.chat_stream(request).await?;
            let mut seen = Vec::new();
            while let Some(frame) = stream.next().await {
                match frame {
                    Ok(frame) => seen.extend(frame.events.into_iter().map(Ok)),
                    Err(error) => seen.push(Err(error.kind())),
                }
            }
            Ok(seen)
        })
    }

    fn attempts(&self) -> Vec<(String, Option<ErrorKind>)> {
        self.context
            .trail
            .attempts()
            .into_iter()
            .map(|attempt| (attempt.provider, attempt.error))
            .collect()
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(Timestamp::from_millis(1_000))
    }
}

fn script() -> ScriptedChatModel {
    ScriptedChatModel::new()
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "down")
}

fn limited(wait: u64) -> Error {
    Error::new(ErrorKind::RateLimited, "slow down").with_retry_after(Duration::from_secs(wait))
}

#[test]
fn the_next_target_is_asked_at_once_by_its_own_name() {
    let b = script().answer("hello");
    let bench = bench(script().fail(down()), b.clone());
    assert_eq!(bench.ask("r").unwrap(), "hello");
    assert_eq!(
        bench.attempts(),
        [("a".into(), Some(ErrorKind::Unavailable)), ("b".into(), None)]
    );
    assert_eq!(bench.elapsed(), Duration::ZERO);
    assert_eq!(b.last_request().unwrap().model, "y");
}

#[test]
fn a_second_round_comes_after_a_pause() {
    let bench = bench(script().fail(down()).answer("hello"), script().fail(down()));
    assert_eq!(bench.ask("r").unwrap(), "hello");
    assert_eq!(bench.attempts().len(), 3);
    assert!(bench.elapsed() > Duration::ZERO && bench.elapsed() <= Duration::from_millis(500));
}

#[test]
fn nobody_is_asked_before_the_time_they_asked_for() {
    let bench = bench(script().fail(limited(2)).answer("hello"), script());
    assert_eq!(bench.ask("a/x").unwrap(), "hello");
    assert!(bench.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_target_that_is_ready_sooner_is_asked_first() {
    let a = script().fail(limited(8));
    let bench = bench(a.clone(), script().fail(limited(1)).answer("hello"));
    assert_eq!(bench.ask("r").unwrap(), "hello");
    assert!(bench.elapsed() >= Duration::from_secs(1) && bench.elapsed() < Duration::from_secs(8));
    assert_eq!(a.requests().len(), 1);
}

#[test]
fn too_long_a_wait_is_the_clients() {
    let bench = bench(script().fail(limited(60)).answer("never"), script());
    let error = bench.ask("a/x").unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!(bench.elapsed(), Duration::ZERO);
}

#[test]
fn a_wrong_request_is_wrong_everywhere() {
    let b = script().answer("never");
    let bench = bench(script().fail(Error::invalid("temperature", "too hot")), b.clone());
    assert_eq!(bench.ask("r").unwrap_err().param(), Some("temperature"));
    assert!(b.requests().is_empty());
}

#[test]
fn what_one_target_cannot_do_another_may() {
    for kind in [
        ErrorKind::Authentication,
        ErrorKind::ContextLength,
        ErrorKind::QuotaExceeded,
        ErrorKind::NotFound,
    ] {
        let a = script().fail(Error::new(kind, "not here")).otherwise("never");
        let bench = bench(a.clone(), script().fail(down()).answer("hello"));
        assert_eq!(bench.ask("r").unwrap(), "hello");
        assert_eq!(a.requests().len(), 1, "{kind} was tried again");
    }
}

#[test]
fn the_failure_that_helps_most_is_told() {
    let bench = bench(script().fail(limited(30)), script().fail(limited(20)));
    assert_eq!(
        bench.ask("r").unwrap_err().retry_after(),
        Some(Duration::from_secs(20))
    );

    let gone = Error::new(ErrorKind::NotFound, "no such model");
    let bench = self::bench(script().fail(limited(30)), script().fail(gone));
    assert_eq!(bench.ask("r").unwrap_err().kind(), ErrorKind::RateLimited);
}

#[test]
fn a_call_that_is_given_up_is_noted() {
    let bench = bench(script().hang(), script());
    let call = bench.router.chat(
        ChatRequest::new("a/x")
            .user("hi")
            .with_context(bench.context.clone()),
    );
    let mut call = Box::pin(call);
    assert!(futures_util::FutureExt::now_or_never(&mut call).is_none());
    drop(call);
    assert_eq!(bench.attempts(), [("a".into(), Some(ErrorKind::Cancelled))]);
}

#[test]
fn a_silent_target_is_given_up_in_time() {
    let a = script().hang().hang();
    let bench = bench(a.clone(), script().answer("hello"));
    assert_eq!(bench.ask("r").unwrap(), "hello");
    assert_eq!(bench.attempts()[0].1, Some(ErrorKind::Timeout));
    assert_eq!(bench.elapsed(), Timeouts::default().answer);
}

#[test]
fn a_deadline_ends_the_tries() {
    let mut bench = bench(script().fail(limited(5)).answer("never"), script());
    bench.context.deadline = Some(bench.clock.now() + Duration::from_secs(3));
    assert_eq!(bench.ask("a/x").unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(bench.elapsed(), Duration::ZERO, "it waited past the deadline");
}

#[test]
fn never_means_once() {
    let mut bench = bench(script().fail(down()).answer("never"), script());
    bench.router = bench.router.retry(RetryPolicy::NEVER);
    assert!(bench.ask("a/x").is_err());
    assert_eq!(bench.attempts().len(), 1);
}

#[test]
fn a_stream_that_fails_before_its_first_content_falls_back() {
    let start = ChatEvent::Start(edge_ai_core::ChatStart::new("1", "x"));
    let broken = [StreamStep::event(start), StreamStep::Item(Err(down()))];
    let bench = bench(script().stream(broken), script().answer("hello"));
    let seen = bench.stream("r").unwrap();
    assert!(seen.contains(&Ok(ChatEvent::Text("hello".into()))), "{seen:?}");
    assert_eq!(
        bench.attempts(),
        [("a".into(), Some(ErrorKind::Unavailable)), ("b".into(), None)]
    );
}

#[test]
fn a_stream_that_fails_after_its_first_content_is_the_clients() {
    let broken = [StreamStep::text("half"), StreamStep::Item(Err(down()))];
    let b = script().answer("never");
    let bench = bench(script().stream(broken), b.clone());
    let seen = bench.stream("r").unwrap();
    assert_eq!(
        seen,
        [Ok(ChatEvent::Text("half".into())), Err(ErrorKind::Unavailable)]
    );
    assert!(b.requests().is_empty());
}

#[test]
fn a_stream_without_a_first_token_is_given_up() {
    let bench = bench(script().stream([StreamStep::Hang]), script().answer("hello"));
    assert!(bench.stream("r").is_ok());
    assert_eq!(bench.attempts()[0].1, Some(ErrorKind::Timeout));
    assert_eq!(bench.elapsed(), Timeouts::default().first_token);
}

#[test]
fn a_stream_that_falls_silent_ends_with_an_error() {
    let silent = [StreamStep::text("half"), StreamStep::Hang];
    let bench = bench(script().stream(silent), script());
    let seen = bench.stream("r").unwrap();
    assert_eq!(seen.last(), Some(&Err(ErrorKind::Timeout)));
    assert_eq!(bench.elapsed(), Timeouts::default().idle);
}

#[test]
fn a_slow_reader_is_not_the_providers_silence() {
    let frames = [
        StreamStep::text("a"),
        StreamStep::text("b"),
        StreamStep::event(ChatEvent::Done),
    ];
    let clock = ManualClock::new(Timestamp::from_millis(1_000));
    let providers: Vec<Arc<dyn Provider>> =
        vec![Arc::new(ScriptedProvider::new("a", script().stream(frames)))];
    let table = Arc::new(RouteTable::new(providers, Vec::new()).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(7)));
    block_on(async {
        let mut stream = router
            .chat_stream(ChatRequest::new("a/x").user("hi"))
            .await
            .unwrap();
        while let Some(frame) = stream.next().await {
            assert!(frame.is_ok(), "{frame:?}");
            clock.advance(Duration::from_secs(75));
        }
    });
}

#[test]
fn a_slow_stream_is_not_a_silent_one() {
    let wait = || StreamStep::Wait(Duration::from_secs(50));
    let done = StreamStep::event(ChatEvent::Done);
    let slow = [
        StreamStep::text("a"),
        wait(),
        StreamStep::text("b"),
        wait(),
        StreamStep::text("c"),
        wait(),
        done,
    ];
    let bench = bench(script().stream(slow), script());
    assert_eq!(bench.stream("r").unwrap().last(), Some(&Ok(ChatEvent::Done)));
    assert_eq!(bench.elapsed(), Duration::from_secs(150));
}
