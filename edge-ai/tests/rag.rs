//! A model over documents, served by the gateway to clients of three dialects.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ops::Range;
use std::sync::Arc;

use edge_ai::EdgeAi;
use edge_ai::core::{
    ChatEvent, EmbeddingModel, EmbeddingRequest, FinishReason, Inline, ManualClock, Metric, Result,
    SeededEntropy, Usage, VectorRecord, VectorStore, async_trait,
};
use edge_ai::gateway::{Caller, Route};
use edge_ai::rag::{
    ChunkSource, DocumentId, MemoryVectorStore, Namespace, RagModel, RagProvider, Retriever, StoredChunk,
};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedEmbeddingModel};
use futures_executor::block_on;
use serde_json::{Value, json};

const TEXT: &str = "Employees have thirty days of leave.";

/// An index of one chunk.
#[derive(Debug)]
struct Handbook(StoredChunk);

#[async_trait]
impl ChunkSource for Handbook {
    async fn chunks(&self, _: &Namespace, ids: &[String]) -> Result<Vec<StoredChunk>> {
        Ok(ids
            .iter()
            .filter(|id| **id == self.0.id)
            .map(|_| self.0.clone())
            .collect())
    }

    async fn range(&self, _: &Namespace, _: &DocumentId, _: Range<u32>) -> Result<Vec<StoredChunk>> {
        Ok(vec![self.0.clone()])
    }

    async fn version(&self, _: &Namespace) -> Result<u64> {
        Ok(1)
    }
}

fn edge(chat: ScriptedChatModel) -> EdgeAi {
    let namespace = Namespace::of(None, Some("handbook"));
    let document = DocumentId::new("leave.md").unwrap();
    let mut chunk = StoredChunk::new("chunk", document, 0, TEXT, 0..TEXT.len() as u64);
    chunk.title = Some("Leave".into());
    chunk.source = Some("https://example.com/leave".into());
    let embeddings = ScriptedEmbeddingModel::new(64);
    let vectors = MemoryVectorStore::new(Metric::Cosine);
    block_on(async {
        let vector = embeddings
            .embed(EmbeddingRequest::new("m", [TEXT]))
            .await
            .unwrap();
        let record = VectorRecord::new("chunk", vector.embeddings[0].clone()).namespace(namespace.as_str());
        vectors.upsert(vec![record]).await.unwrap();
    });
    let clock = ManualClock::default();
    let retriever = Retriever::new(Handbook(chunk), clock.clone()).dense(vectors, embeddings, "m");
    let model = RagModel::new(retriever, chat, "answerer", SeededEntropy::new(3)).namespace("handbook");
    EdgeAi::builder_with(clock, SeededEntropy::new(1))
        .provider(RagProvider::new("rag").model("handbook", model))
        .route("support", Route::alias("rag/handbook"))
        .build()
        .unwrap()
}

fn send(edge: &EdgeAi, path: &str, body: &Value) -> String {
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap();
    block_on(async {
        let response = edge
            .gateway()
            .handle(request, Caller::new(Arc::new(Inline)))
            .await;
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.bytes(1 << 20).await.unwrap().to_vec()).unwrap();
        assert_eq!(head.status, 200, "{text}");
        text
    })
}

fn pieces() -> ScriptedChatModel {
    ScriptedChatModel::new().events([
        ChatEvent::Text("Thirty days [".into()),
        ChatEvent::Text("1], or ninety [".into()),
        ChatEvent::Text("8].".into()),
        ChatEvent::Finish(FinishReason::Stop),
        ChatEvent::Usage(Usage::new(40, 9)),
        ChatEvent::Done,
    ])
}

fn question(model: &str) -> Value {
    json!({"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "How many days of leave?"}]})
}

#[test]
fn chat_completions_have_sources_and_annotations() {
    for model in ["rag/handbook", "support"] {
        let answer = send(&edge(pieces()), "/v1/chat/completions", &question(model));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let message = &answer["choices"][0]["message"];
        assert_eq!(message["content"], "Thirty days [1], or ninety.");
        let cited = &message["annotations"][0];
        assert_eq!(
            cited["url_citation"],
            json!({"url": "https://example.com/leave", "title": "Leave", "start_index": 12, "end_index": 15})
        );
        assert_eq!(cited["document"]["range"], json!({"start": 0, "end": TEXT.len()}));
        assert_eq!(message["annotations"].as_array().unwrap().len(), 1);
        assert_eq!(message["sources"][0]["document_id"], "leave.md");
        assert_eq!(message["invented_citations"], json!([8]));
        assert_eq!(answer["usage"]["total_tokens"], 49);
    }
}

#[test]
fn a_stream_of_chunks_begins_with_sources_and_ends_with_annotations() {
    let mut body = question("rag/handbook");
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let stream = send(&edge(pieces()), "/v1/chat/completions", &body);
    let deltas: Vec<Value> = stream
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .map(|chunk| chunk["choices"][0]["delta"].clone())
        .collect();
    let has = |name: &str| deltas.iter().position(|delta| !delta[name].is_null());
    let text: String = deltas
        .iter()
        .filter_map(|delta| delta["content"].as_str())
        .collect();
    assert_eq!(text, "Thirty days [1], or ninety.");
    let first = deltas
        .iter()
        .position(|delta| delta["content"].as_str().is_some_and(|text| !text.is_empty()));
    let last = deltas.iter().rposition(|delta| delta["content"].is_string());
    assert!(has("sources") < first && last < has("annotations"), "{stream}");
    assert!(stream.contains(r#""total_tokens":49"#) && stream.trim_end().ends_with("data: [DONE]"));
}

#[test]
fn clients_of_other_dialects_get_the_citations_in_their_words() {
    let message = send(&edge(pieces()), "/v1/messages", &question("rag/handbook"));
    let message: Value = serde_json::from_str(&message).unwrap();
    let text = message["content"]
        .as_array()
        .unwrap()
        .iter()
        .find(|block| block["type"] == "text")
        .unwrap();
    assert_eq!(text["text"], "Thirty days [1], or ninety.");
    assert_eq!(text["citations"][0]["url"], "https://example.com/leave");

    let body = json!({"model": "rag/handbook", "input": "How many days of leave?"});
    let response = send(&edge(pieces()), "/v1/responses", &body);
    let response: Value = serde_json::from_str(&response).unwrap();
    let said = &response["output"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["type"] == "message")
        .unwrap()["content"][0];
    assert_eq!(said["text"], "Thirty days [1], or ninety.");
    assert_eq!(said["annotations"][0]["url"], "https://example.com/leave");
}
