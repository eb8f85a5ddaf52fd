//! The contract suites for Anthropic, Gemini, Vertex AI and Workers AI, against their stand-ins over a socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "openai/stand_in.rs"]
mod stand_in;

use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{
    Capabilities, ChatModel, ChatRequest, ChatResponse, ChatStream, Extra, HttpClient, RawJson, Result,
    async_trait,
};
use edge_ai_providers::vertex::AccessToken;
use edge_ai_providers::workers_ai::{AiAnswer, AiRunner, TEXT, decode_error};
use edge_ai_providers::{Anthropic, Gemini, Vertex, WorkersAi};
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::contract::reranker::{self, RerankerSubject};
use edge_ai_testkit::run;

use stand_in::{BASE_URL, Socket, block_on};

fn root() -> &'static str {
    BASE_URL.trim_end_matches("/openai/v1")
}

/// Workers AI by the wire contract that the binding itself speaks inside workerd.
#[derive(Debug, Default)]
struct Binding(Socket);

#[async_trait]
impl AiRunner for Binding {
    async fn run(&self, model: &str, inputs: Bytes, _stream: bool) -> Result<AiAnswer> {
        let body = [b"{\"inputs\":", &inputs[..], b",\"options\":{}}"].concat();
        let request = http::Request::post(format!("{}/workers-ai/run?version=3", root()))
            .header("content-type", "application/json")
            .header("cf-consn-sdk-version", "2.0.0")
            .header("cf-consn-model-id", model)
            .body(Bytes::from(body))
            .unwrap();
        let (head, body) = self.0.send(request).await?.into_parts();
        if !head.status.is_success() {
            return Err(decode_error(
                head.status.as_u16(),
                &head.headers,
                body.bytes(1 << 20).await?,
            ));
        }
        match head.headers.get("content-type") {
            Some(json) if json == "application/json" => Ok(AiAnswer::Json(body.bytes(1 << 25).await?)),
            _ => Ok(AiAnswer::Stream(body)),
        }
    }
}

fn workers_ai() -> WorkersAi {
    WorkersAi::new(Arc::new(Binding::default()))
}

#[test]
fn anthropic_chats() {
    for model in ["claude-haiku-4-5", "claude-sonnet-5"] {
        let subject = || {
            let anthropic = Anthropic::builder(Arc::new(Socket::default()), "sk-ant-local")
                .base_url(format!("{}/anthropic", root()))
                .build()
                .unwrap();
            ChatModelSubject::new(anthropic, model)
                .with_capabilities(Capabilities::CHAT.tools().vision().json_schema())
                .with_unknown_model("missing-model")
                .with_faults(Fault::directive)
        };
        block_on(run(chat_model::cases(), subject)).assert_passed_but(&[
            "tools_are_refused_by_a_model_without_them",
            "an_image_is_refused_by_a_model_that_sees_none",
            "a_schema_is_refused_by_a_model_without_them",
        ]);
    }
}

fn gemini() -> Gemini {
    Gemini::builder(Arc::new(Socket::default()), "AIza-local")
        .base_url(format!("{}/gemini", root()))
        .build()
        .unwrap()
}

/// Those of a model that can do everything.
const OF_LESSER_MODELS: [&str; 3] = [
    "tools_are_refused_by_a_model_without_them",
    "an_image_is_refused_by_a_model_that_sees_none",
    "a_schema_is_refused_by_a_model_without_them",
];

fn able(chat: impl ChatModel, model: &str) -> ChatModelSubject {
    ChatModelSubject::new(chat, model)
        .with_capabilities(Capabilities::CHAT.tools().vision().json_schema())
        .with_unknown_model("missing-model")
        .with_faults(Fault::directive)
}

#[test]
fn gemini_chats() {
    for model in ["gemini-3.8-flash", "gemini-3.5-flash", "gemini-2.5-flash"] {
        let subject = || able(gemini(), model);
        block_on(run(chat_model::cases(), subject)).assert_passed_but(&OF_LESSER_MODELS);
    }
}

#[test]
fn vertex_chats() {
    for model in ["gemini-3.8-flash", "claude-haiku-4-5@20251001"] {
        let subject = || {
            let tokens = Arc::new(AccessToken::new("ya29.local"));
            let vertex = Vertex::builder(Arc::new(Socket::default()), "my-project", tokens)
                .location("europe-west1")
                .base_url(format!("{}/vertex/v1", root()))
                .build()
                .unwrap();
            able(vertex, model)
        };
        block_on(run(chat_model::cases(), subject)).assert_passed_but(&OF_LESSER_MODELS);
    }
}

#[test]
fn gemini_embeds() {
    for model in ["gemini-embedding-001", "gemini-embedding-2"] {
        let subject = || {
            EmbeddingModelSubject::new(gemini(), model)
                .with_dimensions(3_072)
                .with_batch(100)
                .with_unknown_model("missing-model")
        };
        block_on(run(embedding_model::cases(), subject)).assert_passed_but(&[]);
    }
}

/// Models that answer in OpenAI's shape think; the stand-in counts thoughts beside the limit of tokens.
#[derive(Debug)]
struct WithoutThoughts(WorkersAi);

impl WithoutThoughts {
    fn told(mut request: ChatRequest) -> ChatRequest {
        let off = RawJson::parse(r#"{"enable_thinking":false}"#).unwrap();
        request.input.edit().extra = Extra::new(TEXT, vec![("chat_template_kwargs".into(), off)]);
        request
    }
}

#[async_trait]
impl ChatModel for WithoutThoughts {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        ChatModel::chat(&self.0, Self::told(request)).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        self.0.chat_stream(Self::told(request)).await
    }
}

fn check_workers_ai(subject: impl Fn() -> ChatModelSubject, skipped: &[&str]) {
    let subject = || {
        subject()
            .with_unknown_model("@cf/nobody/nothing")
            .with_faults(Fault::directive)
    };
    block_on(run(chat_model::cases(), subject)).assert_passed_but(skipped);
}

#[test]
fn workers_ai_chats_in_its_own_shape() {
    let subject = || {
        ChatModelSubject::new(workers_ai(), "@cf/meta/llama-3.3-70b-instruct-fp8-fast")
            .with_capabilities(Capabilities::CHAT.tools().json_schema())
    };
    check_workers_ai(
        subject,
        &[
            "tools_are_refused_by_a_model_without_them",
            "a_schema_is_refused_by_a_model_without_them",
        ],
    );
}

#[test]
fn workers_ai_chats_in_openais_shape() {
    let subject = || {
        ChatModelSubject::new(WithoutThoughts(workers_ai()), "@cf/openai/gpt-oss-120b")
            .with_capabilities(Capabilities::CHAT.tools().vision().json_schema())
    };
    check_workers_ai(
        subject,
        &[
            "tools_are_refused_by_a_model_without_them",
            "an_image_is_refused_by_a_model_that_sees_none",
            "a_schema_is_refused_by_a_model_without_them",
        ],
    );
}

#[test]
fn workers_ai_embeds() {
    for (model, dimensions) in [
        ("@cf/baai/bge-small-en-v1.5", 384),
        ("@cf/qwen/qwen3-embedding-0.6b", 1_024),
    ] {
        let subject = || {
            EmbeddingModelSubject::new(workers_ai(), model)
                .with_dimensions(dimensions)
                .with_batch(100)
                .without_usage()
                .with_unknown_model("@cf/nobody/nothing")
        };
        block_on(run(embedding_model::cases(), subject)).assert_passed_but(&["usage_is_told"]);
    }
}

#[test]
fn workers_ai_reranks() {
    let subject = || {
        RerankerSubject::new(workers_ai(), "@cf/baai/bge-reranker-base")
            .with_unknown_model("@cf/nobody/nothing")
    };
    block_on(run(reranker::cases(), subject)).assert_passed_but(&[]);
}
