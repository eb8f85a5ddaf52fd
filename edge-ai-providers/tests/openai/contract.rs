//! The contract suites against OpenAI's stand-in, over a socket.

use std::sync::Arc;

use edge_ai_core::{Capabilities, Provider, Secret};
use edge_ai_providers::OpenAi;
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::run;

use crate::stand_in::{BASE_URL, Socket, block_on};

fn openai() -> OpenAi {
    let key = Secret::new("sk-local");
    OpenAi::builder(Arc::new(Socket::default()), key)
        .base_url(BASE_URL.as_str())
        .build()
        .unwrap()
}

#[test]
fn chats() {
    let subject = || {
        ChatModelSubject::new(openai().chat_model().unwrap(), "gpt-4o-mini")
            .with_capabilities(Capabilities::CHAT.tools().vision().json_schema())
            .with_faults(Fault::directive)
    };
    block_on(run(chat_model::cases(), subject)).assert_passed_but(&[
        // The stand-in takes every model's name.
        "an_unknown_model_is_not_found",
        "tools_are_refused_by_a_model_without_them",
        "an_image_is_refused_by_a_model_that_sees_none",
        "a_schema_is_refused_by_a_model_without_them",
    ]);
}

#[test]
fn embeddings() {
    let subject = || {
        EmbeddingModelSubject::new(openai().embedding_model().unwrap(), "text-embedding-3-small")
            .with_dimensions(1_536)
            .with_batch(2_048)
    };
    block_on(run(embedding_model::cases(), subject)).assert_passed_but(&["an_unknown_model_is_not_found"]);
}
