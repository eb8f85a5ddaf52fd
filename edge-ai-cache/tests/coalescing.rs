//! Equal requests at the same time share one call.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use edge_ai_cache::{CacheRule, CachedChatModel, CoalescingRooms, LocalRooms, MemoryCache};
use edge_ai_core::{
    Background, Body, CacheKey, CacheMode, CachePolicy, CacheStatus, ChatEvent, ChatModel, ChatOutput,
    ChatRequest, ChatStart, Clock, Context, Error, ErrorKind, FinishReason, ManualClock, ReasoningDelta,
    Result, Timestamp, ToolCallDelta, Trail, Usage, async_trait,
};
use edge_ai_testkit::scripted::{ScriptedChatModel, StreamStep};
use futures_executor::block_on;
use futures_util::future::{BoxFuture, join, join_all};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

/// Work behind requests, done beside whoever [waits](Tasks::beside).
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tasks")
    }
}

impl Background for Tasks {
    fn run(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(work);
    }
}

impl Tasks {
    fn beside<T>(&self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        let mut under_way = FuturesUnordered::new();
        block_on(poll_fn(|context| {
            let polled = main.poll_unpin(context);
            loop {
                under_way.extend(self.0.lock().unwrap().drain(..));
                let stuck = !matches!(under_way.poll_next_unpin(context), Poll::Ready(Some(())));
                if stuck && self.0.lock().unwrap().is_empty() {
                    return polled;
                }
            }
        }))
    }
}

struct Bench {
    clock: ManualClock,
    tasks: Tasks,
    model: ScriptedChatModel,
    cached: CachedChatModel,
}

fn bench(script: impl FnOnce(ScriptedChatModel) -> ScriptedChatModel) -> Bench {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    let rooms = Arc::new(LocalRooms::new(clock.clone()));
    over(clock, rooms, script)
}

fn over(
    clock: ManualClock,
    rooms: Arc<dyn CoalescingRooms>,
    script: impl FnOnce(ScriptedChatModel) -> ScriptedChatModel,
) -> Bench {
    let model = script(ScriptedChatModel::new().with_clock(clock.clone()));
    let cache = Arc::new(MemoryCache::new(clock.clone()));
    let rule = CacheRule::new(Duration::from_secs(60)).coalesce();
    let cached = CachedChatModel::new(Arc::new(model.clone()), cache, clock.clone(), rule).coalesce(rooms);
    Bench {
        clock,
        tasks: Tasks::default(),
        model,
        cached,
    }
}

impl Bench {
    fn question(&self) -> (ChatRequest, Trail) {
        let context = Context::default().with_background(Arc::new(self.tasks.clone()));
        let trail = context.trail.clone();
        (ChatRequest::new("m").user("hi").with_context(context), trail)
    }

    async fn ask(&self, stream: bool) -> (Result<ChatOutput>, Option<CacheStatus>) {
        let (request, trail) = self.question();
        let answer = async {
            if stream {
                return self.cached.chat_stream(request).await?.collect().await;
            }
            self.cached.chat(request).await.map(|answer| answer.into_inner())
        };
        (answer.await, trail.cache())
    }

    /// Asks after a while, so that somebody else leads.
    async fn ask_later(&self, millis: u64, stream: bool) -> (Result<ChatOutput>, Option<CacheStatus>) {
        self.clock.sleep(Duration::from_millis(millis)).await;
        self.ask(stream).await
    }

    fn calls(&self) -> usize {
        self.model.requests().len()
    }
}

fn slow(model: ScriptedChatModel) -> ScriptedChatModel {
    let wait = || StreamStep::Wait(Duration::from_secs(1));
    model.stream([
        wait(),
        StreamStep::text("a"),
        wait(),
        StreamStep::text("b"),
        StreamStep::event(ChatEvent::Done),
    ])
}

fn text(answer: &(Result<ChatOutput>, Option<CacheStatus>)) -> String {
    answer.0.as_ref().unwrap().text()
}

#[test]
fn many_who_ask_together_make_one_call_streams_and_whole_answers() {
    for leader in [true, false] {
        let bench = bench(slow);
        let followers = (0..20).map(|n| bench.ask_later(1 + 90 * n, n % 2 == 0));
        let (first, others) = bench.tasks.beside(join(bench.ask(leader), join_all(followers)));
        assert_eq!((text(&first), first.1), ("ab".into(), Some(CacheStatus::Miss)));
        for other in &others {
            assert_eq!(
                (text(other), other.1),
                ("ab".into(), Some(CacheStatus::Coalesced))
            );
        }
        assert_eq!(bench.calls(), 1);
    }
}

#[test]
fn a_follower_gets_pieces_while_the_leader_does() {
    let bench = bench(slow);
    let early = async {
        bench.clock.sleep(Duration::from_millis(1)).await;
        let (request, _) = bench.question();
        let mut stream = bench.cached.chat_stream(request).await.unwrap();
        stream.next().await.unwrap().unwrap();
        bench.clock.now().as_millis()
    };
    let (_, at) = bench.tasks.beside(join(bench.ask(true), early));
    assert_eq!(at, 2_000, "with the first piece, a second before the end");
}

#[test]
fn everything_in_an_answer_reaches_a_follower() {
    let events = vec![
        ChatEvent::Start(ChatStart::new("id", "model")),
        ChatEvent::Reasoning(ReasoningDelta::text("hm")),
        ChatEvent::Reasoning(ReasoningDelta::signature("sig")),
        ChatEvent::Text("line\nbreak \"quoted\" é".into()),
        ChatEvent::ToolCall(ToolCallDelta::start(0, "1", "f")),
        ChatEvent::ToolCall(ToolCallDelta::arguments(0, "{\"a\":1}")),
        ChatEvent::Refusal("no".into()),
        ChatEvent::Finish(FinishReason::ToolCalls),
        ChatEvent::Usage(Usage::new(3, 4)),
        ChatEvent::Done,
    ];
    let steps = events.into_iter().map(StreamStep::event);
    let wait = std::iter::once(StreamStep::Wait(Duration::from_secs(1)));
    let bench = bench(|model| model.stream(wait.chain(steps)));
    let both = join(bench.ask(true), bench.ask_later(1, true));
    let (leader, follower) = bench.tasks.beside(both);
    assert_eq!(follower.0.unwrap(), leader.0.unwrap());
    assert_eq!(follower.1, Some(CacheStatus::Coalesced));
}

#[test]
fn a_failure_is_everybodys_and_nobody_tries_again() {
    for stream in [true, false] {
        let bench = bench(|model| {
            let down = Error::new(ErrorKind::Unavailable, "down").with_provider("p");
            model.fail(down).after(Duration::from_secs(1))
        });
        let followers = (1..9).map(|n| bench.ask_later(n, stream));
        let (first, others) = bench.tasks.beside(join(bench.ask(true), join_all(followers)));
        for (answer, _) in others.iter().chain([&first]) {
            let error = answer.as_ref().unwrap_err();
            assert_eq!(
                (error.kind(), error.provider()),
                (ErrorKind::Unavailable, Some("p"))
            );
        }
        assert_eq!(bench.calls(), 1);
    }
}

#[test]
fn a_leader_that_leaves_before_content_is_replaced() {
    let bench = bench(|model| slow(slow(model)));
    let leaves = async {
        let leader = pin!(bench.ask(false));
        let patience = pin!(bench.clock.sleep(Duration::from_millis(500)));
        futures_util::future::select(leader, patience).await;
    };
    let followers = (1..9).map(|n| bench.ask_later(n, n % 2 == 0));
    let ((), others) = bench.tasks.beside(join(leaves, join_all(followers)));
    let led = others
        .iter()
        .filter(|other| other.1 == Some(CacheStatus::Miss))
        .count();
    assert_eq!((led, bench.calls()), (1, 2));
    assert!(others.iter().all(|other| text(other) == "ab"));
}

#[test]
fn a_stream_goes_on_for_its_followers_when_its_client_leaves() {
    let bench = bench(slow);
    let leaves = async {
        let (request, _) = bench.question();
        let mut stream = bench.cached.chat_stream(request).await.unwrap();
        stream.next().await.unwrap().unwrap();
    };
    let ((), follower) = bench.tasks.beside(join(leaves, bench.ask_later(1, true)));
    assert_eq!(
        (text(&follower), follower.1),
        ("ab".into(), Some(CacheStatus::Coalesced))
    );
    assert_eq!(bench.calls(), 1);
    let again = bench.tasks.beside(bench.ask(false));
    assert_eq!(
        (text(&again), again.1),
        ("ab".into(), Some(CacheStatus::Hit)),
        "and is kept"
    );
}

#[test]
fn a_stream_that_nobody_follows_ends_with_its_client() {
    let bench = bench(slow);
    bench.tasks.beside(async {
        let (request, _) = bench.question();
        let mut stream = bench.cached.chat_stream(request).await.unwrap();
        stream.next().await.unwrap().unwrap();
        drop(stream);
        bench.clock.sleep(Duration::from_millis(10)).await;
    });
    assert_eq!(bench.model.in_flight().count(), 0);
}

#[test]
fn who_wants_a_new_answer_shares_none() {
    let bench = bench(|model| slow(slow(model)));
    let fresh = async {
        bench.clock.sleep(Duration::from_millis(1)).await;
        let (mut request, trail) = bench.question();
        request.context.cache = CachePolicy::new(CacheMode::Refresh);
        bench.cached.chat(request).await.unwrap();
        trail.cache()
    };
    let (_, status) = bench.tasks.beside(join(bench.ask(true), fresh));
    assert_eq!((status, bench.calls()), (Some(CacheStatus::Miss), 2));
}

/// Rooms that cannot be reached.
#[derive(Debug)]
struct Unreachable;

#[async_trait]
impl CoalescingRooms for Unreachable {
    async fn ask(&self, _: &CacheKey, _: http::Request<Body>) -> Result<http::Response<Body>> {
        Err(Error::new(ErrorKind::Unavailable, "down"))
    }
}

/// Leaders of them are silent: their isolates have ended without a word.
#[derive(Debug)]
struct Silent(LocalRooms, Mutex<u32>);

#[async_trait]
impl CoalescingRooms for Silent {
    async fn ask(&self, key: &CacheKey, request: http::Request<Body>) -> Result<http::Response<Body>> {
        let silent = request.uri().path() == "/lead" && {
            let mut left = self.1.lock().unwrap();
            *left = left.saturating_sub(1);
            *left > 0
        };
        if silent {
            std::future::pending::<()>().await;
        }
        self.0.ask(key, request).await
    }
}

#[test]
fn a_room_that_cannot_be_reached_is_passed_by() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    let bench = over(clock, Arc::new(Unreachable), slow);
    let answer = bench.tasks.beside(bench.ask(true));
    assert_eq!((text(&answer), answer.1), ("ab".into(), Some(CacheStatus::Miss)));
}

#[test]
fn a_leader_without_a_sign_of_life_is_replaced_in_bounded_time() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    let rooms = Silent(LocalRooms::new(clock.clone()), Mutex::new(2));
    let bench = over(clock.clone(), Arc::new(rooms), |model| slow(model.hang()));
    let leader = async {
        let ask = pin!(bench.ask(true));
        let patience = pin!(bench.clock.sleep(Duration::from_secs(100)));
        futures_util::future::select(ask, patience).await;
    };
    let follower = async {
        let answer = bench.ask_later(1, true).await;
        (answer, clock.now().as_secs())
    };
    let ((), (answer, at)) = bench.tasks.beside(join(leader, follower));
    assert_eq!(text(&answer), "ab");
    assert!(at < 1 + 15 + 5 + 3, "after {at} s");
}
