//! What isolates share of their targets' paces, and how a stream's rate counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_core::{
    ChatEvent, ChatModel, ChatRequest, Context, Error, ErrorKind, Inline, ManualClock, Provider, Result,
    SeededEntropy, Timestamp, Usage, async_trait,
};
use edge_ai_gateway::{PaceSnapshot, PaceStore, Route, RouteTable, Router};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider, StreamStep};
use futures_executor::block_on;

const MINUTE: Duration = Duration::from_secs(60);

/// Keeps JSON, as a store elsewhere would.
#[derive(Debug, Default)]
struct Memory {
    kept: Mutex<Option<String>>,
    loads: AtomicUsize,
    down: AtomicBool,
}

#[async_trait]
impl PaceStore for Memory {
    async fn load(&self) -> Result<PaceSnapshot> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "down"));
        }
        let kept = self.kept.lock().unwrap();
        Ok(kept
            .as_deref()
            .map(|json| serde_json::from_str(json).unwrap())
            .unwrap_or_default())
    }

    async fn save(&self, paces: &PaceSnapshot) -> Result<()> {
        *self.kept.lock().unwrap() = Some(serde_json::to_string(paces).unwrap());
        Ok(())
    }
}

/// A stream of so many tokens that takes these times, before its content and in it.
fn stream(first: u64, writing: u64) -> Vec<StreamStep> {
    vec![
        StreamStep::Wait(Duration::from_millis(first)),
        StreamStep::text("x"),
        StreamStep::Wait(Duration::from_millis(writing)),
        StreamStep::event(ChatEvent::Usage(Usage::new(1, 100))),
        StreamStep::event(ChatEvent::Done),
    ]
}

struct Isolate {
    router: Router,
}

/// `a` begins soon and writes slowly, `b` begins late and writes fast.
fn isolate(clock: &ManualClock, store: Option<&Arc<Memory>>, seed: u64) -> Isolate {
    let vendor = |name: &str, first, writing| {
        let model = (0..400).fold(ScriptedChatModel::new(), |model, _| {
            model.stream(stream(first, writing))
        });
        Arc::new(ScriptedProvider::new(name, model.with_clock(clock.clone()))) as Arc<dyn Provider>
    };
    let providers = vec![vendor("a", 200, 5_000), vendor("b", 1_000, 500)];
    let routes = vec![("r".to_owned(), Route::fastest(["a/x", "b/x"]))];
    let table = Arc::new(RouteTable::new(providers, routes).unwrap());
    let router = Router::new(table, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(seed)));
    let router = match store {
        Some(store) => router.shared_paces(Arc::clone(store) as Arc<dyn PaceStore>, MINUTE),
        None => router,
    };
    Isolate { router }
}

impl Isolate {
    fn ask(&self, tokens: u32) -> (String, Context) {
        let context = Context::default().with_background(Arc::new(Inline));
        let request = ChatRequest::new("r")
            .user("hi")
            .max_output_tokens(tokens)
            .with_context(context.clone());
        block_on(async { self.router.chat_stream(request).await.unwrap().collect().await }).unwrap();
        (context.trail.attempts().remove(0).provider, context)
    }

    fn count(&self, provider: &str, tokens: u32) -> usize {
        (0..40).filter(|_| self.ask(tokens).0 == provider).count()
    }
}

#[test]
fn who_is_quickest_depends_on_how_long_the_answer_is() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000_000));
    let isolate = isolate(&clock, None, 3);
    isolate.count("a", 100);
    // 0.2 s and 50 ms a token, or 1 s and 5 ms a token.
    assert!(isolate.count("b", 1_000) > 30);
    assert!(isolate.count("a", 4) > 30);
}

#[test]
fn a_new_isolate_begins_with_what_others_have_learnt() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000_000));
    let store = Arc::new(Memory::default());
    let old = isolate(&clock, Some(&store), 3);
    old.count("b", 1_000);
    assert!(store.kept.lock().unwrap().as_deref().unwrap().contains("a/x"));
    // It reads behind its first request, or before it where that is ready at once.
    let first = |store| {
        let new = (0..30).map(|seed| isolate(&clock, store, 100 + seed));
        new.filter(|new| new.ask(1_000).0 == "b").count()
    };
    assert!(first(Some(&store)) > 24);
    assert!(first(None) < 15, "the order given, and one in four explores");
}

#[test]
fn the_store_is_asked_once_in_a_while_and_may_fail() {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000_000));
    let store = Arc::new(Memory::default());
    store.down.store(true, Ordering::Relaxed);
    let isolate = isolate(&clock, Some(&store), 3);
    let (_, context) = isolate.ask(10);
    assert_eq!(context.trail.warnings(), ["paces: down"]);
    let before = store.loads.load(Ordering::Relaxed);
    isolate.ask(10);
    assert_eq!(store.loads.load(Ordering::Relaxed), before, "not before a minute");
    store.down.store(false, Ordering::Relaxed);
    clock.advance(MINUTE);
    isolate.ask(10);
    // What was measured while it was down is kept now.
    assert!(store.kept.lock().unwrap().is_some());
}
