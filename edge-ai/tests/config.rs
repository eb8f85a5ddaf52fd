//! The configuration document: what it takes, what it refuses and where, and how it is taken up while a gateway runs.

#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use edge_ai::cache::MemoryKeyValue;
use edge_ai::config::Config;
use edge_ai::core::{
    Bytes, ErrorKind, Inline, KeyPage, KeyValue, ManualClock, Price, SeededEntropy, Timestamp, Usage,
};
use edge_ai::gateway::{Caller, Timeouts};
use edge_ai::{EdgeAi, Error, Live, Result, Standing, async_trait};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedProvider};
use futures_executor::block_on;

const EVERYTHING: &str = r#"{
  "$schema": "https://example.com/config.schema.json",
  "providers": {"house": {"base_url": "https://llm.example.com/v1", "key_setting": "HOUSE_KEY", "embeddings": true}},
  "routes": {
    "smart": {"fallback": ["scripted/a", "scripted/b"]},
    "v1.5": "scripted/c"
  },
  "optional_routes": {"spare": {"fallback": ["nobody/x", "scripted/b"]}},
  "retry": {"rounds": 3, "max_attempts": 4, "backoff_ms": 100, "max_wait_ms": 2000},
  "timeouts": {"total_seconds": 90, "answer_seconds": 60, "first_token_seconds": 20, "idle_seconds": 30},
  "cache": {"default": {"ttl_seconds": 300}, "routes": {"v1.5": {"ttl_seconds": 10, "coalesce": true}}},
  "limits": ["600 requests per minute per ip", {"name": "budget", "measure": "spend", "amount": "$50", "window": "day", "per": ["tenant"]}],
  "guardrails": {"secrets": {"action": "block"}},
  "prices": {"scripted/a": {"input": 1.25, "output": 10, "long_context": {"above_tokens": 1000, "input": 2.5, "output": 20}}},
  "share_paces_seconds": 60,
  "max_body_bytes": 1000000,
  "keep_alive_seconds": 5
}"#;

fn problem(text: &str) -> String {
    let error = Config::from_json(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.message().to_owned()
}

#[test]
fn everything_is_read() {
    let config = Config::from_json(EVERYTHING).unwrap();
    assert_eq!(config.routes["smart"].targets(), ["scripted/a", "scripted/b"]);
    assert_eq!(config.limits[1].amount, 50_000_000_000);
    assert_eq!(Timeouts::from(config.timeouts).idle, Duration::from_secs(30));
    let price = Price::from(&config.prices["scripted/a"]);
    assert_eq!(price.of(&Usage::new(1_000, 0)).as_nano_dollars(), 1_250_000);
    assert_eq!(price.of(&Usage::new(2_000, 0)).as_nano_dollars(), 5_000_000);
    assert_eq!(config.cache.unwrap().of("v1.5").ttl, Duration::from_secs(10));
}

#[test]
fn a_slip_is_told_with_its_line() {
    for (text, begins) in [
        (
            "{\n  \"routes\": {\n    \"a\": {\"falback\": [\"x/y\"]}\n  }\n}",
            "line 3, column",
        ),
        (
            "{\n\n \"timeouts\": {\"idle_seconds\": \"soon\"}}",
            "line 3, column",
        ),
        (
            "{\"limits\": [\n \"60 requests per minute per ip\",\n \"60 requests per fortnight\"]}",
            "line 3, column",
        ),
        (
            "{\"prices\": {\n  \"gpt-5\": {\"input\": 1}}}",
            "line 2, column 12: `prices.gpt-5`: a price is of a `provider/model`",
        ),
        ("{\"prices\": {\"a/b\": {\"input\": -1}}}", "line 1, column"),
        (
            "{\"providers\": {\n  \"House\": {\"base_url\": \"https://x\"}}}",
            "line 2, column 12: `providers.House`: a provider's name is of",
        ),
        (
            "{\"providers\": {\"h\":\n {\"base_url\": \"ftp://x\"}}}",
            "line 2, column 15: `providers.h.base_url`: it begins with",
        ),
        (
            "{\"limits\": [\"1 requests per day\",\n \"2 requests per day\"]}",
            "line 2, column 2: `limits[1]`: two limits are named",
        ),
        (
            "{\"keep_alive_seconds\":\n0}",
            "line 2, column 1: `keep_alive_seconds`: it is at least 1",
        ),
        (
            "{\"guardrails\":\n{\"deny\": [{\"name\": \"n\", \"terms\": [], \"action\": \"block\"}]}}",
            "line 2, column 1: `guardrails`: ",
        ),
        ("[]", "line 1, column"),
        ("", "line 1, column 0"),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with(begins), "{text}: {problem}");
    }
}

#[cfg(feature = "toml")]
#[test]
fn toml_says_the_same() {
    let text = "keep_alive_seconds = 5\n\n[routes]\nsmart = { fallback = [\"a/x\", \"b/y\"] }\n\n[prices.\"a/x\"]\ninput = 1\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.routes["smart"].targets(), ["a/x", "b/y"]);
    for (text, begins) in [
        ("\n[routes]\nsmart = { falback = [\"x/y\"] }\n", "line 3, column"),
        ("[prices.gpt-5]\ninput = 1\n", "line 1, column"),
        (
            "limits = [\n  \"60 requests per minute\",\n  \"70 requests per minute\",\n]\n",
            "line 3, column 3: `limits[1]`",
        ),
        ("routes = \n", "line 1, column"),
    ] {
        let problem = Config::parse(text).unwrap_err().message().to_owned();
        assert!(problem.starts_with(begins), "{text}: {problem}");
    }
}

/// What an application makes of its configuration.
fn make(config: &Config, _: Option<&EdgeAi>) -> Result<EdgeAi> {
    let model = ScriptedChatModel::new().otherwise("Paris");
    EdgeAi::builder_with(ManualClock::default(), SeededEntropy::new(1))
        .provider(ScriptedProvider::new("scripted", model))
        .config(config)?
        .build()
}

fn ask(edge: &EdgeAi, model: &str) -> u16 {
    let body = format!(
        r#"{{"model": "{model}", "messages": [{{"role": "user", "content": "Capital of France?"}}]}}"#
    );
    let request = http::Request::post("/v1/chat/completions")
        .body(body.into())
        .unwrap();
    let caller = Caller::new(Arc::new(Inline));
    block_on(edge.gateway().handle(request, caller)).status().as_u16()
}

const KEY: &str = "gateway";
const BUNDLED: &str = r#"{"routes": {"bundled": "scripted/a"}}"#;

/// A gateway whose configuration is in a store.
struct Running {
    clock: ManualClock,
    store: MemoryKeyValue<ManualClock>,
    live: Live<EdgeAi>,
}

impl Running {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_790_000_000_000));
        Self {
            store: MemoryKeyValue::new(clock.clone()),
            clock,
            live: Live::new(),
        }
    }

    fn publish(&self, text: &str) {
        block_on(self.store.put(KEY, Bytes::from(text.to_owned()), None)).unwrap();
    }

    fn edge(&self) -> Arc<EdgeAi> {
        block_on(self.live.get(&self.clock, &self.store, KEY, BUNDLED, make)).unwrap()
    }

    fn later(&self) {
        self.clock.advance(Live::<EdgeAi>::INTERVAL);
        block_on(self.live.look(&self.clock, &self.store, KEY, BUNDLED, make));
    }
}

#[test]
fn a_change_is_taken_up_and_a_bad_one_refused() {
    let running = Running::new();
    assert_eq!(ask(&running.edge(), "bundled"), 200);
    assert!(matches!(running.live.standing(), Standing::Bundled));

    running.publish(r#"{"routes": {"smart": "scripted/a"}}"#);
    running.later();
    assert_eq!(
        (ask(&running.edge(), "smart"), ask(&running.edge(), "bundled")),
        (200, 404)
    );
    assert!(matches!(running.live.standing(), Standing::Current));

    for (bad, says) in [
        ("{\n \"routes\": 7}", "line 2"),
        (
            "{\"routes\": {\n  \"v1.5\": \"nobody/x\"}}",
            "line 2, column 11: `routes.v1.5`: the route `v1.5` leads to `nobody/x`",
        ),
    ] {
        running.publish(bad);
        running.later();
        assert_eq!(ask(&running.edge(), "smart"), 200, "the last good one serves");
        let Standing::Refused(error) = running.live.standing() else {
            panic!("{:?}", running.live.standing());
        };
        assert!(error.message().starts_with(says), "{error}");
    }

    running.publish(r#"{"routes": {"smart": "scripted/b"}}"#);
    running.later();
    assert!(matches!(running.live.standing(), Standing::Current));
}

#[test]
fn a_bad_document_at_the_start_leaves_the_bundled_one() {
    let running = Running::new();
    running.publish("routes?");
    assert_eq!(ask(&running.edge(), "bundled"), 200);
    assert!(matches!(running.live.standing(), Standing::Refused(_)));
    running.publish(r#"{"routes": {"smart": "scripted/a"}}"#);
    running.later();
    assert_eq!(ask(&running.edge(), "smart"), 200);
}

/// A store that does not answer.
#[derive(Debug)]
struct Down;

#[async_trait]
impl KeyValue for Down {
    async fn get(&self, _: &str) -> Result<Option<Bytes>> {
        Err(Error::new(ErrorKind::Unavailable, "KV is down"))
    }

    async fn put(&self, _: &str, _: Bytes, _: Option<Duration>) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "KV is down"))
    }

    async fn delete(&self, _: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "KV is down"))
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<KeyPage> {
        Err(Error::new(ErrorKind::Unavailable, "KV is down"))
    }
}

#[test]
fn a_store_that_is_down_takes_nothing_away() {
    let running = Running::new();
    let edge = block_on(running.live.get(&running.clock, &Down, KEY, BUNDLED, make)).unwrap();
    assert_eq!(ask(&edge, "bundled"), 200);
    assert!(matches!(running.live.standing(), Standing::Unreachable(_)));
    running.publish(r#"{"routes": {"smart": "scripted/a"}}"#);
    running.later();
    block_on(running.live.look(&running.clock, &Down, KEY, BUNDLED, make));
    assert_eq!(ask(&running.edge(), "smart"), 200);
}

#[test]
fn one_request_in_a_while_looks() {
    let running = Running::new();
    running.edge();
    assert!(!running.live.is_due(&running.clock));
    running.clock.advance(Live::<EdgeAi>::INTERVAL);
    assert!(running.live.is_due(&running.clock));
    assert!(!running.live.is_due(&running.clock), "somebody looks already");
}

#[cfg(feature = "schema")]
#[test]
fn the_published_schema_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.schema.json");
    let schema = edge_ai::config::json_schema();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/config.schema.json is old: UPDATE=1 cargo test -p edge-ai --all-features --test config"
    );
}
