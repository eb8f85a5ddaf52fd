//! Who is asked first: each strategy seen through a router, over many requests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Capabilities, ChatModel, ChatOutput, ChatRequest, Clock, ContentPart, Context, Error, ErrorKind,
    FunctionTool, ManualClock, Message, ModelInfo, Price, Provider, Role, SeededEntropy, Timestamp, Trail,
    async_trait,
};
use edge_ai_gateway::{Affinity, Condition, PriceTable, Route, RouteTable, Router};
use futures_executor::block_on;

/// A vendor whose models take their time and may be down.
#[derive(Clone, Debug)]
struct Vendor {
    name: &'static str,
    listed: Vec<ModelInfo>,
    model: Arc<Timed>,
}

#[derive(Debug)]
struct Timed {
    clock: ManualClock,
    takes: std::sync::Mutex<Duration>,
    down: bool,
}

#[async_trait]
impl ChatModel for Timed {
    async fn chat(&self, request: ChatRequest) -> Result<edge_ai_core::ChatResponse, Error> {
        let takes = *self.takes.lock().unwrap();
        self.clock.sleep(takes).await;
        if self.down {
            return Err(Error::new(ErrorKind::NotFound, "not here"));
        }
        Ok(ChatOutput::from_text(request.model).into())
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<edge_ai_core::ChatStream, Error> {
        Ok(edge_ai_core::ChatStream::from_response(self.chat(request).await?))
    }
}

impl Provider for Vendor {
    fn name(&self) -> &str {
        self.name
    }

    fn chat_model(&self) -> Option<Arc<dyn ChatModel>> {
        Some(Arc::clone(&self.model) as Arc<dyn ChatModel>)
    }

    fn models(&self) -> Vec<ModelInfo> {
        self.listed.clone()
    }
}

struct World {
    clock: ManualClock,
    vendors: Vec<Vendor>,
}

impl World {
    fn new() -> Self {
        Self {
            clock: ManualClock::jumping(Timestamp::from_millis(1_000)),
            vendors: Vec::new(),
        }
    }

    fn vendor(self, name: &'static str, millis: u64, listed: &[(&str, Capabilities)]) -> Self {
        self.add(name, millis, listed, false)
    }

    fn down(self, name: &'static str) -> Self {
        self.add(name, 0, &[], true)
    }

    fn add(mut self, name: &'static str, millis: u64, listed: &[(&str, Capabilities)], down: bool) -> Self {
        let model = Timed {
            clock: self.clock.clone(),
            takes: Duration::from_millis(millis).into(),
            down,
        };
        self.vendors.push(Vendor {
            name,
            listed: listed.iter().map(|(id, can)| ModelInfo::new(*id, *can)).collect(),
            model: Arc::new(model),
        });
        self
    }

    fn router(&self, route: Route) -> Router {
        let providers = self.vendors.iter().cloned();
        let providers = providers
            .map(|vendor| Arc::new(vendor) as Arc<dyn Provider>)
            .collect();
        let table = RouteTable::new(providers, vec![("r".to_owned(), route)]).unwrap();
        let clock = Arc::new(self.clock.clone());
        Router::new(Arc::new(table), clock, Arc::new(SeededEntropy::new(11)))
    }

    fn slow(&self, name: &str, millis: u64) {
        let vendor = self.vendors.iter().find(|vendor| vendor.name == name).unwrap();
        *vendor.model.takes.lock().unwrap() = Duration::from_millis(millis);
    }
}

/// The providers that were called for a request, in order.
fn ask(router: &Router, mut request: ChatRequest) -> Vec<String> {
    request.context.trail = Trail::default();
    let context = request.context.clone();
    let _ = block_on(router.chat(request));
    context
        .trail
        .attempts()
        .into_iter()
        .map(|attempt| attempt.provider)
        .collect()
}

fn first(router: &Router, request: ChatRequest) -> String {
    ask(router, request).remove(0)
}

fn hi() -> ChatRequest {
    ChatRequest::new("r").user("hi").with_context(Context::default())
}

fn of_tenant(tenant: &str) -> ChatRequest {
    hi().with_context(Context::default().with_tenant(tenant))
}

fn counts(router: &Router, requests: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        *counts.entry(first(router, hi())).or_default() += 1;
    }
    counts
}

#[test]
fn weights_hold_over_many_requests() {
    let world = World::new()
        .vendor("a", 0, &[])
        .vendor("b", 0, &[])
        .vendor("c", 0, &[]);
    let router = world.router(Route::weighted([("a/x", 90), ("b/x", 10), ("c/x", 0)]));
    let counts = counts(&router, 10_000);
    // Four standard deviations: 4 * sqrt(10,000 * 0.9 * 0.1) = 120.
    assert!(
        counts["a"].abs_diff(9_000) < 120 && counts["b"].abs_diff(1_000) < 120,
        "{counts:?}"
    );
    assert!(!counts.contains_key("c"));
}

#[test]
fn who_is_not_drawn_follows() {
    let world = World::new().down("a").down("b").vendor("c", 0, &[]);
    let router = world.router(Route::weighted([("a/x", 100), ("b/x", 1), ("c/x", 0)]));
    let mut asked = ask(&router, hi());
    assert_eq!(asked.pop().as_deref(), Some("c"));
    asked.sort();
    assert_eq!(asked, ["a", "b"]);
}

#[test]
fn a_tenant_stays_and_only_the_removed_targets_tenants_move() {
    let world = World::new()
        .vendor("a", 0, &[])
        .vendor("b", 0, &[])
        .vendor("c", 0, &[]);
    let before = world.router(Route::sticky(Affinity::Tenant, ["a/x", "b/x", "c/x"]));
    let after = world.router(Route::sticky(Affinity::Tenant, ["c/x", "a/x"]));
    let mut homes = BTreeMap::new();
    for tenant in 0..600 {
        let tenant = tenant.to_string();
        let home = first(&before, of_tenant(&tenant));
        assert_eq!(
            home,
            first(&before, of_tenant(&tenant)),
            "the same tenant went elsewhere"
        );
        let moved = first(&after, of_tenant(&tenant));
        assert!(
            home == "b" || home == moved,
            "{tenant} moved from {home} to {moved}"
        );
        *homes.entry(home).or_insert(0_usize) += 1;
    }
    // Four standard deviations around a third of them.
    assert!(homes.values().all(|count| count.abs_diff(200) < 47), "{homes:?}");
    // Without a tenant they are spread, not heaped.
    let spread = counts(&before, 600);
    assert!(
        spread.values().all(|count| count.abs_diff(200) < 47),
        "{spread:?}"
    );
}

fn priced(world: &World, route: Route) -> Router {
    let prices = PriceTable::empty()
        .with("dear", "x", Price::new(10_000_000, 10_000_000))
        .with("reader", "x", Price::new(1_000_000, 30_000_000))
        .with("unlisted", "x", Price::new(0, 0))
        .with("blind", "x", Price::new(2_000_000, 2_000_000));
    world.router(route).prices(prices)
}

/// `blind` is cheap and can chat alone, `reader` is cheap for input, `dear` can everything.
fn market() -> World {
    let all = Capabilities::CHAT.tools().vision().json_schema().reasoning();
    World::new()
        .vendor("unpriced", 0, &[("x", all)])
        .vendor("unlisted", 0, &[])
        .vendor("dear", 0, &[("x", all)])
        .vendor("reader", 0, &[("x", Capabilities::CHAT.tools())])
        .vendor("blind", 0, &[("x", Capabilities::CHAT)])
}

const MARKET: [&str; 5] = ["unlisted/x", "unpriced/x", "dear/x", "reader/x", "blind/x"];

#[test]
fn the_cheapest_that_can_do_it_is_asked() {
    let router = priced(&market(), Route::cheapest(MARKET));
    let short = hi().max_output_tokens(100);
    assert_eq!(first(&router, short.clone()), "blind");
    let long = ChatRequest::new("r")
        .user("word ".repeat(4_000))
        .max_output_tokens(10);
    assert_eq!(first(&router, long.clone()), "reader");
    assert_eq!(first(&router, short.tool(FunctionTool::named("f"))), "dear");
    assert_eq!(
        first(&router, hi().max_output_tokens(0).tool(FunctionTool::named("f"))),
        "reader"
    );
    let picture = ContentPart::image_url("https://example.com/a.png");
    let seen = long.message(Message::new(Role::User, vec![picture]));
    assert_eq!(first(&router, seen), "dear");
}

#[test]
fn unknown_prices_come_late_and_unlisted_models_last() {
    let world = World::new()
        .down("unlisted")
        .add(
            "unpriced",
            0,
            &[("x", Capabilities::CHAT), ("y", Capabilities::CHAT)],
            true,
        )
        .add("dear", 0, &[("x", Capabilities::CHAT)], true);
    let router = priced(&world, Route::cheapest(["unlisted/x", "unpriced/x", "dear/x"]));
    assert_eq!(ask(&router, hi()), ["dear", "unpriced", "unlisted"]);
}

#[test]
fn a_route_without_anyone_who_can_says_what_is_missing() {
    let router = priced(&market(), Route::cheapest(["blind/x"]));
    let error = block_on(router.chat(hi().tool(FunctionTool::named("f")))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("tools"), "{error}");
}

#[test]
fn at_one_price_the_inner_choice_stays() {
    let can = [("x", Capabilities::CHAT)];
    let world = World::new()
        .vendor("eu", 0, &can)
        .vendor("us", 0, &can)
        .vendor("dear", 0, &can);
    let prices = PriceTable::empty()
        .with("eu", "x", Price::new(1_000_000, 1_000_000))
        .with("us", "x", Price::new(1_000_000, 1_000_000))
        .with("dear", "x", Price::new(9_000_000, 9_000_000));
    let sticky = Route::sticky(Affinity::Tenant, ["eu/x", "us/x"]);
    let router = world
        .router(Route::cheapest([Route::from("dear/x"), sticky.clone()]))
        .prices(prices);
    let alone = world.router(sticky);
    let mut homes = BTreeMap::new();
    for tenant in 0..50 {
        let tenant = tenant.to_string();
        let home = first(&router, of_tenant(&tenant));
        assert_eq!(home, first(&alone, of_tenant(&tenant)));
        *homes.entry(home).or_insert(0) += 1;
    }
    assert_eq!(homes.len(), 2, "{homes:?}");
}

#[test]
fn the_fastest_is_found_and_found_again() {
    let world = World::new()
        .vendor("a", 900, &[])
        .vendor("b", 300, &[])
        .vendor("c", 600, &[]);
    let router = world.router(Route::fastest(["a/x", "b/x", "c/x"]));
    counts(&router, 50);
    let settled = counts(&router, 1_000);
    // One in twenty explores, and never the first: four standard deviations around 50 are 28.
    assert!((922..=978).contains(&settled["b"]), "{settled:?}");
    assert!(settled["a"] > 10 && settled["c"] > 10, "{settled:?}");

    world.slow("b", 2_000);
    counts(&router, 100);
    let settled = counts(&router, 1_000);
    assert!(settled["c"] > 900 && settled["b"] > 10, "{settled:?}");

    // It was only measured now and then; that is enough to win the place back.
    world.slow("b", 100);
    counts(&router, 300);
    assert!(counts(&router, 200)["b"] > 170);
}

#[test]
fn a_target_that_only_fails_is_not_explored_for_ever() {
    let world = World::new().vendor("a", 100, &[]).down("b");
    let router = world.router(Route::fastest(["a/x", "b/x"]));
    counts(&router, 50);
    let settled = counts(&router, 1_000);
    // One in twenty, as for any other that is known.
    assert!((22..=78).contains(&settled["b"]), "{settled:?}");
}

#[test]
fn streams_and_whole_answers_are_timed_apart() {
    let world = World::new().vendor("a", 100, &[]).vendor("b", 500, &[]);
    let router = world.router(Route::fastest(["b/x", "a/x"]));
    let stream = || {
        let request = hi();
        let context = request.context.clone();
        block_on(router.chat_stream(request)).unwrap();
        context.trail.attempts().remove(0).provider
    };
    counts(&router, 50);
    assert!(counts(&router, 20)["a"] > 10);
    assert_eq!(stream(), "b", "nothing is known of streams yet");
    (0..50).for_each(|_| drop(stream()));
    let times = (0..100).filter(|_| stream() == "a").count();
    assert!(times > 85 && times < 100, "{times}");
}

#[test]
fn conditions_part_requests() {
    let world = World::new().vendor("a", 0, &[]).vendor("b", 0, &[]);
    let condition = Condition::all([Condition::prompt_over(100), !Condition::tenant("free")]);
    let router = world.router(Route::when(condition, "a/x", "b/x"));
    let long = |tenant: &str| of_tenant(tenant).user("word ".repeat(40));
    assert_eq!(ask(&router, long("acme")), ["a"]);
    assert_eq!(ask(&router, long("free")), ["b"]);
    assert_eq!(ask(&router, of_tenant("acme")), ["b"]);
}

#[test]
fn choices_nest_and_nobody_is_asked_twice() {
    let world = World::new().down("a").down("b").down("c");
    let inner = Route::when(Condition::stream(), "c/x", Route::fallback(["b/x", "a/x"]));
    let router = world.router(Route::fallback([Route::from("a/x"), inner, Route::from("c/x")]));
    assert_eq!(ask(&router, hi()), ["a", "b", "c"]);
}

#[test]
fn a_route_from_json_routes() {
    let json = r#"{"when": {"if": {"metadata": {"plan": "pro"}}, "then": "a/x", "else": {"fallback": ["b/x", "a/x"]}}}"#;
    let world = World::new().vendor("a", 0, &[]).vendor("b", 0, &[]);
    let router = world.router(serde_json::from_str(json).unwrap());
    let mut pro = Context::default();
    pro.metadata.insert("plan".into(), "pro".into());
    assert_eq!(ask(&router, hi().with_context(pro)), ["a"]);
    assert_eq!(ask(&router, hi()), ["b"]);
}
