use serde_json::{Value, json};

use crate::support::{Local, frames, parsed, with};

const NEW: &str = "gemini-3.8-flash";

async fn post(local: &Local, path: &str, body: &Value) -> (u16, Value) {
    let response = local
        .post(&format!("/gemini/v1beta/models/{path}"), body)
        .header("x-goog-api-key", "key")
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn ask(text: &str) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] })
}

fn weather() -> Value {
    json!({ "tools": [{ "functionDeclarations": [{ "name": "get_weather", "description": "Weather of a city",
        "parametersJsonSchema": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] } }] }] })
}

fn thinking() -> Value {
    json!({ "generationConfig": { "thinkingConfig": { "thinkingLevel": "high", "includeThoughts": true } } })
}

#[tokio::test]
async fn a_stream_joins_to_the_answer_in_one_piece() {
    let local = Local::start().await;
    let body = with(
        ask("Refunds take five days. How long does a refund take?"),
        &thinking(),
    );
    let (_, whole) = post(&local, &format!("{NEW}:generateContent"), &body).await;
    let response = local
        .post(
            &format!("/gemini/v1beta/models/{NEW}:streamGenerateContent?alt=sse"),
            &body,
        )
        .header("x-goog-api-key", "key")
        .send()
        .await
        .unwrap();
    let chunks = parsed(&frames(response).await);
    let joined = |thought: bool| -> String {
        let parts = chunks
            .iter()
            .flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().unwrap());
        parts
            .filter(|part| (part["thought"] == true) == thought)
            .map(|part| part["text"].as_str().unwrap())
            .collect()
    };
    let parts = &whole["candidates"][0]["content"]["parts"];
    assert_eq!(
        (json!(joined(true)), json!(joined(false))),
        (parts[0]["text"].clone(), parts[1]["text"].clone())
    );
    let last = chunks.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"], whole["usageMetadata"]);
    assert!(chunks.len() > 3 && last["candidates"][0]["content"]["parts"][0]["thoughtSignature"].is_string());
    let usage = &whole["usageMetadata"];
    let number = |name: &str| usage[name].as_u64().unwrap();
    assert_eq!(
        number("totalTokenCount"),
        number("promptTokenCount") + number("candidatesTokenCount") + number("thoughtsTokenCount")
    );
}

#[tokio::test]
async fn calls_come_back_with_ids_and_signatures_or_not_at_all() {
    let local = Local::start().await;
    let body = with(
        ask("What is the weather in Paris and in Berlin? Call the tool for each in parallel."),
        &weather(),
    );
    let method = format!("{NEW}:generateContent");
    let (_, first) = post(&local, &method, &body).await;
    let content = first["candidates"][0]["content"].clone();
    let calls: Vec<Value> = content["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["functionCall"].clone())
        .collect();
    assert_eq!((calls.len(), &calls[0]["args"]), (2, &json!({ "city": "Paris" })));
    assert!(
        content["parts"][0]["thoughtSignature"].is_string()
            && content["parts"][1].get("thoughtSignature").is_none()
    );
    let next = |content: &Value, ids: [&Value; 2]| {
        let results: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "functionResponse": { "id": id, "name": "get_weather", "response": { "output": "21 degrees" } } }))
            .collect();
        with(
            body.clone(),
            &json!({ "contents": [body["contents"][0], content, { "role": "user", "parts": results }] }),
        )
    };
    let ids = [&calls[0]["id"], &calls[1]["id"]];
    let (status, done) = post(&local, &method, &next(&content, ids)).await;
    assert_eq!(status, 200);
    assert!(
        done["candidates"][0]["content"]["parts"][0]["text"]
            .as_str()
            .unwrap()
            .contains("21 degrees")
    );
    let mut unsigned = content.clone();
    unsigned["parts"][0]
        .as_object_mut()
        .unwrap()
        .remove("thoughtSignature");
    let mut forged = content.clone();
    forged["parts"][0]["thoughtSignature"] = "AAAA".into();
    for (body, word) in [
        (next(&unsigned, ids), "missing a thought_signature"),
        (next(&forged, ids), "not valid"),
        (next(&content, [ids[0], &json!("other")]), "has an id"),
    ] {
        let (status, error) = post(&local, &method, &body).await;
        assert_eq!(
            (status, &error["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT"))
        );
        assert!(
            error["error"]["message"].as_str().unwrap().contains(word),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_google_refuses_is_refused() {
    let local = Local::start().await;
    let config = |config: Value| with(ask("hi"), &json!({ "generationConfig": config }));
    let image =
        json!({ "contents": [{ "parts": [{ "inlineData": { "mimeType": "image/svg+xml", "data": "" } }] }] });
    let prefill = json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }, { "role": "model", "parts": [{ "text": "Well" }] }] });
    for (model, body, word) in [
        (NEW, json!({ "contents": [] }), "contents is not specified"),
        (
            NEW,
            with(ask("hi"), &json!({ "logprobs": true })),
            "Unknown name \"logprobs\"",
        ),
        (
            NEW,
            json!({ "contents": [{ "role": "assistant", "parts": [{ "text": "hi" }] }] }),
            "valid role",
        ),
        (NEW, image, "Unsupported MIME type"),
        (NEW, prefill, "ending with a model turn"),
        (
            NEW,
            config(json!({ "temperature": 3 })),
            "temperature must be in the range",
        ),
        (
            NEW,
            config(json!({ "presencePenalty": 1 })),
            "Penalty is not enabled",
        ),
        (
            NEW,
            config(json!({ "stopSequences": ["a", "b", "c", "d", "e", "f"] })),
            "stop sequences",
        ),
        (
            NEW,
            config(json!({ "thinkingConfig": { "thinkingLevel": "minimal" } })),
            "MINIMAL is not supported",
        ),
        (
            "gemini-2.5-flash",
            config(json!({ "thinkingConfig": { "thinkingLevel": "low" } })),
            "not supported",
        ),
        (
            "gemini-2.5-pro",
            config(json!({ "thinkingConfig": { "thinkingBudget": 0 } })),
            "between 128 and 32768",
        ),
        (
            "gemini-2.5-flash",
            with(
                config(json!({ "responseMimeType": "application/json" })),
                &weather(),
            ),
            "is unsupported",
        ),
    ] {
        let (status, error) = post(&local, &format!("{model}:generateContent"), &body).await;
        assert_eq!(status, 400, "{word}");
        assert!(
            error["error"]["message"].as_str().unwrap().contains(word),
            "{error}"
        );
    }
    let (status, error) = post(&local, "missing-model:generateContent", &ask("hi")).await;
    assert_eq!((status, &error["error"]["status"]), (404, &json!("NOT_FOUND")));
    let (status, error) = post(
        &local,
        &format!("{NEW}:generateContent"),
        &ask("hi [[fault: status=429, retry-after=3]]"),
    )
    .await;
    assert_eq!(
        (status, &error["error"]["details"][0]["retryDelay"]),
        (429, &json!("3s"))
    );
    let (_, blocked) = post(&local, &format!("{NEW}:generateContent"), &ask("[[blocked]]")).await;
    assert_eq!(blocked["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
}

#[tokio::test]
async fn keys_and_tokens_are_asked_for() {
    let local = Local::start().await;
    let status = |path: &str, name: &'static str, value: &'static str| {
        let request = local.post(path, &ask("hi")).header(name, value);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let gemini = format!("/gemini/v1beta/models/{NEW}:generateContent");
    assert_eq!(status(&gemini, "x-other", "x").await, 403);
    assert_eq!(status(&gemini, "x-goog-api-key", "invalid-key").await, 400);
    assert_eq!(status(&format!("{gemini}?key=k"), "x-other", "x").await, 200);
    let vertex =
        format!("/vertex/v1/projects/p/locations/global/publishers/google/models/{NEW}:generateContent");
    assert_eq!(status(&vertex, "x-goog-api-key", "k").await, 401);
    assert_eq!(status(&vertex, "authorization", "Bearer ya29.x").await, 200);
}

#[tokio::test]
async fn claude_on_vertex_has_its_model_in_the_address() {
    let local = Local::start().await;
    let path =
        "/vertex/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-5-5:rawPredict";
    let body = json!({ "anthropic_version": "vertex-2023-10-16", "max_tokens": 50, "messages": [{ "role": "user", "content": "hi" }] });
    let post = |body: Value| {
        let request = local.post(path, &body).bearer_auth("ya29.x");
        async move {
            let response = request.send().await.unwrap();
            (
                response.status().as_u16(),
                response.json::<Value>().await.unwrap(),
            )
        }
    };
    let (status, message) = post(body.clone()).await;
    assert_eq!((status, &message["model"]), (200, &json!("claude-sonnet-5-5")));
    let (status, error) = post(with(body.clone(), &json!({ "model": "claude-sonnet-5-5" }))).await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
    assert_eq!(post(with(body, &json!({ "stream": true }))).await.0, 400);
}

#[tokio::test]
async fn embeddings_and_models() {
    let local = Local::start().await;
    let request = |text: &str| {
        json!({ "model": "models/gemini-embedding-001", "content": { "parts": [{ "text": text }] },
        "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256 })
    };
    let body = json!({ "requests": [request("bears"), request("refunds")] });
    let (_, answer) = post(&local, "gemini-embedding-001:batchEmbedContents", &body).await;
    assert_eq!(answer["embeddings"][1]["values"].as_array().unwrap().len(), 256);
    let (_, one) = post(&local, "gemini-embedding-001:embedContent", &request("bears")).await;
    assert_eq!(one["embedding"], answer["embeddings"][0]);
    for wrong in [
        json!({ "requests": [] }),
        json!({ "requests": vec![request("a"); 101] }),
        json!({ "requests": [request("")] }),
    ] {
        assert_eq!(
            post(&local, "gemini-embedding-001:batchEmbedContents", &wrong)
                .await
                .0,
            400
        );
    }
    let models = local
        .http
        .get(format!("{}/gemini/v1beta/models?key=k", local.url))
        .send()
        .await
        .unwrap();
    let models: Value = models.json().await.unwrap();
    assert_eq!(models["models"][0]["name"], "models/gemini-3.8-flash");
}
