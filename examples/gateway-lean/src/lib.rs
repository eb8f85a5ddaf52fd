//! A gateway that composes little: three vendors, routes, a cache, a limit and records on the console. What it does not compose is not in it.

use std::time::Duration;

use edge_ai::cache::{KeyValueCache, MemoryCache, TieredCache, WorkersKv};
use edge_ai::gateway::Route;
use edge_ai::gateway::{JsonLog, Limit, unavailable};
use edge_ai::providers::{Anthropic, OpenAi, WorkersAi};
use edge_ai::runtime::WorkerClock;
use edge_ai::{EdgeAi, PerIsolate, Quota, Result};
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
    let cache = TieredCache::new(
        MemoryCache::new(WorkerClock),
        KeyValueCache::new(WorkersKv::from_env(env, "CACHE")?, WorkerClock),
        WorkerClock,
    );
    EdgeAi::builder()
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
        .cache(cache, Duration::from_secs(300))
        .rate_limit(Limit::per_ip(Quota::per_minute(600)))
        .usage(JsonLog::console())
        .build()
}
