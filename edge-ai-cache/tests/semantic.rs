//! Questions that mean the same, by an index of a test's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_cache::{CacheRule, CachedChatModel, MemoryCache};
use edge_ai_core::{
    CacheMode, CacheStatus, ChatModel, ChatRequest, Context, Error, ErrorKind, FunctionTool, ManualClock,
    RawJson, Result, SemanticIndex, SemanticLesson, SemanticMatch, SemanticQuestion, async_trait,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

/// Takes questions of the same words for the same, whatever the letters' case.
#[derive(Debug, Default)]
struct Words {
    learned: Mutex<Vec<(SemanticQuestion, SemanticLesson)>>,
    asked: Mutex<u32>,
    down: bool,
}

#[async_trait]
impl SemanticIndex for Words {
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>> {
        *self.asked.lock().unwrap() += 1;
        if self.down {
            return Err(Error::new(ErrorKind::Unavailable, "down"));
        }
        let learned = self.learned.lock().unwrap();
        let found = learned.iter().find(|(known, _)| {
            known.scope == question.scope && known.text.eq_ignore_ascii_case(&question.text)
        });
        Ok(found.map(|(_, lesson)| SemanticMatch::new("e", lesson.clone(), 0.97, Duration::from_secs(7))))
    }

    async fn learn(&self, question: &SemanticQuestion, lesson: &SemanticLesson, _: Duration) -> Result<()> {
        if self.down {
            return Err(Error::new(ErrorKind::Unavailable, "down"));
        }
        self.learned
            .lock()
            .unwrap()
            .push((question.clone(), lesson.clone()));
        Ok(())
    }
}

fn cached(model: &ScriptedChatModel, index: Arc<Words>, rule: CacheRule) -> CachedChatModel {
    let clock = ManualClock::default();
    let cache = Arc::new(MemoryCache::new(clock.clone()));
    CachedChatModel::new(Arc::new(model.clone()), cache, clock, rule).semantic(index)
}

fn rule() -> CacheRule {
    CacheRule::new(Duration::from_secs(60)).semantic()
}

fn ask(cached: &CachedChatModel, request: ChatRequest) -> (String, CacheStatus) {
    let trail = request.context.trail.clone();
    let text = block_on(cached.chat(request)).unwrap().text();
    (text, trail.cache().unwrap())
}

fn question(text: &str) -> ChatRequest {
    ChatRequest::new("m").system("s").user(text)
}

fn model() -> ScriptedChatModel {
    (1..9).fold(ScriptedChatModel::new(), |model, n: u32| {
        model.answer(n.to_string())
    })
}

#[test]
fn a_question_that_means_the_same_gets_the_same_answer() {
    let index = Arc::new(Words::default());
    let cached = cached(&model(), Arc::clone(&index), rule());
    assert_eq!(
        ask(&cached, question("hi there")),
        ("1".into(), CacheStatus::Miss)
    );
    assert_eq!(ask(&cached, question("hi there")), ("1".into(), CacheStatus::Hit));
    assert_eq!(*index.asked.lock().unwrap(), 1, "an exact hit does not ask");
    let again = question("Hi There");
    let trail = again.context.trail.clone();
    assert_eq!(ask(&cached, again), ("1".into(), CacheStatus::Semantic));
    assert_eq!(trail.cache_age(), Some(Duration::from_secs(7)));
    let streamed = block_on(async {
        let stream = cached.chat_stream(question("HI THERE")).await.unwrap();
        stream.collect().await.unwrap()
    });
    assert_eq!(streamed.text(), "1");
}

#[test]
fn nothing_crosses_a_scope() {
    let cached = cached(&model(), Arc::default(), rule());
    ask(&cached, question("hi"));
    let tool = FunctionTool::new("f", "", RawJson::parse("{}").unwrap());
    for other in [
        question("HI").with_context(Context::default().with_tenant("t")),
        ChatRequest::new("n").system("s").user("HI"),
        ChatRequest::new("m").system("t").user("HI"),
        question("HI").tool(tool),
        question("HI").temperature(1.0),
    ] {
        assert_eq!(ask(&cached, other).1, CacheStatus::Miss);
    }
}

#[test]
fn wishes_and_rules_count_here_too() {
    let index = Arc::new(Words::default());
    let plain = cached(
        &model(),
        Arc::clone(&index),
        CacheRule::new(Duration::from_secs(60)),
    );
    ask(&plain, question("hi"));
    assert_eq!(ask(&plain, question("HI")).1, CacheStatus::Miss);
    assert!(index.learned.lock().unwrap().is_empty());

    let by_meaning = cached(&model(), index, rule());
    ask(&by_meaning, question("hi"));
    let mut fresh = question("HI");
    fresh.context.cache.mode = CacheMode::Refresh;
    assert_eq!(ask(&by_meaning, fresh).1, CacheStatus::Miss);
    let mut young = question("Hi");
    young.context.cache.max_age = Some(Duration::from_secs(6));
    assert_eq!(ask(&by_meaning, young).1, CacheStatus::Miss);
}

#[test]
fn an_index_that_is_down_is_a_warning() {
    let index = Words {
        down: true,
        ..Words::default()
    };
    let cached = cached(&model(), Arc::new(index), rule());
    let request = question("hi");
    let trail = request.context.trail.clone();
    assert_eq!(ask(&cached, request), ("1".into(), CacheStatus::Miss));
    assert_eq!(
        trail.warnings(),
        ["cache: by meaning: down", "cache: by meaning: down"]
    );
}
