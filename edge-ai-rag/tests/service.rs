//! The service over HTTP, with everything behind it but vendors.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use edge_ai_core::{Body, Bytes, ManualClock, Metric, SeededEntropy, Timestamp};
use edge_ai_rag::{
    AccessTokens, AutoSplitter, Formats, Fts5Store, Index, Manifest, MemoryObjects, MemoryQueue,
    MemoryVectorStore, Pipeline, RagModel, RagService, Retriever, ServiceLimits,
};
use edge_ai_testkit::scripted::{ScriptedChatModel, ScriptedEmbeddingModel};
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;
use http::{Request, Response};
use serde_json::{Value, json};

const ACME: &str = "acme-token-0123456789";
const GLOBEX: &str = "globex-token-0123456789";

struct Service {
    service: RagService<AccessTokens>,
    index: Index,
    queue: MemoryQueue,
}

/// An answer: its status, its headers and its body.
struct Answer(Response<Bytes>);

impl Answer {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.0.body()).unwrap()
    }

    /// The status and the field at fault.
    fn fault(&self) -> (u16, Value) {
        (self.status(), self.json()["error"]["param"].clone())
    }
}

fn service(chat: ScriptedChatModel) -> Service {
    let database = Sqlite::new(&[Manifest::MIGRATION, Fts5Store::MIGRATION]);
    let clock = ManualClock::new(Timestamp::from_millis(1_795_000_000_000));
    let (vectors, embedder) = (
        MemoryVectorStore::new(Metric::Cosine),
        ScriptedEmbeddingModel::new(64),
    );
    let keywords = Fts5Store::new(database.clone());
    let queue = MemoryQueue::default();
    let index = Index::builder(database)
        .originals(MemoryObjects::default())
        .pipeline(Pipeline::new(
            Formats::default(),
            AutoSplitter::tokens(64),
            embedder.clone(),
            "embedder",
        ))
        .vectors(vectors.clone())
        .keywords(keywords.clone())
        .queue(queue.clone())
        .clock(clock.clone())
        .entropy(SeededEntropy::new(1))
        .build()
        .unwrap();
    let retriever = Retriever::new(index.manifest().clone(), clock)
        .dense(vectors, embedder, "embedder")
        .keyword(keywords);
    let model = RagModel::new(retriever, chat, "chat", SeededEntropy::new(2));
    let tokens = AccessTokens::parse(&format!("acme:{ACME}, globex:{GLOBEX}").into()).unwrap();
    let mut limits = ServiceLimits::default();
    limits.document_bytes = 10_000;
    Service {
        service: RagService::new(index.clone(), model, tokens).limits(limits),
        index,
        queue,
    }
}

impl Service {
    fn ask(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        block_on(async {
            let (head, body) = self.service.handle(request).await.into_parts();
            Answer(Response::from_parts(head, body.bytes(1 << 20).await.unwrap()))
        })
    }

    fn put(&self, id: &str, text: &str) -> Answer {
        let path = format!("/documents/{id}?wait=true");
        self.ask("PUT", &path, ACME, &[("content-type", "text/markdown")], text)
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, ACME, &[], &body.to_string())
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, ACME, &[], "")
    }

    /// Does what the queue has.
    fn work(&self) {
        while let Some(message) = self.queue.take() {
            block_on(self.index.run(&message)).unwrap();
        }
    }

    /// The documents that a question finds.
    fn found(&self, question: &Value) -> Vec<String> {
        let answer = self.post("/query", question).json();
        let matches = answer["matches"].as_array().unwrap();
        matches
            .iter()
            .map(|found| found["document_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_document_is_taken_up_found_changed_and_removed() {
    let service = service(ScriptedChatModel::new());
    let put = service.put("leave.md", "# Leave\n\nEmployees have thirty days of leave.");
    assert_eq!(
        (put.status(), &put.json()["changed"]),
        (200, &json!(true)),
        "{}",
        put.text()
    );
    let job = put.0.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(service.get(&job).json()["state"], "searchable");

    let matches = service
        .post("/query", &json!({"query": "thirty days of leave"}))
        .json();
    let found = &matches["matches"][0];
    assert_eq!(
        (&found["document_id"], &found["heading"]),
        (&json!("leave.md"), &json!(["Leave"]))
    );
    assert!(found["text"].as_str().unwrap().contains("thirty days") && found["range"]["start"].is_u64());
    assert!(found["score"].is_number() && found["chunk_id"].is_string());

    let again = service.put("leave.md", "# Leave\n\nEmployees have thirty days of leave.");
    assert_eq!((again.status(), &again.json()["changed"]), (200, &json!(false)));
    service.put("leave.md", "# Leave\n\nEmployees have forty weeks of holiday.");
    let keyword = |word: &str| service.found(&json!({"query": word, "mode": "keyword"}));
    assert_eq!(
        (keyword("thirty"), keyword("forty")),
        (vec![], vec!["leave.md".to_owned()])
    );

    let shown = service.get("/documents/leave.md").json();
    assert_eq!(
        (&shown["id"], &shown["live"]["media_type"]),
        (&json!("leave.md"), &json!("text/markdown"))
    );
    assert_eq!(
        service.get("/documents").json()["documents"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        service
            .ask("DELETE", "/documents/leave.md?wait=true", ACME, &[], "")
            .status(),
        200
    );
    assert_eq!(service.get("/documents/leave.md").status(), 404);
    assert!(keyword("forty").is_empty());
}

#[test]
fn nobody_waits_who_does_not_want_to() {
    let service = service(ScriptedChatModel::new());
    let headers = [
        ("content-type", "text/plain"),
        ("x-metadata", r#"{"year": 2024}"#),
    ];
    let put = service.ask(
        "PUT",
        "/documents/a%20b",
        ACME,
        &headers,
        "Edge computing is near.",
    );
    assert_eq!(
        (put.status(), &put.json()["job"]["state"]),
        (202, &json!("queued"))
    );
    assert!(
        service
            .found(&json!({"query": "edge", "mode": "keyword"}))
            .is_empty()
    );
    service.work();
    assert_eq!(
        service.found(&json!({"query": "edge", "mode": "keyword"})),
        ["a b"]
    );

    let watched = service.ask(
        "GET",
        put.0.headers()["location"].to_str().unwrap(),
        ACME,
        &[("accept", "text/event-stream")],
        "",
    );
    assert_eq!(watched.0.headers()["content-type"], "text/event-stream");
    assert!(watched.text().starts_with("event: job\ndata: {") && watched.text().contains("searchable"));
    let bounds = |low: u32, high: u32| {
        service.found(
            &json!({"query": "edge", "mode": "keyword", "filter": {"year": {"$gte": low, "$lt": high}}}),
        )
    };
    assert_eq!(
        (
            bounds(2024, 2025).len(),
            bounds(2025, 2030).len(),
            bounds(2000, 2024).len()
        ),
        (1, 0, 0)
    );
}

#[test]
fn a_batch_tells_of_every_line() {
    let service = service(ScriptedChatModel::new());
    let lines = "{\"id\": \"a\", \"text\": \"alpha\"}\n\n{\"id\": \"b\"}\n{\"id\": \"c\", \"text\": \"gamma\", \"metadata\": {\"n\": 1}}\n";
    let batch = service.ask("POST", "/documents/batch", ACME, &[], lines);
    assert_eq!(batch.status(), 202);
    let outcomes = batch.json()["outcomes"].clone();
    assert_eq!(outcomes.as_array().unwrap().len(), 3);
    assert!(
        outcomes[1]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("line 3"),
        "{outcomes}"
    );
    service.work();
    assert_eq!(
        service.found(&json!({"query": "gamma", "mode": "keyword"})),
        ["c"]
    );
}

#[test]
fn a_tenant_sees_its_own_and_a_stranger_nothing() {
    let service = service(ScriptedChatModel::new());
    service.put("secret.md", "The launch is on Tuesday.");
    let question = json!({"query": "launch", "mode": "keyword"}).to_string();
    let other = service.ask("POST", "/query", GLOBEX, &[], &question);
    assert_eq!(other.json()["matches"], json!([]));
    assert_eq!(
        service
            .ask("GET", "/documents/secret.md", GLOBEX, &[], "")
            .status(),
        404
    );
    assert_eq!(
        service.ask("GET", "/documents", GLOBEX, &[], "").json()["documents"],
        json!([])
    );
    for token in ["", "acme-token-0123456788", "acme"] {
        let refused = service.ask("GET", "/documents", token, &[], "");
        assert_eq!(
            (refused.status(), &refused.json()["error"]["type"]),
            (401, &json!("authentication"))
        );
        assert_eq!(refused.0.headers()["www-authenticate"], "Bearer");
    }
    // Not even a namespace of the same name is shared.
    let named = json!({"query": "launch", "mode": "keyword", "namespace": "acme"}).to_string();
    assert_eq!(
        service.ask("POST", "/query", GLOBEX, &[], &named).json()["matches"],
        json!([])
    );
}

#[test]
fn what_is_wrong_is_named() {
    let service = service(ScriptedChatModel::new());
    let query = |body: Value| service.post("/query", &body).fault();
    assert_eq!(query(json!({"query": ""})), (400, json!("query")));
    assert_eq!(query(json!({"query": "a", "top_k": 0})), (400, json!("top_k")));
    assert_eq!(
        query(json!({"query": "a", "filter": {"y": {"$like": 1}}})),
        (400, json!("filter.y"))
    );
    assert_eq!(
        query(json!({"query": "a", "namespace": ""})),
        (400, json!("namespace"))
    );
    for wrong in [
        json!({"query": "a", "mode": "fuzzy"}),
        json!({"query": "a", "topk": 3}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(query(wrong), (400, json!("body")));
    }
    let put = |headers: &[(&str, &str)], body: &str| {
        service.ask("PUT", "/documents/x", ACME, headers, body).fault()
    };
    assert_eq!(put(&[], "text"), (400, json!("content-type")));
    let plain = ("content-type", "text/plain");
    assert_eq!(
        put(&[plain, ("x-metadata", "[1]")], "text"),
        (400, json!("x-metadata"))
    );
    assert_eq!(put(&[plain], ""), (400, json!("body")));
    assert_eq!(put(&[plain], &"x".repeat(10_001)).0, 413);
    assert_eq!(service.get("/documents/%ff").fault(), (400, json!("id")));
    assert_eq!(
        service.get("/documents?limit=many").fault(),
        (400, json!("limit"))
    );
    assert_eq!(service.get("/elsewhere").status(), 404);
    assert_eq!(service.get("/jobs/none").status(), 404);
    let wrong = service.ask("PATCH", "/documents/x", ACME, &[], "");
    assert_eq!(
        (wrong.status(), &wrong.0.headers()["allow"]),
        (405, &"GET, PUT, DELETE".parse().unwrap())
    );
}

#[test]
fn an_answer_cites_what_it_was_given() {
    let service = service(ScriptedChatModel::new().otherwise("Thirty days [1], says nobody [7]."));
    service.put("leave.md", "# Leave\n\nEmployees have thirty days of leave.");
    let answer = service.post("/answer", &json!({"query": "How many days of leave?"}));
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let answer = answer.json();
    assert!(
        answer["answer"]
            .as_str()
            .unwrap()
            .starts_with("Thirty days [1], says nobody"),
        "{answer}"
    );
    assert_eq!(answer["sources"][0]["document_id"], "leave.md");
    assert_eq!(
        (&answer["citations"][0]["number"], &answer["invented_citations"]),
        (&json!(1), &json!([7]))
    );

    let streamed = service.post(
        "/answer",
        &json!({"query": "How many days of leave?", "stream": true}),
    );
    let names: Vec<_> = streamed
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(names.first(), Some(&"sources"), "{}", streamed.text());
    assert!(
        names.contains(&"delta") && names.contains(&"citations") && names.last() == Some(&"done"),
        "{names:?}"
    );
}
