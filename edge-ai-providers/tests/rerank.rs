//! The vendors of rerankers, by the contract against their stand-ins and by what they are sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "openai/stand_in.rs"]
mod stand_in;

use std::sync::Arc;

use edge_ai_core::{
    EmbeddingModel, EmbeddingPurpose, EmbeddingRequest, ErrorKind, Provider, RerankRequest, Reranker, Secret,
};
use edge_ai_providers::OpenAi;
use edge_ai_providers::compatible::{COHERE, JINA, VOYAGE, Vendor};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::contract::reranker::{self, RerankerSubject};
use edge_ai_testkit::run;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use serde_json::json;
use stand_in::{BASE_URL, Socket, block_on};

const VENDORS: [(Vendor, &str); 3] = [(COHERE, "/compatibility/v1"), (JINA, "/v1"), (VOYAGE, "/v1")];

fn local(vendor: &Vendor, path: &str, key: &str) -> OpenAi {
    let root = BASE_URL.trim_end_matches("/openai/v1");
    vendor
        .builder(Arc::new(Socket::default()), Secret::new(key))
        .base_url(format!("{root}/{}{path}", vendor.name))
        .build()
        .unwrap()
}

#[test]
fn every_vendor_keeps_the_contract() {
    for (vendor, path) in VENDORS {
        let subject = || {
            let reranker = local(&vendor, path, "key").reranker().unwrap();
            RerankerSubject::shared(reranker, "rerank-any").with_unknown_model("missing-model")
        };
        block_on(run(reranker::cases(), subject)).assert_passed_but(&[]);
    }
}

#[test]
fn vectors_come_from_those_that_embed() {
    for (vendor, path) in [VENDORS[1].clone(), VENDORS[2].clone()] {
        let provider = local(&vendor, path, "key");
        assert!(provider.chat_model().is_none());
        let subject = || {
            EmbeddingModelSubject::new(
                local(&vendor, path, "key").embedding_model().unwrap(),
                "text-embedding-3-small",
            )
            .with_batch(vendor.compatibility.embedding_inputs)
        };
        block_on(run(embedding_model::cases(), subject))
            .assert_passed_but(&["an_unknown_model_is_not_found"]);
    }
}

#[test]
fn a_refused_key_is_told_as_such() {
    for (vendor, path) in VENDORS {
        let reranker = local(&vendor, path, "invalid").reranker().unwrap();
        let request = RerankRequest::new("m", "q", vec!["d".into()]);
        let error = block_on(reranker.rerank(request)).unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Authentication, Some(vendor.name))
        );
        assert!(error.message().contains("invalid api token"), "{error}");
    }
}

#[test]
fn each_is_asked_at_its_own_address() {
    for (vendor, address) in [
        (COHERE, "https://api.cohere.ai/v2/rerank"),
        (JINA, "https://api.jina.ai/v1/rerank"),
        (VOYAGE, "https://api.voyageai.com/v1/rerank"),
    ] {
        let answer = json!({"results": [{"index": 0, "relevance_score": 0.5}]});
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::json(200, &answer));
        let provider = OpenAi::vendor(&vendor, Arc::new(http.clone()), Secret::new("k")).unwrap();
        let request = RerankRequest::new("m", "q", vec!["d".into()]);
        let ranked = block_on(provider.reranker().unwrap().rerank(request)).unwrap();
        assert_eq!(ranked.results.len(), 1);
        let sent = http.requests().remove(0);
        assert_eq!(sent.uri().to_string(), address);
        assert_eq!(sent.headers()["authorization"], "Bearer k");
    }
}

#[test]
fn the_purpose_of_an_embedding_is_said() {
    let answer = json!({"data": [{"index": 0, "embedding": [0.5, 0.5]}], "usage": {"total_tokens": 3}});
    for (vendor, expect) in [
        (
            JINA,
            json!({"model": "m", "input": ["a"], "dimensions": 2, "task": "retrieval.query"}),
        ),
        (
            VOYAGE,
            json!({"model": "m", "input": ["a"], "output_dimension": 2, "input_type": "query"}),
        ),
    ] {
        let http = ScriptedHttpClient::new()
            .respond(ScriptedResponse::json(200, &answer))
            .respond(ScriptedResponse::json(200, &answer));
        let provider = OpenAi::vendor(&vendor, Arc::new(http.clone()), Secret::new("k")).unwrap();
        let model = provider.embedding_model().unwrap();
        let request = EmbeddingRequest::new("m", ["a"])
            .purpose(EmbeddingPurpose::Query)
            .dimensions(2);
        let vectors = block_on(model.embed(request)).unwrap();
        assert_eq!(vectors.usage.map(|usage| usage.input_tokens), Some(3));
        assert_eq!(http.last_json(), expect);
        // What a client of OpenAI's wrote.
        let body =
            json!({"model": "x", "input": "a", "dimensions": 2, "encoding_format": "base64"}).to_string();
        let call = edge_ai_providers::openai::decode_embedding_request(&body.into()).unwrap();
        block_on(model.embed(call.request)).unwrap();
        let sent = http.last_json();
        assert!(sent.get("encoding_format").is_none(), "{sent}");
        let length = if vendor == VOYAGE {
            "output_dimension"
        } else {
            "dimensions"
        };
        assert_eq!((&sent[length], &sent["input"]), (&json!(2), &json!("a")));
    }
}
