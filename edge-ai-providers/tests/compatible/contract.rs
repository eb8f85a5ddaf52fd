//! The contract suite by the vendors with the most rules, against OpenAI's stand-in: what they change must not cost the contract.

use std::sync::Arc;

use edge_ai_core::{Capabilities, Provider, Secret};
use edge_ai_providers::compatible::{CEREBRAS, DEEPSEEK, GROQ, MISTRAL, Vendor};
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::run;

use crate::stand_in::{BASE_URL, Socket, block_on};

fn keeps_the_contract(vendor: &Vendor) {
    let subject = || {
        let provider = vendor
            .builder(Arc::new(Socket::default()), Secret::new("sk-local"))
            .base_url(BASE_URL.as_str())
            .build()
            .unwrap();
        ChatModelSubject::new(provider.chat_model().unwrap(), "gpt-4o-mini")
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
fn of_cerebras() {
    keeps_the_contract(&CEREBRAS);
}

#[test]
fn of_deepseek() {
    keeps_the_contract(&DEEPSEEK);
}

#[test]
fn of_groq() {
    keeps_the_contract(&GROQ);
}

#[test]
fn of_mistral() {
    let mut mistral = MISTRAL;
    // Mistral tells the usage of a stream unasked; the stand-in, like OpenAI, does not.
    mistral.compatibility.stream_options = true;
    keeps_the_contract(&mistral);
}
