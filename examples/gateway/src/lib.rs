//! An AI gateway to deploy as it is: Workers AI, OpenAI, Anthropic and the vendors compatible with OpenAI behind one endpoint.
//!
//! What can be set without touching the code is in `wrangler.jsonc`; see the README.

use std::time::Duration;

use edge_ai::cache::{KeyValueCache, MemoryCache, TieredCache, WorkersKv};
use edge_ai::gateway::{Access, ApiKeys, D1UsageLog, JsonLog, Limit, Route, unavailable};
use edge_ai::providers::{Anthropic, OpenAi, WorkersAi, compatible};
use edge_ai::runtime::{EnvExt, WorkerClock};
use edge_ai::{EdgeAi, Error, ErrorKind, PerIsolate, Quota, Result};
use worker::{Context, Env, Request, Response, event};

static EDGE: PerIsolate<EdgeAi> = PerIsolate::new();

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    match EDGE.get_or_try_init(|| build(&env)) {
        Ok(edge) => edge.gateway().serve(request, context).await,
        Err(error) => unavailable(&error),
    }
}

fn build(env: &Env) -> Result<EdgeAi> {
    let mut edge = EdgeAi::builder()
        .provider(WorkersAi::from_env(env, "AI")?)
        .maybe_provider(OpenAi::from_env(env)?)
        .maybe_provider(Anthropic::from_env(env)?)
        .optional_route(
            "smart",
            Route::fallback([
                "anthropic/claude-sonnet-5-5",
                "openai/gpt-6.1-terra",
                "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            ]),
        )
        .optional_route(
            "fast",
            Route::fallback(["workers-ai/@cf/zai-org/glm-4.7-flash", "openai/gpt-6-luna"]),
        )
        .usage(D1UsageLog::from_env(env, "DB")?)
        .usage(JsonLog::console());
    for vendor in compatible::all_from_env(env)? {
        edge = edge.provider(vendor);
    }
    if let Some(seconds) = number(env, "CACHE_TTL_SECONDS")? {
        let far = KeyValueCache::new(WorkersKv::from_env(env, "CACHE")?, WorkerClock);
        let cache = TieredCache::new(MemoryCache::new(WorkerClock), far, WorkerClock);
        edge = edge.cache(cache, Duration::from_secs(seconds.into()));
    }
    if let Some(requests) = number(env, "RATE_LIMIT_PER_MINUTE")? {
        edge = edge.rate_limit(Limit::per_ip(Quota::per_minute(requests)));
    }
    // A variable that is there and empty is a slip, and must not open the door.
    if let Ok(keys) = env.var("GATEWAY_KEYS") {
        edge = edge.access(Access::Keys(ApiKeys::parse(&keys.to_string())?));
    }
    edge.build()
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
