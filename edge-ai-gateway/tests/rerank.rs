//! Reranking: the router keeps the contract, falls back, and the surface answers and records.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use edge_ai_core::{
    Body, Capabilities, Error, ErrorKind, Inline, ManualClock, ModelInfo, Operation, Outcome, Provider,
    RerankRequest, RerankResponse, RerankResult, Reranker, Result, SeededEntropy, Timestamp, Usage,
    async_trait,
};
use edge_ai_gateway::{Caller, Gateway, Route};
use edge_ai_testkit::contract::reranker::{RerankerSubject, cases};
use edge_ai_testkit::memory::MemoryUsageSink;
use edge_ai_testkit::run;
use futures_executor::block_on;
use serde_json::{Value, json};

/// Counts the words that query and document share, or fails.
#[derive(Clone, Debug)]
struct Ranker {
    name: &'static str,
    fails: Option<ErrorKind>,
}

#[async_trait]
impl Reranker for Ranker {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        if let Some(kind) = self.fails {
            return Err(Error::new(kind, "told to fail"));
        }
        if request.documents.is_empty() {
            return Err(Error::invalid("documents", "there are no documents"));
        }
        let shared = |text: &String| {
            text.split(' ')
                .filter(|word| request.query.contains(*word))
                .count()
        };
        let results = request
            .documents
            .iter()
            .enumerate()
            .map(|(index, text)| RerankResult::new(index, shared(text) as f32))
            .collect();
        let mut ranked = RerankResponse::ranked(results, request.top_n);
        ranked.usage = Some(Usage::new(9, 0));
        Ok(ranked)
    }
}

impl Provider for Ranker {
    fn name(&self) -> &str {
        self.name
    }

    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        Some(Arc::new(self.clone()))
    }

    fn models(&self) -> Vec<ModelInfo> {
        vec![
            ModelInfo::new("m", Capabilities::RERANK),
            ModelInfo::new("chatty", Capabilities::CHAT),
        ]
    }
}

fn gateway(a: Option<ErrorKind>, b: Option<ErrorKind>) -> (Gateway, Arc<MemoryUsageSink>) {
    let sink = Arc::new(MemoryUsageSink::default());
    let clock = ManualClock::jumping(Timestamp::from_millis(1_000));
    let gateway = Gateway::builder(clock, SeededEntropy::new(7))
        .provider(Ranker { name: "a", fails: a })
        .provider(Ranker { name: "b", fails: b })
        .route("r", Route::fallback(["a/m", "b/m"]))
        .usage(Arc::clone(&sink))
        .build()
        .unwrap();
    (gateway, sink)
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> (u16, http::HeaderMap, Value) {
    let request = http::Request::post(path)
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = block_on(gateway.handle(request, Caller::new(Arc::new(Inline))));
    let (head, body) = response.into_parts();
    let body = block_on(body.bytes(1 << 20)).unwrap();
    (
        head.status.as_u16(),
        head.headers,
        serde_json::from_slice(&body).unwrap(),
    )
}

#[test]
fn the_router_keeps_the_contract() {
    let subject = || {
        let (gateway, _) = gateway(None, None);
        RerankerSubject::shared(gateway.reranker(), "r").with_unknown_model("nobody/nothing")
    };
    block_on(run(cases(), subject)).assert_passed_but(&[]);
}

#[test]
fn an_answer_is_in_the_clients_words_and_on_record() {
    for path in ["/v1/rerank", "/v2/rerank", "/rerank"] {
        let (gateway, sink) = gateway(Some(ErrorKind::Unavailable), None);
        let body = json!({"model": "r", "query": "red fox", "documents": ["blue sea", {"text": "red fox"}],
            "top_n": 1, "return_documents": true});
        let (status, headers, answer) = post(&gateway, path, &body);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(headers["x-edge-ai-provider"], "b");
        assert_eq!(headers["x-edge-ai-attempts"], "2");
        assert_eq!(
            answer["results"],
            json!([{"index": 1, "relevance_score": 2.0, "document": {"text": "red fox"}}])
        );
        assert!(answer["id"].as_str().unwrap().starts_with("rerank-req_"));
        assert_eq!(answer["usage"]["total_tokens"], 9);
        let record = sink.records().remove(0);
        assert_eq!(
            (record.operation, record.outcome),
            (Operation::Rerank, Outcome::Ok)
        );
        assert_eq!(record.operation.as_str(), "rerank");
        assert_eq!(
            (record.requested_model.as_str(), record.model.as_deref()),
            ("r", Some("m"))
        );
        assert_eq!(record.usage, Some(Usage::new(9, 0)));
        assert_eq!(record.attempts.len(), 2);
    }
}

#[test]
fn a_failure_is_in_openais_words_and_on_record() {
    let (gateway, sink) = gateway(Some(ErrorKind::InvalidRequest), None);
    let good = json!({"model": "a/m", "query": "q", "documents": ["d"]});
    for (change, status, param) in [
        (json!({}), 400, Value::Null),
        (json!({"documents": []}), 400, json!("documents")),
        (json!({"model": "nobody/m"}), 404, json!("model")),
    ] {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let (got, _, answer) = post(&gateway, "/v1/rerank", &body);
        assert_eq!((got, &answer["error"]["param"]), (status, &param), "{answer}");
        assert!(answer["error"]["message"].is_string());
        let record = sink.records().pop().unwrap();
        assert!(matches!(record.outcome, Outcome::Error(_)) && record.operation == Operation::Rerank);
    }
    let request = http::Request::get("/v1/rerank").body(Body::empty()).unwrap();
    let response = block_on(gateway.handle(request, Caller::new(Arc::new(Inline))));
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
}
