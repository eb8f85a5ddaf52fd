use std::sync::Arc;

use edge_ai_core::{Capabilities, ChatModel, EmbeddingModel, Error, ErrorKind, Provider, Reranker, Result};
use edge_ai_providers::{Anthropic, OpenAi, WorkersAi};
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::contract::reranker::{self, RerankerSubject};
use worker::Env;

use crate::suite::Suite;

const OPENAI: &str = "gpt-4.1-mini";
const ANTHROPIC: &str = "claude-sonnet-5-5";
/// Speaks Workers AI's own dialect.
const NATIVE: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    let all = Capabilities::CHAT.tools().json_schema();
    suite.add("chat_model/openai", chat_model::cases(), async move || {
        Ok(chat(openai(env)?, OPENAI)?
            .with_capabilities(all.vision())
            .with_unknown_model("missing-model"))
    });
    suite.add("chat_model/anthropic", chat_model::cases(), async move || {
        Ok(chat(anthropic(env)?, ANTHROPIC)?
            .with_capabilities(all.vision())
            .with_unknown_model("missing-model"))
    });
    suite.add("chat_model/workers_ai", chat_model::cases(), async move || {
        let subject = chat(WorkersAi::from_env(env, "AI")?, NATIVE)?;
        Ok(subject
            .with_capabilities(all)
            .with_unknown_model("@cf/missing/model"))
    });
    suite.add(
        "embedding_model/openai",
        embedding_model::cases(),
        async move || {
            let subject = EmbeddingModelSubject::new(embeddings(openai(env)?)?, "text-embedding-3-small");
            Ok(subject
                .with_dimensions(1_536)
                .with_batch(2_048)
                .with_unknown_model("missing-model"))
        },
    );
    suite.add(
        "embedding_model/workers_ai",
        embedding_model::cases(),
        async move || {
            let model = embeddings(WorkersAi::from_env(env, "AI")?)?;
            let subject =
                EmbeddingModelSubject::new(model, "@cf/baai/bge-small-en-v1.5").with_dimensions(384);
            Ok(subject
                .with_batch(100)
                .with_unknown_model("@cf/missing/model")
                .without_usage())
        },
    );
    suite.add("reranker/workers_ai", reranker::cases(), async move || {
        let model = reranker_of(WorkersAi::from_env(env, "AI")?)?;
        Ok(RerankerSubject::shared(model, "@cf/baai/bge-reranker-base")
            .with_unknown_model("@cf/missing/model"))
    });
}

fn openai(env: &Env) -> Result<OpenAi> {
    OpenAi::from_env(env)?.ok_or_else(|| missing("OPENAI_API_KEY"))
}

fn anthropic(env: &Env) -> Result<Anthropic> {
    Anthropic::from_env(env)?.ok_or_else(|| missing("ANTHROPIC_API_KEY"))
}

fn chat(provider: impl Provider, model: &str) -> Result<ChatModelSubject> {
    let chat: Arc<dyn ChatModel> = provider.chat().ok_or_else(|| missing("chat"))?;
    Ok(ChatModelSubject::new(chat, model).with_faults(Fault::directive))
}

fn embeddings(provider: impl Provider) -> Result<Arc<dyn EmbeddingModel>> {
    provider.embeddings().ok_or_else(|| missing("embeddings"))
}

fn reranker_of(provider: impl Provider) -> Result<Arc<dyn Reranker>> {
    provider.reranker().ok_or_else(|| missing("a reranker"))
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("{what} is missing"))
}
