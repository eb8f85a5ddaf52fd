use std::sync::Arc;
use std::time::Duration;

use edge_ai_cache::{CachedChatModel, CachedEmbeddingModel, KeyValueCache, WorkersKv};
use edge_ai_core::{Capabilities, ChatModel, EmbeddingModel, Error, ErrorKind, Provider, Result};
use edge_ai_providers::{Anthropic, OpenAi, WorkersAi};
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::contract::reranker::{self, RerankerSubject};
use edge_ai_worker::WorkerClock;
use worker::Env;

use crate::suite::Suite;

const OPENAI: &str = "gpt-4.1-mini";

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    chat_models(suite, env);
    embedding_models(suite, env);
    suite.add("reranker/workers_ai", reranker::cases(), move || {
        let model = WorkersAi::from_env(env, "AI")?
            .reranker()
            .ok_or_else(|| missing("a reranker"))?;
        Ok(RerankerSubject::shared(model, "@cf/baai/bge-reranker-base")
            .with_unknown_model("@cf/missing/model"))
    });
}

fn chat_models<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    let all = Capabilities::CHAT.tools().json_schema();
    suite.add("chat_model/openai", chat_model::cases(), move || {
        let model = chat(openai(env)?)?;
        Ok(subject(model, OPENAI)
            .with_capabilities(all.vision())
            .with_unknown_model("missing-model"))
    });
    suite.add("chat_model/openai_cached", chat_model::cases(), move || {
        let cache = KeyValueCache::new(WorkersKv::from_env(env, "CACHE")?, WorkerClock);
        let model = CachedChatModel::new(
            chat(openai(env)?)?,
            Arc::new(cache),
            WorkerClock,
            Duration::from_secs(60),
        );
        Ok(subject(model, OPENAI)
            .with_capabilities(all.vision())
            .with_unknown_model("missing-model"))
    });
    // The newest Claude decides by itself whether it calls a tool; the older one can be told to.
    for (name, model) in [
        ("chat_model/anthropic", "claude-sonnet-5-5"),
        (
            "chat_model/anthropic_with_forced_tools",
            "claude-haiku-4-5-20251001",
        ),
    ] {
        suite.add(name, chat_model::cases(), move || {
            let subject = subject(chat(anthropic(env)?)?, model);
            Ok(subject
                .with_capabilities(all.vision())
                .with_unknown_model("missing-model"))
        });
    }
    // Workers AI has two dialects, by model. Models of the second may see pictures, which the vendor knows and the provider does not.
    for (name, model, capabilities) in [
        (
            "chat_model/workers_ai",
            "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            all,
        ),
        (
            "chat_model/workers_ai_in_openai_dialect",
            "@cf/qwen/qwen3-30b-a3b-fp8",
            all.vision().reasoning(),
        ),
    ] {
        suite.add(name, chat_model::cases(), move || {
            let subject = subject(chat(WorkersAi::from_env(env, "AI")?)?, model).without_key();
            Ok(subject
                .with_capabilities(capabilities)
                .with_unknown_model("@cf/missing/model"))
        });
    }
}

fn embedding_models<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    suite.add("embedding_model/openai", embedding_model::cases(), move || {
        let subject = EmbeddingModelSubject::new(embeddings(openai(env)?)?, "text-embedding-3-small");
        Ok(subject
            .with_dimensions(1_536)
            .with_batch(2_048)
            .with_unknown_model("missing-model"))
    });
    suite.add(
        "embedding_model/openai_cached",
        embedding_model::cases(),
        move || {
            let cache = Arc::new(KeyValueCache::new(
                WorkersKv::from_env(env, "CACHE")?,
                WorkerClock,
            ));
            let model = CachedEmbeddingModel::new(embeddings(openai(env)?)?, cache, Duration::from_secs(60));
            let subject = EmbeddingModelSubject::new(model, "text-embedding-3-small");
            // What is known takes nothing.
            let subject = subject.with_dimensions(1_536).with_batch(128).without_usage();
            Ok(subject.with_unknown_model("missing-model"))
        },
    );
    // Each family has its own form of inputs; none says what an embedding took.
    for (name, model, dimensions) in [
        (
            "embedding_model/workers_ai_bge",
            "@cf/baai/bge-small-en-v1.5",
            384,
        ),
        ("embedding_model/workers_ai_bge_m3", "@cf/baai/bge-m3", 1_024),
        (
            "embedding_model/workers_ai_qwen3",
            "@cf/qwen/qwen3-embedding-0.6b",
            1_024,
        ),
    ] {
        suite.add(name, embedding_model::cases(), move || {
            let subject = EmbeddingModelSubject::new(embeddings(WorkersAi::from_env(env, "AI")?)?, model);
            let subject = subject
                .with_dimensions(dimensions)
                .with_batch(100)
                .without_usage();
            Ok(subject.with_unknown_model("@cf/missing/model"))
        });
    }
}

fn subject(chat: impl ChatModel, model: &str) -> ChatModelSubject {
    ChatModelSubject::new(chat, model).with_faults(Fault::directive)
}

fn openai(env: &Env) -> Result<OpenAi> {
    OpenAi::from_env(env)?.ok_or_else(|| missing("OPENAI_API_KEY"))
}

fn anthropic(env: &Env) -> Result<Anthropic> {
    Anthropic::from_env(env)?.ok_or_else(|| missing("ANTHROPIC_API_KEY"))
}

fn chat(provider: impl Provider) -> Result<Arc<dyn ChatModel>> {
    provider.chat_model().ok_or_else(|| missing("chat"))
}

fn embeddings(provider: impl Provider) -> Result<Arc<dyn EmbeddingModel>> {
    provider.embedding_model().ok_or_else(|| missing("embeddings"))
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("{what} is missing"))
}
