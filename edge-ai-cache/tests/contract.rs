//! Every cache and store passes its trait's suite, and a cached model is still a model.

use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::{
    CacheRule, CachedChatModel, KeyValueCache, MemoryCache, MemoryKeyValue, PurgeLog, TieredCache,
};
use edge_ai_core::{ManualClock, Timestamp};
use edge_ai_testkit::contract::{cache, cache_purge, key_value};
use edge_ai_testkit::run;
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

fn clock() -> ManualClock {
    ManualClock::jumping(Timestamp::from_millis(1))
}

#[test]
fn memory_cache() {
    block_on(run(cache::cases(), || {
        let clock = clock();
        cache::CacheSubject::new(MemoryCache::new(clock.clone())).with_clock(clock)
    }))
    .assert_passed();
}

#[test]
fn key_value_cache() {
    block_on(run(cache::cases(), || {
        let clock = clock();
        let store = MemoryKeyValue::new(clock.clone());
        cache::CacheSubject::new(KeyValueCache::new(store, clock.clone())).with_clock(clock)
    }))
    .assert_passed();
}

#[test]
fn tiered_cache() {
    block_on(run(cache::cases(), || {
        let clock = clock();
        let near = MemoryCache::new(clock.clone());
        let far = KeyValueCache::new(MemoryKeyValue::new(clock.clone()), clock.clone());
        cache::CacheSubject::new(TieredCache::new(near, far, clock.clone())).with_clock(clock)
    }))
    .assert_passed();
}

#[test]
fn memory_key_value() {
    block_on(run(key_value::cases(), || {
        let clock = clock();
        key_value::KeyValueSubject::new(MemoryKeyValue::new(clock.clone())).with_clock(clock)
    }))
    .assert_passed();
}

#[test]
fn purge_log() {
    block_on(run(cache_purge::cases(), || {
        let clock = clock();
        let log = Arc::new(PurgeLog::new(MemoryKeyValue::new(clock.clone()), clock.clone()));
        let model = Arc::new(ScriptedChatModel::new().otherwise("yes"));
        let cache = Arc::new(MemoryCache::new(clock.clone()));
        let cached = CachedChatModel::new(model, cache, clock.clone(), Duration::from_secs(60));
        cache_purge::CachePurgeSubject::new(cached.purges(Arc::clone(&log)), log).with_clock(clock)
    }))
    .assert_passed();
}

/// What a cached model must do beyond being a model.
mod cached {
    use super::*;
    use edge_ai_core::{
        CacheMode, CachePolicy, CacheStatus, ChatEvent, ChatModel, ChatRequest, Context, Dialect, Error,
        ErrorKind, Extra, FinishReason, RawJson,
    };
    use futures_util::StreamExt;

    fn cached(model: &ScriptedChatModel) -> CachedChatModel {
        let cache = MemoryCache::new(clock());
        CachedChatModel::new(
            Arc::new(model.clone()),
            Arc::new(cache),
            clock(),
            Duration::from_secs(60),
        )
    }

    fn question() -> ChatRequest {
        ChatRequest::new("m").user("hi")
    }

    fn as_tenant(tenant: &str) -> ChatRequest {
        question().with_context(Context::default().with_tenant(tenant))
    }

    #[test]
    fn a_stream_is_kept_and_replayed_either_way() {
        let model = ScriptedChatModel::new().answer("Paris");
        let cached = cached(&model);
        block_on(async {
            let streamed = cached
                .chat_stream(question())
                .await
                .unwrap()
                .collect()
                .await
                .unwrap();
            assert_eq!(cached.chat(question()).await.unwrap().into_inner(), streamed);
            let replayed = cached
                .chat_stream(question())
                .await
                .unwrap()
                .collect()
                .await
                .unwrap();
            assert_eq!(replayed, streamed);
        });
        assert_eq!(model.requests().len(), 1);
    }

    #[test]
    fn what_broke_off_or_failed_or_was_filtered_is_not_kept() {
        let text = || ChatEvent::Text("half".into());
        let model = ScriptedChatModel::new()
            .events([text()])
            .fail(Error::new(ErrorKind::Unavailable, "down"))
            .events([
                text(),
                ChatEvent::Finish(FinishReason::ContentFilter),
                ChatEvent::Done,
            ])
            .answer("whole");
        let cached = cached(&model);
        block_on(async {
            assert!(
                cached
                    .chat_stream(question())
                    .await
                    .unwrap()
                    .collect()
                    .await
                    .is_err()
            );
            assert!(cached.chat(question()).await.is_err());
            assert_eq!(cached.chat(question()).await.unwrap().text(), "half");
            assert_eq!(cached.chat(question()).await.unwrap().text(), "whole");
            assert_eq!(cached.chat(question()).await.unwrap().text(), "whole");
        });
        assert_eq!(model.requests().len(), 4);
    }

    #[test]
    fn a_stream_that_is_dropped_half_way_is_not_kept() {
        let model = ScriptedChatModel::new().answer("Paris").answer("Paris");
        let cached = cached(&model);
        block_on(async {
            let mut stream = cached.chat_stream(question()).await.unwrap();
            assert!(stream.next().await.is_some());
            drop(stream);
            cached.chat(question()).await.unwrap();
        });
        assert_eq!(model.requests().len(), 2);
    }

    #[test]
    fn a_stream_too_large_to_keep_is_passed_on_whole() {
        let piece = "x".repeat(CachedChatModel::MAX_KEPT / 4);
        let answer = |pieces: usize| {
            let text = std::iter::repeat_with(|| ChatEvent::Text(piece.clone())).take(pieces);
            text.chain([ChatEvent::Finish(FinishReason::Stop), ChatEvent::Done])
        };
        let model = ScriptedChatModel::new()
            .events(answer(5))
            .events(answer(3))
            .answer("short");
        let cache = MemoryCache::new(clock()).capacity((64 << 20).try_into().unwrap());
        let cached = CachedChatModel::new(
            Arc::new(model.clone()),
            Arc::new(cache),
            clock(),
            Duration::from_secs(60),
        );
        let ask = || {
            let request = question();
            let trail = request.context.trail.clone();
            let stream = block_on(cached.chat_stream(request)).unwrap();
            let length = block_on(stream.collect()).unwrap().text().len();
            (length, trail.cache().unwrap(), trail.warnings().len())
        };
        assert_eq!(ask(), (5 * piece.len(), CacheStatus::Miss, 1));
        assert_eq!(ask(), (3 * piece.len(), CacheStatus::Miss, 0));
        assert_eq!(ask(), (3 * piece.len(), CacheStatus::Hit, 0));
    }

    #[test]
    fn a_caller_may_wish_for_less_time_but_not_for_more() {
        // How often the model is asked when a question that wished for `wish` is asked again after `seconds`.
        let asked = |seconds: u64, wish: Option<u64>, max: Option<u64>| {
            let clock = ManualClock::default();
            let model = ScriptedChatModel::new().otherwise("Paris");
            let cache = Arc::new(MemoryCache::new(clock.clone()));
            let mut rule = CacheRule::new(Duration::from_secs(60));
            rule.max_ttl = max.map(Duration::from_secs);
            let cached = CachedChatModel::new(Arc::new(model.clone()), cache, clock.clone(), rule);
            let mut policy = CachePolicy::default();
            policy.ttl = wish.map(Duration::from_secs);
            let wishing = question().with_context(Context::default().with_cache(policy));
            block_on(cached.chat(wishing)).unwrap();
            clock.advance(Duration::from_secs(seconds));
            block_on(cached.chat(question())).unwrap();
            model.requests().len()
        };
        assert_eq!(asked(59, None, None), 1);
        assert_eq!(asked(5, Some(5), None), 2);
        assert_eq!(asked(59, Some(3_600), None), 1);
        assert_eq!(asked(60, Some(3_600), None), 2);

        assert_eq!(asked(89, Some(3_600), Some(90)), 1);
        assert_eq!(asked(90, Some(3_600), Some(90)), 2);
        assert_eq!(asked(60, None, Some(90)), 2, "nobody wished for more");
    }

    #[test]
    fn another_salt_is_another_cache() {
        let model = ScriptedChatModel::new().answer("old").answer("new");
        let cache: Arc<dyn edge_ai_core::Cache> = Arc::new(MemoryCache::new(clock()));
        let ask = |salt: &str| {
            let cached = CachedChatModel::new(
                Arc::new(model.clone()),
                Arc::clone(&cache),
                clock(),
                Duration::from_secs(60),
            );
            block_on(cached.salt(salt).chat(question())).unwrap().text()
        };
        assert_eq!(ask("m -> a"), "old");
        assert_eq!(ask("m -> b"), "new");
        assert_eq!(ask("m -> a"), "old");
        assert_eq!(ask("m -> b"), "new");
    }

    #[test]
    fn a_number_that_no_float_holds_is_kept_like_any_other() {
        let model = ScriptedChatModel::new().answer("Paris");
        let cached = cached(&model);
        let ask = || {
            let fields = vec![("x".to_owned(), RawJson::parse("1e999").unwrap())];
            let mut request = question();
            request.input.edit().extra = Extra::new(Dialect::new("d"), fields);
            let trail = request.context.trail.clone();
            block_on(cached.chat(request)).unwrap();
            trail.cache().unwrap()
        };
        assert_eq!([ask(), ask()], [CacheStatus::Miss, CacheStatus::Hit]);
    }

    #[test]
    fn tenants_share_nothing() {
        let model = ScriptedChatModel::new().otherwise("Paris");
        let cached = cached(&model);
        block_on(async {
            for request in [as_tenant("a"), as_tenant("b"), question(), as_tenant("a")] {
                cached.chat(request).await.unwrap();
            }
        });
        assert_eq!(model.requests().len(), 3);
    }

    #[test]
    fn labels_that_matter_keep_requests_apart() {
        let model = ScriptedChatModel::new().otherwise("Paris");
        let cached = cached(&model).labels(["plan"]);
        let ask = |labels: &[(&str, &str)]| {
            let mut request = question();
            let labels = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            request.context.metadata = labels.collect();
            block_on(cached.chat(request)).unwrap();
            model.requests().len()
        };
        assert_eq!(ask(&[]), 1);
        assert_eq!(ask(&[("plan", "pro")]), 2);
        assert_eq!(ask(&[("plan", "free")]), 3);
        assert_eq!(ask(&[("plan", "pro"), ("user", "7")]), 3);
    }

    #[test]
    fn no_value_of_a_label_reads_as_the_next_label() {
        let model = ScriptedChatModel::new().otherwise("Paris");
        let cached = cached(&model).labels(["a", "b"]);
        let ask = |labels: &[(&str, String)]| {
            let mut request = question();
            let labels = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            request.context.metadata = labels.collect();
            block_on(cached.chat(request)).unwrap();
            model.requests().len()
        };
        // The lengths of these, as bytes, are beginnings of each other.
        let rest = "x".repeat(246);
        let first = format!("\0b\u{8}\u{1}\0\0\0\0\0\0{rest}");
        let second = format!("{rest}\u{1}\u{1}\0\0\0\0\0\0\0b\0\0\0\0\0\0\0\0");
        assert_eq!(ask(&[("a", first), ("b", String::new())]), 1);
        assert_eq!(ask(&[("b", second)]), 2);
    }

    #[test]
    fn streams_are_kept_apart_where_they_matter() {
        for (apart, expect) in [(false, 1), (true, 2)] {
            let model = ScriptedChatModel::new().otherwise("Paris");
            let cached = cached(&model).streams_apart(apart);
            block_on(async {
                for _ in 0..2 {
                    cached.chat(question()).await.unwrap();
                    let stream = cached.chat_stream(question()).await.unwrap();
                    assert_eq!(stream.collect().await.unwrap().text(), "Paris");
                }
            });
            assert_eq!(model.requests().len(), expect);
        }
    }

    #[test]
    fn a_callers_wish_is_met() {
        let model = ScriptedChatModel::new()
            .answer("old")
            .answer("new")
            .answer("unkept");
        let cached = cached(&model);
        let ask = |mode| {
            let request = question().with_context(Context::default().with_cache(CachePolicy::new(mode)));
            let trail = request.context.trail.clone();
            let text = block_on(cached.chat(request)).unwrap().text();
            (text, trail.cache().unwrap())
        };
        assert_eq!(ask(CacheMode::Use), ("old".into(), CacheStatus::Miss));
        assert_eq!(ask(CacheMode::Refresh), ("new".into(), CacheStatus::Miss));
        assert_eq!(ask(CacheMode::Bypass), ("unkept".into(), CacheStatus::Bypass));
        assert_eq!(ask(CacheMode::Use), ("new".into(), CacheStatus::Hit));
    }

    /// A cache that is down.
    #[derive(Debug)]
    struct Down;

    #[edge_ai_core::async_trait]
    impl edge_ai_core::Cache for Down {
        async fn get(&self, _: &edge_ai_core::CacheKey) -> edge_ai_core::Result<Option<edge_ai_core::Bytes>> {
            Err(Error::new(ErrorKind::Unavailable, "down"))
        }

        async fn put(
            &self,
            _: &edge_ai_core::CacheKey,
            _: edge_ai_core::Bytes,
            _: Duration,
        ) -> edge_ai_core::Result<()> {
            Err(Error::new(ErrorKind::Unavailable, "down"))
        }

        async fn delete(&self, _: &edge_ai_core::CacheKey) -> edge_ai_core::Result<()> {
            Err(Error::new(ErrorKind::Unavailable, "down"))
        }
    }

    #[test]
    fn a_cache_that_is_down_is_a_warning() {
        let model = ScriptedChatModel::new().answer("Paris");
        let cached = CachedChatModel::new(Arc::new(model), Arc::new(Down), clock(), Duration::from_secs(60));
        let request = question();
        let trail = request.context.trail.clone();
        assert_eq!(block_on(cached.chat(request)).unwrap().text(), "Paris");
        assert_eq!(trail.warnings(), ["cache: down", "cache: down"]);
    }
}
