//! An AI gateway to deploy as it is: Workers AI, OpenAI, Anthropic, Gemini, Vertex AI, Amazon Bedrock and the vendors compatible with OpenAI behind one endpoint.
//!
//! What can be set without touching the code is in `wrangler.jsonc`; see the README.

mod keys;
mod long_work;
mod observe;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

pub use edge_ai::cache::CoalescingObject;
use edge_ai::cache::{CacheRules, KeyValueCache, MemoryCache, PurgeLog, TieredCache, WorkerRooms, WorkersKv};
use edge_ai::core::{LeaseOptions, LimitRule};
use edge_ai::gateway::{
    DurableLeases, KvLimits, Limit, Limits, PassThrough, RateLimitBinding, Route, Timeouts, unavailable,
};
pub use edge_ai::gateway::{JobObject, LimitOffice};
use edge_ai::guard::GuardConfig;
use edge_ai::providers::{Anthropic, Bedrock, Gemini, OpenAi, Vertex, WorkersAi, compatible};
use edge_ai::runtime::{EnvExt, WorkerClock, WorkerEntropy};
use edge_ai::{EdgeAi, EdgeAiBuilder, Error, ErrorKind, PerIsolate, Quota, Result};
use keys::with_keys;
use serde::de::DeserializeOwned;
use worker::{Context, Env, MessageBatch, Request, Response, event};

static EDGE: PerIsolate<EdgeAi> = PerIsolate::new();

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    match EDGE.get_or_try_init(|| build(&env)) {
        Ok(edge) => edge.gateway().serve(request, context).await,
        Err(error) => unavailable(&error),
    }
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, context: Context) -> worker::Result<()> {
    if !long_work::is_of(&batch) {
        return observe::keep(batch, &env).await;
    }
    match EDGE.get_or_try_init(|| build(&env)) {
        Ok(edge) => edge.gateway().work_on(batch, context).await,
        Err(error) => Err(worker::Error::RustError(error.to_string())),
    }
}

fn build(env: &Env) -> Result<EdgeAi> {
    let mut edge = EdgeAi::builder()
        .provider(WorkersAi::from_env(env, "AI")?)
        .maybe_provider(OpenAi::from_env(env)?)
        .maybe_provider(Anthropic::from_env(env)?)
        .maybe_provider(Gemini::from_env(env)?)
        .maybe_provider(Vertex::from_env(env)?)
        .maybe_provider(Bedrock::from_env(env)?)
        .timeouts(timeouts(env)?);
    edge = observe::observe(edge, env)?;
    edge = long_work::long_work(edge, env)?;
    for vendor in compatible::all_from_env(env)? {
        edge = edge.provider(vendor);
    }
    edge = match env.text("ROUTES") {
        Some(routes) => with_routes(edge, &routes)?,
        None => with_default_routes(edge),
    };
    if let Some(rules) = cache_rules(env)? {
        let kv = || WorkersKv::from_env(env, "CACHE");
        let far = KeyValueCache::new(kv()?, WorkerClock);
        let cache = TieredCache::new(MemoryCache::new(WorkerClock), far, WorkerClock);
        edge = edge
            .cache(cache, rules)
            .cache_purges(PurgeLog::new(kv()?, WorkerClock))
            .coalesce(WorkerRooms::from_env(env, "COALESCE")?);
    }
    edge = edge.limits(limits(env)?);
    if let Some(guardrails) = env.text("GUARDRAILS") {
        edge = edge.guard(GuardConfig::from_json(&guardrails)?.build()?);
    }
    if let Some(pass) = pass_through(env)? {
        edge = edge.pass_through(pass);
    }
    with_keys(edge, env)?.build()
}

/// What `LIMITS` and `RATE_LIMIT_PER_MINUTE` say, on every backend that wrangler.jsonc binds.
fn limits(env: &Env) -> Result<Limits> {
    let minute = Duration::from_secs(60);
    let leases = DurableLeases::from_env(env, "LIMIT_OFFICE")?.limits(LeaseOptions::default());
    let kv = KvLimits::new(
        WorkersKv::from_env(env, "CACHE")?,
        Arc::new(WorkerClock),
        &WorkerEntropy,
    );
    let binding = RateLimitBinding::from_env(env, "LIMITER", LIMITER_REQUESTS, minute)?;
    let limits = Limits::new(Arc::new(WorkerClock))
        .backend(LimitRule::LEASED, leases)
        .backend(LimitRule::KV, kv)
        .backend(LimitRule::BINDING, binding);
    let mut rules: Vec<LimitRule> = match env.text("LIMITS") {
        Some(json) => serde_json::from_str(&json).map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                format!("`LIMITS` does not read: {error}"),
            )
            .with_source(error)
        })?,
        None => Vec::new(),
    };
    if let Some(requests) = number(env, "RATE_LIMIT_PER_MINUTE")? {
        rules.push(Limit::per_ip(Quota::per_minute(requests)).rule());
    }
    limits.replace(rules)?;
    Ok(limits)
}

/// What wrangler.jsonc allows in the rate limiter's minute.
const LIMITER_REQUESTS: NonZeroU32 = match NonZeroU32::new(100) {
    Some(requests) => requests,
    None => NonZeroU32::MIN,
};

/// What is passed on to vendors as it is.
fn pass_through(env: &Env) -> Result<Option<PassThrough>> {
    let text = env.text("PASS_THROUGH").unwrap_or_else(|| "models".to_owned());
    let mut pass = PassThrough::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        pass = match word {
            "off" => return Ok(None),
            "models" => pass.models_only(),
            "all" => pass,
            "unguarded" => pass.unguarded(),
            _ => {
                let message = format!(
                    "`PASS_THROUGH` is `models`, `all` or `off`, and `unguarded` beside it, not `{text}`"
                );
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
    }
    Ok(Some(pass))
}

/// Names that work with whatever keys there are.
fn with_default_routes(edge: EdgeAiBuilder) -> EdgeAiBuilder {
    let smart = [
        "anthropic/claude-sonnet-5-5",
        "openai/gpt-6.1-terra",
        "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    ];
    let fast = ["workers-ai/@cf/zai-org/glm-4.7-flash", "openai/gpt-6-luna"];
    edge.optional_route("smart", Route::fallback(smart))
        .optional_route("fast", Route::fallback(fast))
}

/// The operator's own, as a JSON object of names and routes.
fn with_routes(edge: EdgeAiBuilder, json: &str) -> Result<EdgeAiBuilder> {
    let routes: BTreeMap<String, Route> = read("ROUTES", json)?;
    Ok(routes
        .into_iter()
        .fold(edge, |edge, (name, route)| edge.route(name, route)))
}

/// How long answers are kept: by one number for all, or by rules.
fn cache_rules(env: &Env) -> Result<Option<CacheRules>> {
    match env.text("CACHE_RULES") {
        Some(rules) => read("CACHE_RULES", &rules).map(Some),
        None => {
            let seconds = number(env, "CACHE_TTL_SECONDS")?;
            Ok(seconds.map(|seconds| Duration::from_secs(seconds.into()).into()))
        }
    }
}

/// A setting that is JSON.
fn read<T: DeserializeOwned>(name: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| {
        Error::new(
            ErrorKind::Configuration,
            format!("`{name}` does not read: {error}"),
        )
        .with_source(error)
    })
}

fn timeouts(env: &Env) -> Result<Timeouts> {
    let mut timeouts = Timeouts::default();
    for (name, limit) in [
        ("ANSWER_TIMEOUT_SECONDS", &mut timeouts.answer),
        ("FIRST_TOKEN_TIMEOUT_SECONDS", &mut timeouts.first_token),
        ("IDLE_TIMEOUT_SECONDS", &mut timeouts.idle),
    ] {
        if let Some(seconds) = number(env, name)? {
            *limit = Duration::from_secs(seconds.into());
        }
    }
    Ok(timeouts)
}

/// A number from the configuration; zero and nothing both turn off what it is for.
fn number(env: &Env, name: &str) -> Result<Option<u32>> {
    let Some(text) = env.text(name) else {
        return Ok(None);
    };
    match text.trim().parse() {
        Ok(0) => Ok(None),
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Error::new(
            ErrorKind::Configuration,
            format!("`{name}` must be a whole number, not `{text}`"),
        )),
    }
}
