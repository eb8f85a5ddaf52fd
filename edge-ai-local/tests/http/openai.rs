use serde_json::{Value, json};

use crate::support::{Local, frames, gpt, parsed, user, weather_schema, with};

fn weather() -> Value {
    let function = json!({ "name": "get_weather", "description": "Weather of a city", "strict": true, "parameters": weather_schema() });
    json!({ "tools": [{ "type": "function", "function": function }] })
}

async fn error(local: &Local, body: Value) -> (u16, Value) {
    let response = local.openai(&body).await;
    (
        response.status().as_u16(),
        response.json::<Value>().await.unwrap()["error"].clone(),
    )
}

#[tokio::test]
async fn a_stream_joins_to_the_answer_in_one_piece() {
    let local = Local::start().await;
    let body = gpt("The sky is blue today. What color is the sky?");
    let response = local.openai(&body).await;
    for header in [
        "x-request-id",
        "openai-processing-ms",
        "x-ratelimit-remaining-requests",
    ] {
        assert!(response.headers().contains_key(header), "{header}");
    }
    let whole: Value = response.json().await.unwrap();
    assert_eq!(
        whole["choices"][0]["message"]["content"],
        "The sky is blue today."
    );
    let streaming = with(
        body,
        &json!({ "stream": true, "stream_options": { "include_usage": true } }),
    );
    let frames = frames(local.openai(&streaming).await).await;
    assert_eq!(frames.last().unwrap(), "[DONE]");
    let chunks = parsed(&frames);
    let text: String = chunks
        .iter()
        .filter_map(|c| c["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], text.as_str());
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let (last, rest) = chunks.split_last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &whole["usage"]));
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn tools_round_trip_in_both_forms() {
    let local = Local::start().await;
    let body = with(gpt("What is the weather in both Paris and Rome?"), &weather());
    let whole: Value = local.openai(&body).await.json().await.unwrap();
    let choice = &whole["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let calls = choice["message"]["tool_calls"].as_array().unwrap().clone();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    let chunks = parsed(
        &frames(
            local
                .openai(&with(body.clone(), &json!({ "stream": true })))
                .await,
        )
        .await,
    );
    let deltas: Vec<Value> = chunks
        .iter()
        .filter_map(|c| {
            c["choices"][0]["delta"]["tool_calls"][0]
                .as_object()
                .cloned()
                .map(Value::Object)
        })
        .collect();
    for (index, city) in ["Paris", "Rome"].into_iter().enumerate() {
        let mine: Vec<&Value> = deltas.iter().filter(|delta| delta["index"] == index).collect();
        assert_eq!(mine.iter().filter(|delta| delta["id"].is_string()).count(), 1);
        let arguments: String = mine
            .iter()
            .filter_map(|delta| delta["function"]["arguments"].as_str())
            .collect();
        assert_eq!(
            serde_json::from_str::<Value>(&arguments).unwrap(),
            json!({ "city": city })
        );
    }
    let mut messages = body["messages"].as_array().unwrap().clone();
    messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls }));
    messages.push(json!({ "role": "tool", "tool_call_id": calls[0]["id"], "content": "21" }));
    let (status, unanswered) = error(&local, with(body.clone(), &json!({ "messages": messages }))).await;
    assert!(
        status == 400
            && unanswered["message"]
                .as_str()
                .unwrap()
                .contains("did not have response messages")
    );
    messages.push(json!({ "role": "tool", "tool_call_id": calls[1]["id"], "content": "25" }));
    let done: Value = local
        .openai(&with(body, &json!({ "messages": messages })))
        .await
        .json()
        .await
        .unwrap();
    let text = done["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        text.contains("get_weather: 21") && text.contains("get_weather: 25"),
        "{text}"
    );
}

#[tokio::test]
async fn structured_output_is_valid_for_its_schema() {
    let local = Local::start().await;
    let schema = json!({ "name": "person", "strict": true, "schema": { "type": "object", "additionalProperties": false,
        "required": ["name", "age"], "properties": { "name": { "type": "string" }, "age": { "type": "integer" } } } });
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": schema } });
    let done: Value = local
        .openai(&with(gpt("Ada is 36."), &format))
        .await
        .json()
        .await
        .unwrap();
    let text = done["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        json!({ "name": "Ada", "age": 36 })
    );
    let object = json!({ "response_format": { "type": "json_object" } });
    let done: Value = local
        .openai(&with(gpt("Answer in JSON."), &object))
        .await
        .json()
        .await
        .unwrap();
    assert!(
        serde_json::from_str::<Value>(done["choices"][0]["message"]["content"].as_str().unwrap())
            .unwrap()
            .is_object()
    );
    assert_eq!(
        error(&local, with(gpt("Answer."), &object)).await.1["param"],
        "messages"
    );
}

#[tokio::test]
async fn options_bear_on_the_answer() {
    let local = Local::start().await;
    let ask = async |more: Value| {
        local
            .openai(&with(gpt("Hello there"), &more))
            .await
            .json::<Value>()
            .await
            .unwrap()
    };
    let short = ask(json!({ "max_tokens": 2 })).await;
    assert_eq!(
        (
            &short["choices"][0]["finish_reason"],
            &short["usage"]["completion_tokens"]
        ),
        (&json!("length"), &json!(2))
    );
    assert_eq!(
        ask(json!({ "n": 3 })).await["choices"].as_array().unwrap().len(),
        3
    );
    let stopped = ask(json!({ "stop": ["context"] })).await;
    assert!(
        !stopped["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("context")
    );
    let thought = ask(json!({ "model": "gpt-5", "reasoning_effort": "high" })).await;
    assert!(thought["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let sure = ask(json!({ "logprobs": true })).await;
    assert_eq!(
        sure["choices"][0]["logprobs"]["content"]
            .as_array()
            .unwrap()
            .len(),
        sure["usage"]["completion_tokens"].as_u64().unwrap() as usize
    );
    let parts = json!([{ "type": "text", "text": "What is this?" }, { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }]);
    let seen = ask(json!({ "messages": [{ "role": "user", "content": parts }] })).await;
    assert!(
        seen["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("image (image/png, 3 bytes)")
    );
}

#[tokio::test]
async fn bad_requests_name_their_field() {
    let local = Local::start().await;
    for (body, status, param, code) in [
        (
            json!({ "messages": user("x") }),
            400,
            json!("model"),
            json!("missing_required_parameter"),
        ),
        (
            json!({ "model": 7, "messages": user("x") }),
            400,
            json!("model"),
            json!("invalid_type"),
        ),
        (
            json!({ "model": "missing-model", "messages": user("x") }),
            404,
            Value::Null,
            json!("model_not_found"),
        ),
        (
            json!({ "model": "m" }),
            400,
            json!("messages"),
            json!("missing_required_parameter"),
        ),
        (
            json!({ "model": "m", "messages": [] }),
            400,
            json!("messages"),
            json!("empty_array"),
        ),
        (
            json!({ "model": "m", "messages": "hi" }),
            400,
            json!("messages"),
            json!("invalid_type"),
        ),
        (
            with(
                gpt("x"),
                &json!({ "messages": [{ "role": "robot", "content": "x" }] }),
            ),
            400,
            json!("messages[0].role"),
            json!("invalid_value"),
        ),
        (
            with(gpt("x"), &json!({ "messages": [{ "role": "user" }] })),
            400,
            json!("messages[0].content"),
            json!("missing_required_parameter"),
        ),
        (
            with(gpt("x"), &json!({ "temperature": 3 })),
            400,
            json!("temperature"),
            json!("decimal_above_max_value"),
        ),
        (
            with(gpt("x"), &json!({ "max_tokens": 0 })),
            400,
            json!("max_tokens"),
            json!("integer_below_min_value"),
        ),
        (
            with(gpt("x"), &json!({ "max_tokens": 5, "model": "gpt-5" })),
            400,
            json!("max_tokens"),
            json!("unsupported_parameter"),
        ),
        (
            with(gpt("x"), &json!({ "stream": "yes" })),
            400,
            json!("stream"),
            json!("invalid_type"),
        ),
        (
            with(gpt("x"), &json!({ "stream_options": {} })),
            400,
            json!("stream_options"),
            Value::Null,
        ),
        (
            with(gpt("x"), &json!({ "tools": [] })),
            400,
            json!("tools"),
            json!("empty_array"),
        ),
        (
            with(gpt("x"), &json!({ "tool_choice": "required" })),
            400,
            json!("tool_choice"),
            Value::Null,
        ),
    ] {
        let (got, error) = error(&local, body.clone()).await;
        assert_eq!(
            (got, &error["param"], &error["code"]),
            (status, &param, &code),
            "{body}: {error}"
        );
        assert_eq!(error["type"], "invalid_request_error");
    }
    let url = format!("{}/openai/v1/chat/completions", local.url);
    let bare = local
        .http
        .post(&url)
        .body("{not json")
        .bearer_auth("key")
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), 400);
    assert_eq!(
        local
            .post("/openai/v1/chat/completions", &gpt("x"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let refused = local
        .post("/openai/v1/embeddings", &gpt("x"))
        .bearer_auth("invalid-key")
        .send()
        .await
        .unwrap();
    assert_eq!(
        refused.json::<Value>().await.unwrap()["error"]["code"],
        "invalid_api_key"
    );
}

#[tokio::test]
async fn embeddings_take_every_input_and_format() {
    let local = Local::start().await;
    let embed = async |more: Value| {
        let body = with(json!({ "model": "text-embedding-3-small" }), &more);
        local
            .post("/openai/v1/embeddings", &body)
            .bearer_auth("key")
            .send()
            .await
            .unwrap()
            .json::<Value>()
            .await
            .unwrap()
    };
    let one = embed(json!({ "input": "hello" })).await;
    assert_eq!(one["data"][0]["embedding"].as_array().unwrap().len(), 1536);
    assert_eq!(embed(json!({ "input": ["a", "b"] })).await["data"][1]["index"], 1);
    assert_eq!(
        embed(json!({ "input": [[1, 2], [3]] })).await["usage"]["prompt_tokens"],
        3
    );
    assert_eq!(
        embed(json!({ "input": "x", "dimensions": 8 })).await["data"][0]["embedding"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    let packed = embed(json!({ "input": "hello", "encoding_format": "base64" })).await;
    let base64 = packed["data"][0]["embedding"].as_str().unwrap();
    assert_eq!(base64.len(), 8192);
    for (bad, param) in [
        (json!({}), json!("input")),
        (json!({ "input": "" }), json!("input[0]")),
        (json!({ "input": [] }), json!("input")),
        (json!({ "input": [1.5] }), json!("input")),
        (json!({ "input": "x", "dimensions": 9999 }), json!("dimensions")),
        (
            json!({ "input": "x", "encoding_format": "hex" }),
            json!("encoding_format"),
        ),
    ] {
        assert_eq!(embed(bad.clone()).await["error"]["param"], param, "{bad}");
    }
}

#[tokio::test]
async fn models_are_listed_and_found() {
    let local = Local::start().await;
    let get = async |path: &str| {
        local
            .http
            .get(format!("{}{path}", local.url))
            .bearer_auth("key")
            .send()
            .await
            .unwrap()
    };
    let list: Value = get("/openai/v1/models").await.json().await.unwrap();
    assert!(
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "gpt-4o")
    );
    assert_eq!(
        get("/openai/v1/models/gpt-4o")
            .await
            .json::<Value>()
            .await
            .unwrap()["object"],
        "model"
    );
    assert_eq!(get("/openai/v1/models/nothing").await.status(), 404);
    assert_eq!(get("/openai/v1/elsewhere").await.status(), 404);
}
