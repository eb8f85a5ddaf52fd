//! The semantic cache, over an embedder that finds everything near and a store of a test's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_ai_cache::{CacheRule, CachedChatModel, MemoryCache, MemoryKeyValue, PurgeLog, SemanticCache};
use edge_ai_core::{
    CachePurge, CacheStatus, ChatModel, ChatRequest, Context, EmbeddingModel, EmbeddingOutput,
    EmbeddingRequest, EmbeddingResponse, EmbeddingText, ManualClock, Metric, Mutation, Purge, Result,
    SemanticIndex, StoreInfo, VectorCapabilities, VectorMatch, VectorQuery, VectorRecord, VectorStore,
    async_trait,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

/// Puts texts about cats far from all others, which are all at one place.
#[derive(Debug)]
struct Near;

#[async_trait]
impl EmbeddingModel for Near {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let vector = |text: &EmbeddingText| match text {
            EmbeddingText::Text(text) if text.contains("cat") => vec![0.0, 1.0],
            _ => vec![1.0, 0.0],
        };
        let vectors = request.texts.iter().map(vector).collect();
        Ok(EmbeddingOutput::new(request.model, vectors).into())
    }
}

#[derive(Debug, Default)]
struct Store(Mutex<Vec<VectorRecord>>);

#[async_trait]
impl VectorStore for Store {
    fn capabilities(&self) -> VectorCapabilities {
        VectorCapabilities::unlimited(Metric::Cosine)
    }

    async fn upsert(&self, records: Vec<VectorRecord>) -> Result<Mutation> {
        let mut kept = self.0.lock().unwrap();
        kept.retain(|known| records.iter().all(|record| record.id != known.id));
        kept.extend(records);
        Ok(Mutation::VISIBLE)
    }

    async fn query(&self, query: VectorQuery) -> Result<Vec<VectorMatch>> {
        let kept = self.0.lock().unwrap();
        let here = kept
            .iter()
            .filter(|record| record.namespace == query.namespace && query.filter.matches(&record.metadata));
        let mut found: Vec<_> = here
            .map(|record| {
                let score = record.values.iter().zip(&query.vector).map(|(a, b)| a * b).sum();
                let mut found = VectorMatch::new(&record.id, score);
                found.metadata = record.metadata.clone();
                found
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(query.top_k);
        Ok(found)
    }

    async fn get(&self, _: &[String]) -> Result<Vec<VectorRecord>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: &[String]) -> Result<Mutation> {
        Ok(Mutation::VISIBLE)
    }

    async fn info(&self) -> Result<StoreInfo> {
        Ok(StoreInfo::default())
    }
}

struct World {
    clock: ManualClock,
    index: Arc<SemanticCache>,
    purges: Arc<PurgeLog>,
    model: CachedChatModel,
}

fn world() -> World {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1_000));
    let cache = Arc::new(MemoryCache::new(clock.clone()));
    let answers = Arc::clone(&cache);
    let index = SemanticCache::new(
        Arc::new(Near),
        "near",
        Arc::new(Store::default()),
        answers,
        clock.clone(),
    );
    let index = Arc::new(index);
    let semantic = Arc::clone(&index);
    let purges = Arc::new(PurgeLog::new(MemoryKeyValue::new(clock.clone()), clock.clone()));
    let answers = (1..20).fold(ScriptedChatModel::new(), |model, n: u32| {
        model.answer(n.to_string())
    });
    let rule = CacheRule::new(Duration::from_secs(60)).semantic();
    let model = CachedChatModel::new(Arc::new(answers), cache, clock.clone(), rule)
        .semantic(semantic)
        .purges(Arc::clone(&purges));
    World {
        clock,
        index,
        purges,
        model,
    }
}

impl World {
    fn ask(&self, request: ChatRequest) -> (String, CacheStatus) {
        let trail = request.context.trail.clone();
        let text = block_on(self.model.chat(request)).unwrap().text();
        (text, trail.cache().unwrap())
    }
}

fn question(text: &str) -> ChatRequest {
    ChatRequest::new("m").user(text)
}

const DARK: &str = "How do I turn on dark mode?";
const SAME: &str = "How can I switch on the dark mode?";

#[test]
fn a_paraphrase_is_answered_and_an_opposite_is_not() {
    let world = world();
    assert_eq!(world.ask(question(DARK)), ("1".into(), CacheStatus::Miss));
    assert_eq!(world.ask(question(SAME)), ("1".into(), CacheStatus::Semantic));
    for other in [
        "How do I turn off dark mode?",
        "Why can't I turn on dark mode?",
        "How do I turn on dark mode 2?",
        "How do I turn on the cat?",
    ] {
        assert_eq!(world.ask(question(other)).1, CacheStatus::Miss, "{other}");
    }
}

#[test]
fn nothing_crosses_tenants_or_scopes() {
    let world = world();
    world.ask(question(DARK));
    for other in [
        question(SAME).with_context(Context::default().with_tenant("t")),
        ChatRequest::new("n").user(SAME),
        ChatRequest::new("m").system("You are a pirate.").user(SAME),
    ] {
        assert_eq!(world.ask(other).1, CacheStatus::Miss);
    }
}

#[test]
fn an_answer_dies_with_a_source_and_with_its_time() {
    let world = world();
    let request = question(DARK);
    request.context.trail.add_source("doc-7");
    world.ask(request);
    assert_eq!(world.ask(question(SAME)).1, CacheStatus::Semantic);
    world.clock.advance(Duration::from_secs(1));
    block_on(world.purges.purge(&Purge::everything().tagged("doc-8"))).unwrap();
    assert_eq!(world.ask(question(SAME)).1, CacheStatus::Semantic);
    block_on(world.purges.purge(&Purge::everything().tagged("doc-7"))).unwrap();
    assert_eq!(world.ask(question(SAME)), ("2".into(), CacheStatus::Miss));
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(world.ask(question(DARK)).1, CacheStatus::Miss);
}

#[test]
fn an_entry_that_was_wrong_answers_no_more_at_that_distance() {
    let world = world();
    world.ask(question(DARK));
    let scope = edge_ai_core::CacheKey::from_digest("scope", &[7; 32]);
    let asked = edge_ai_core::SemanticQuestion::new(scope, None, "m", DARK);
    let lesson = edge_ai_core::SemanticLesson::new(Default::default(), Default::default(), Vec::new());
    block_on(world.index.learn(&asked, &lesson, Duration::from_secs(60))).unwrap();
    let found = block_on(world.index.find(&asked)).unwrap().unwrap();
    block_on(world.index.tell(&found.entry, found.similarity, false)).unwrap();
    assert!(block_on(world.index.find(&asked)).unwrap().is_none());
    block_on(world.index.tell("no-such-entry", 0.9, true)).unwrap();
}
