//! An AI gateway to deploy as it is: Workers AI, OpenAI, Anthropic, Gemini, Vertex AI, Amazon Bedrock and the vendors compatible with
//! OpenAI behind one endpoint.
//!
//! What it does is configured in `gateway.toml`, or in a document in Workers KV that is taken up while it serves; what it runs on, and
//! with which keys, in `wrangler.jsonc`. See the README.

mod keys;
mod live;
mod long_work;
mod observe;
mod passing_on;
mod stores;

use std::sync::Arc;

pub use edge_ai::cache::CoalescingObject;
use edge_ai::config::Config;
use edge_ai::gateway::unavailable;
pub use edge_ai::gateway::{JobObject, LimitOffice};
use edge_ai::providers::{Anthropic, Bedrock, Gemini, OpenAi, Vertex, WorkersAi, compatible};
use edge_ai::runtime::{EnvExt, FetchClient};
use edge_ai::{EdgeAi, Result};
use worker::{Context, Env, MessageBatch, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    match live::edge(&env, &context).await {
        Ok(edge) => edge.gateway().serve(request, context).await,
        Err(error) => unavailable(&error),
    }
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, context: Context) -> worker::Result<()> {
    if !long_work::is_of(&batch) {
        return observe::keep(batch, &env).await;
    }
    match live::edge(&env, &context).await {
        Ok(edge) => edge.gateway().work_on(batch, context).await,
        Err(error) => Err(worker::Error::RustError(error.to_string())),
    }
}

/// The application that a configuration describes; `before` is the one that it takes the place of.
fn build(env: &Env, config: &Config, before: Option<&EdgeAi>) -> Result<EdgeAi> {
    let mut edge = EdgeAi::builder()
        .provider(WorkersAi::from_env(env, "AI")?)
        .maybe_provider(OpenAi::from_env(env)?)
        .maybe_provider(Anthropic::from_env(env)?)
        .maybe_provider(Gemini::from_env(env)?)
        .maybe_provider(Vertex::from_env(env)?)
        .maybe_provider(Bedrock::from_env(env)?);
    for vendor in compatible::all_from_env(env)? {
        edge = edge.provider(vendor);
    }
    for (name, server) in &config.providers {
        edge = edge.provider(server.build(name, Arc::new(FetchClient), &|setting| env.text(setting))?);
    }
    if let Some(rules) = &config.cache {
        edge = stores::with_cache(edge, env, rules.clone())?;
    }
    if let Some(seconds) = config.share_paces_seconds {
        edge = stores::with_shared_paces(edge, env, seconds)?;
    }
    if let Some(before) = before {
        edge = edge.inherit(before);
    }
    let limits = stores::limits(env)?;
    edge = observe::observe(edge.config(config)?.limits(limits.clone()), env)?;
    edge = long_work::long_work(edge, env)?;
    if let Some(pass) = passing_on::pass_through(env)? {
        edge = edge.pass_through(pass);
    }
    let edge = keys::with_keys(edge, env)?.build()?;
    // Last: a configuration that is refused for something else changes no limit.
    limits.replace(config.limits.clone())?;
    Ok(edge)
}
