//! Vectors are kept text by text.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge_ai_cache::{CacheRule, CachedEmbeddingModel, MemoryCache};
use edge_ai_core::{
    CacheMode, CacheStatus, EmbeddingModel, EmbeddingOutput, EmbeddingPurpose, EmbeddingRequest,
    EmbeddingResponse, EmbeddingText, ManualClock, Result, Timestamp, async_trait,
};
use edge_ai_testkit::contract::embedding_model::{EmbeddingModelSubject, cases};
use edge_ai_testkit::run;
use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
use futures_executor::block_on;

fn cached(model: impl EmbeddingModel) -> CachedEmbeddingModel {
    let cache = MemoryCache::new(ManualClock::new(Timestamp::from_millis(1)));
    CachedEmbeddingModel::new(Arc::new(model), Arc::new(cache), Duration::from_secs(60))
}

fn ask(model: &CachedEmbeddingModel, request: EmbeddingRequest) -> (EmbeddingOutput, CacheStatus) {
    let trail = request.context.trail.clone();
    let answer = block_on(model.embed(request)).unwrap().into_inner();
    (answer, trail.cache().unwrap())
}

fn texts<const N: usize>(texts: [&str; N]) -> EmbeddingRequest {
    EmbeddingRequest::new("m", texts)
}

#[test]
fn a_cached_model_is_a_model() {
    let subject = || {
        let subject = EmbeddingModelSubject::new(cached(ScriptedEmbeddingModel::new(48)), "m");
        // What is known takes nothing.
        subject.with_dimensions(48).without_usage()
    };
    let skipped = ["an_unknown_model_is_not_found", "usage_is_told"];
    block_on(run(cases(), subject)).assert_passed_but(&skipped);
}

#[test]
fn a_batch_asks_only_for_what_is_not_known() {
    let model = ScriptedEmbeddingModel::new(16);
    let cached = cached(model.clone());
    let (first, status) = ask(&cached, texts(["a", "b c"]));
    assert_eq!(status, CacheStatus::Miss);
    let (mixed, status) = ask(&cached, texts(["new one", "b c", "a", "new one", "b c"]));
    assert_eq!(status, CacheStatus::Miss);
    let asked = &model.requests()[1].texts;
    assert_eq!(
        *asked,
        [EmbeddingText::Text("new one".into())],
        "each unknown text once"
    );
    let alone = block_on(model.embed(texts(["new one"]))).unwrap();
    let new = &alone.embeddings[0];
    let known = &first.embeddings;
    assert_eq!(
        mixed.embeddings,
        [new, &known[1], &known[0], new, &known[1]].map(Clone::clone)
    );
    assert_eq!(mixed.usage.unwrap().input_tokens, 2, "what was asked for");

    let calls = model.requests().len();
    let (all, status) = ask(&cached, texts(["b c", "new one"]));
    assert_eq!(status, CacheStatus::Hit);
    assert_eq!(all.embeddings, [known[1].clone(), new.clone()]);
    assert_eq!((all.usage.unwrap().input_tokens, all.model.as_str()), (0, "m"));
    assert_eq!(model.requests().len(), calls);
}

#[test]
fn what_changes_a_vector_changes_its_key() {
    let model = ScriptedEmbeddingModel::new(16);
    let cached = cached(model.clone());
    let mut tenant = texts(["a"]);
    tenant.context.tenant = Some("t".into());
    let requests = [
        texts(["a"]),
        texts(["a"]).dimensions(8),
        texts(["a"]).purpose(EmbeddingPurpose::Query),
        texts(["a"]).purpose(EmbeddingPurpose::Document),
        EmbeddingRequest::new("n", ["a"]),
        tenant,
    ];
    for (at, request) in requests.into_iter().enumerate() {
        assert_eq!(ask(&cached, request.clone()).1, CacheStatus::Miss, "{at}");
        assert_eq!(ask(&cached, request).1, CacheStatus::Hit, "{at}");
    }
}

#[test]
fn wishes_and_rules_are_kept_to() {
    let model = ScriptedEmbeddingModel::new(16);
    let plain = cached(model.clone());
    let with = |set: fn(&mut EmbeddingRequest)| {
        let mut request = texts(["a"]);
        set(&mut request);
        request
    };
    ask(&plain, texts(["a"]));
    let skipping = with(|request| request.context.cache.mode = CacheMode::Bypass);
    assert_eq!(ask(&plain, skipping).1, CacheStatus::Bypass);
    let fresh = with(|request| request.context.cache.mode = CacheMode::Refresh);
    assert_eq!(ask(&plain, fresh).1, CacheStatus::Miss);
    let mut only = texts(["a", "x"]);
    only.context.cache.only_if_cached = true;
    assert_eq!(block_on(plain.embed(only)).unwrap_err().status(), 504);
    let many = plain.clone().max_texts(1);
    assert_eq!(ask(&many, texts(["a", "a"])).1, CacheStatus::Bypass);
    let cache = Arc::new(MemoryCache::new(ManualClock::default()));
    let off = CachedEmbeddingModel::new(Arc::new(model), cache, CacheRule::off());
    assert_eq!(ask(&off, texts(["a"])).1, CacheStatus::Bypass);
}

/// Another model answers from some day on.
#[derive(Debug)]
struct Moving(AtomicBool);

#[async_trait]
impl EmbeddingModel for Moving {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let (name, value) = match self.0.load(Ordering::Relaxed) {
            false => ("old", 1.0),
            true => ("new", 2.0),
        };
        Ok(EmbeddingOutput::new(name, vec![vec![value]; request.texts.len()]).into())
    }
}

#[test]
fn vectors_of_two_models_never_meet() {
    let model = Arc::new(Moving(AtomicBool::new(false)));
    let cached = cached(Arc::clone(&model));
    ask(&cached, texts(["a"]));
    model.0.store(true, Ordering::Relaxed);
    let (answer, _) = ask(&cached, texts(["a", "b"]));
    assert_eq!(
        (answer.model.as_str(), answer.embeddings),
        ("new", vec![vec![2.0], vec![2.0]])
    );
}
