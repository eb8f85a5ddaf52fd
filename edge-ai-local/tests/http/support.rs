//! A server of its own for each test, and a small client for it.

use std::time::Duration;

use edge_ai_local::{Config, IndexConfig, Server};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// A stand-in that runs until the test ends.
pub(crate) struct Local {
    pub(crate) url: String,
    pub(crate) http: Client,
}

impl Local {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these indexes, and writes that are visible at once.
    pub(crate) async fn with(indexes: &[&str]) -> Self {
        Self::visible_after(indexes, Duration::ZERO).await
    }

    pub(crate) async fn visible_after(indexes: &[&str], visible_after: Duration) -> Self {
        let mut config = Config::default();
        config.port = 0;
        config.visible_after = visible_after;
        config.indexes = indexes
            .iter()
            .map(|index| index.parse::<IndexConfig>().unwrap())
            .collect();
        let server = Server::bind(config).await.unwrap();
        let url = server.url();
        tokio::spawn(server.serve(std::future::pending()));
        Self {
            url,
            http: Client::new(),
        }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).json(body)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.http
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(crate) async fn openai(&self, body: &Value) -> Response {
        self.post("/openai/v1/chat/completions", body)
            .bearer_auth("key")
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn anthropic(&self, body: &Value) -> Response {
        let request = self
            .post("/anthropic/v1/messages", body)
            .header("x-api-key", "key");
        request
            .header("anthropic-version", "2023-06-01")
            .send()
            .await
            .unwrap()
    }

    /// `env.AI.run(model, inputs, options)`, as the binding module sends it.
    pub(crate) async fn run(&self, model: &str, inputs: Value, options: Value) -> Response {
        self.post("/run?version=3", &json!({ "inputs": inputs, "options": options }))
            .header("host", "workers-binding.ai")
            .header("cf-consn-model-id", model)
            .send()
            .await
            .unwrap()
    }

    /// A call of a Vectorize binding, as the binding module sends it.
    pub(crate) async fn vectorize(&self, operation: &str, body: &Value) -> (u16, Value) {
        let request = self
            .post(&format!("/{operation}"), body)
            .header("host", "vector-search");
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn write(&self, operation: &str, vectors: &[Value]) -> (u16, Value) {
        let lines: Vec<String> = vectors.iter().map(Value::to_string).collect();
        let request = self
            .http
            .post(format!("{}/{operation}", self.url))
            .header("host", "vector-search");
        let request = request
            .header("content-type", "application/x-ndjson")
            .body(lines.join("\n"));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn journal(&self) -> Vec<Value> {
        self.get("/_local/requests").await.as_array().unwrap().clone()
    }

    /// Asks until the last request's outcome is this; the journal is written by another task.
    pub(crate) async fn await_outcome(&self, outcome: &str) -> Value {
        for _ in 0..10_000 {
            if let Some(last) = self
                .journal()
                .await
                .last()
                .filter(|last| last["outcome"] == outcome)
            {
                return last.clone();
            }
            tokio::task::yield_now().await;
        }
        panic!(
            "no request came to the outcome {outcome}: {:?}",
            self.journal().await
        );
    }
}

/// Data of every frame of a stream that ends well.
pub(crate) async fn frames(response: Response) -> Vec<String> {
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    data(&response.text().await.unwrap())
}

pub(crate) fn data(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn parsed(frames: &[String]) -> Vec<Value> {
    frames
        .iter()
        .filter(|frame| *frame != "[DONE]")
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect()
}

pub(crate) fn user(text: &str) -> Value {
    json!([{ "role": "user", "content": text }])
}

pub(crate) fn gpt(text: &str) -> Value {
    json!({ "model": "gpt-4o", "messages": user(text) })
}

pub(crate) fn claude(text: &str) -> Value {
    json!({ "model": "claude-sonnet-5-5", "max_tokens": 500, "messages": user(text) })
}

/// `base` with more members.
pub(crate) fn with(mut base: Value, more: &Value) -> Value {
    base.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    base
}

pub(crate) fn weather_schema() -> Value {
    json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
            "additionalProperties": false })
}
