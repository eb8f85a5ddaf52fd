//! Workers AI's client, over a scripted runner and over the REST API with scripted answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{
    Body, ChatModel, ChatRequest, EmbeddingModel, EmbeddingPurpose, EmbeddingRequest, Error, ErrorKind,
    RerankRequest, Reranker, Result, async_trait,
};
use edge_ai_providers::WorkersAi;
use edge_ai_providers::workers_ai::{AiAnswer, AiRunner, Pooling, TEXT, WorkersAiRest};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use serde_json::{Value, json};

const NATIVE_RESPONSE: &str = include_str!("fixtures/workers_ai/native.response.json");
const NATIVE_STREAM: &str = include_str!("fixtures/workers_ai/native.stream.txt");
const MODEL: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";

/// Answers by a script and remembers what it was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<AiAnswer>>>,
    asked: Mutex<Vec<(String, Value, bool)>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<AiAnswer>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<(String, Value, bool)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl AiRunner for Script {
    async fn run(&self, model: &str, inputs: Bytes, stream: bool) -> Result<AiAnswer> {
        let inputs = serde_json::from_slice(&inputs).unwrap();
        self.asked
            .lock()
            .unwrap()
            .push((model.to_owned(), inputs, stream));
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

fn json_answer(json: impl ToString) -> Result<AiAnswer> {
    Ok(AiAnswer::Json(json.to_string().into()))
}

fn stream_answer(text: &'static str) -> Result<AiAnswer> {
    Ok(AiAnswer::Stream(Body::from(text)))
}

fn request() -> ChatRequest {
    ChatRequest::new(MODEL).user("hi")
}

#[test]
fn a_chat_always_sets_its_limit() {
    let script = Script::new([json_answer(NATIVE_RESPONSE), json_answer(NATIVE_RESPONSE)]);
    let workers_ai = WorkersAi::new(Arc::<Script>::clone(&script)).default_max_tokens(99);
    let answer = block_on(workers_ai.chat(request())).unwrap();
    assert_eq!(answer.native_in(&TEXT).unwrap(), NATIVE_RESPONSE);
    assert_eq!(
        script.asked(),
        [(
            MODEL.to_owned(),
            json!({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 99}),
            false
        )]
    );
    // The next turn's calls have other ids than this one's.
    let next = block_on(workers_ai.chat(request().message(answer.to_message()))).unwrap();
    assert!(
        answer
            .tool_calls()
            .zip(next.tool_calls())
            .all(|(one, other)| one.id != other.id)
    );
}

#[test]
fn an_answer_may_come_in_the_other_form() {
    // The binding gives a stream for what is not labeled as JSON; a model that does not stream answers whole.
    let script = Script::new([
        stream_answer(NATIVE_RESPONSE),
        json_answer(NATIVE_RESPONSE),
        stream_answer(NATIVE_STREAM),
    ]);
    let workers_ai = WorkersAi::new(Arc::<Script>::clone(&script));
    let whole = block_on(workers_ai.chat(request())).unwrap().into_inner();
    let collect = || block_on(async { workers_ai.chat_stream(request()).await?.collect().await }).unwrap();
    let (one, other) = (collect(), collect());
    assert_eq!((one.text(), other.text()), (whole.text(), whole.text()));
    assert_eq!(one.tool_calls().count(), 2);
    assert!(script.asked()[1].2 && script.asked()[1].1["stream"] == json!(true));
}

#[test]
fn errors_name_the_provider() {
    let long = "this model context window limit (8192) is exceeded";
    let script = Script::new([
        Err(Error::new(ErrorKind::InvalidRequest, long)
            .with_code("5004")
            .with_status(400)),
        stream_answer("data: {\"response\":\"x\"}\n\n"),
    ]);
    let workers_ai = WorkersAi::new(script);
    let error = block_on(workers_ai.chat(request())).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider(), error.code()),
        (ErrorKind::ContextLength, Some("workers-ai"), Some("5004"))
    );
    let error = block_on(async { workers_ai.chat_stream(request()).await?.collect().await }).unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::Interrupted, Some("workers-ai"))
    );
}

#[test]
fn many_texts_are_split_and_stay_in_order() {
    let answer = |from: usize, to: usize| {
        let data: Vec<_> = (from..to).map(|index| json!([index, 1])).collect();
        json_answer(json!({"shape": [to - from, 2], "data": data, "usage": {"prompt_tokens": to - from}}))
    };
    let script = Script::new([answer(0, 100), answer(100, 200), answer(200, 230)]);
    let workers_ai = WorkersAi::new(Arc::<Script>::clone(&script)).pooling(Pooling::Mean);
    let texts = (0..230).map(|index| format!("text {index}"));
    let request =
        EmbeddingRequest::new("@cf/baai/bge-small-en-v1.5", texts).purpose(EmbeddingPurpose::Document);
    let output = block_on(workers_ai.embed(request)).unwrap();
    assert!(
        output
            .embeddings
            .iter()
            .enumerate()
            .all(|(index, vector)| vector == &[index as f32, 1.0])
    );
    assert_eq!(
        (output.embeddings.len(), output.usage.unwrap().input_tokens),
        (230, 230)
    );
    let sizes: Vec<_> = script
        .asked()
        .iter()
        .map(|(_, inputs, _)| inputs["text"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 100, 30]);
    assert_eq!(script.asked()[2].1["pooling"], "mean");
}

#[test]
fn embeddings_refuse_what_they_cannot() {
    let workers_ai = WorkersAi::new(Script::new([]));
    let embed = |request| block_on(workers_ai.embed(request)).unwrap_err();
    let empty = embed(EmbeddingRequest::new("m", ["a", ""]));
    assert_eq!(
        (empty.kind(), empty.param()),
        (ErrorKind::InvalidRequest, Some("input[1]"))
    );
    assert_eq!(
        embed(EmbeddingRequest::new("m", [""; 0])).kind(),
        ErrorKind::InvalidRequest
    );
    assert_eq!(
        embed(EmbeddingRequest::new("m", ["a"]).dimensions(8)).kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn documents_are_ranked() {
    let script = Script::new([json_answer(
        r#"{"response":[{"id":1,"score":0.9},{"id":0,"score":0.1}]}"#,
    )]);
    let request =
        RerankRequest::new("@cf/baai/bge-reranker-base", "q", vec!["a".into(), "b".into()]).top_n(1);
    let ranked = block_on(WorkersAi::new(script).rerank(request)).unwrap();
    assert_eq!(
        ranked
            .results
            .iter()
            .map(|result| result.index)
            .collect::<Vec<_>>(),
        [1]
    );
}

#[test]
fn the_provider_says_what_it_is() {
    use edge_ai_core::Provider;

    let workers_ai = WorkersAi::new(Script::new([]));
    assert_eq!(workers_ai.name(), "workers-ai");
    assert!(workers_ai.owns("@cf/a/b") && workers_ai.owns("@hf/a/b") && !workers_ai.owns("gpt-5"));
    assert!(
        workers_ai.chat_model().is_some()
            && workers_ai.embedding_model().is_some()
            && workers_ai.reranker().is_some()
    );
    assert!(
        Provider::models(&workers_ai)
            .iter()
            .all(|model| workers_ai.owns(&model.id))
    );
}

fn rest(http: &ScriptedHttpClient) -> WorkersAi {
    let rest = WorkersAiRest::new(Arc::new(http.clone()), "0123abcd", "token").unwrap();
    assert!(!format!("{rest:?}").contains("token"));
    WorkersAi::new(Arc::new(rest))
}

#[test]
fn the_rest_api_answers_in_an_envelope() {
    let envelope = format!(r#"{{"result":{NATIVE_RESPONSE},"success":true,"errors":[],"messages":[]}}"#);
    let http = ScriptedHttpClient::new()
        .respond(
            ScriptedResponse::new(200)
                .header("content-type", "application/json")
                .body(envelope),
        )
        .respond(ScriptedResponse::sse(NATIVE_STREAM).cut_every(5));
    let workers_ai = rest(&http);
    assert_eq!(
        block_on(workers_ai.chat(request())).unwrap().text(),
        "Let me look."
    );
    let sent = http.requests().remove(0);
    assert_eq!(
        sent.uri(),
        "https://api.cloudflare.com/client/v4/accounts/0123abcd/ai/run/@cf/meta/llama-3.3-70b-instruct-fp8-fast"
    );
    assert_eq!(sent.headers()["authorization"], "Bearer token");
    let streamed = block_on(async { workers_ai.chat_stream(request()).await?.collect().await }).unwrap();
    assert_eq!(streamed.text(), "Let me look.");
    assert_eq!(http.requests()[1].headers()["accept"], "text/event-stream");
}

#[test]
fn the_rest_apis_errors_have_their_kind() {
    let failed =
        |code: u32| json!({"result": null, "success": false, "errors": [{"code": code, "message": "what"}]});
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::json(400, &failed(5007)))
        .respond(ScriptedResponse::json(429, &failed(3040)).header("retry-after", "1"))
        .respond(ScriptedResponse::json(401, &failed(10_000)));
    let workers_ai = rest(&http);
    let ask = |model: &str| block_on(workers_ai.chat(ChatRequest::new(model).user("hi"))).unwrap_err();
    assert_eq!(ask(MODEL).kind(), ErrorKind::NotFound);
    let busy = ask(MODEL);
    assert_eq!(
        (busy.kind(), busy.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_secs(1)))
    );
    assert_eq!(ask(MODEL).kind(), ErrorKind::Authentication);
    assert_eq!(ask("@cf/../../user/tokens").kind(), ErrorKind::NotFound);
    assert_eq!(http.requests().len(), 3);
    assert!(WorkersAiRest::new(Arc::new(http.clone()), "a/b", "token").is_err());
    assert!(WorkersAiRest::new(Arc::new(http), "ab", "").is_err());
}
