use serde_json::{Value, json};

use crate::support::{Local, claude, parsed, user, weather_schema, with};

fn weather() -> Value {
    json!({ "tools": [{ "name": "get_weather", "description": "Weather of a city", "input_schema": weather_schema() }] })
}

fn thinking() -> Value {
    json!({ "thinking": { "type": "enabled", "budget_tokens": 1024 }, "max_tokens": 4000 })
}

async fn ask(local: &Local, body: &Value) -> Value {
    local.anthropic(body).await.json().await.unwrap()
}

/// Puts a stream's blocks together again.
async fn streamed(local: &Local, body: &Value) -> (Vec<String>, Vec<Value>, Value) {
    let response = local
        .anthropic(&with(body.clone(), &json!({ "stream": true })))
        .await;
    let events = parsed(&crate::support::frames(response).await);
    let mut blocks: Vec<Value> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    for event in &events {
        let delta = &event["delta"];
        if event["type"] == "content_block_start" {
            blocks.push(event["content_block"].clone());
            inputs.push(String::new());
        }
        let Some(block) = blocks.last_mut() else { continue };
        for (kind, key) in [
            ("text_delta", "text"),
            ("thinking_delta", "thinking"),
            ("signature_delta", "signature"),
        ] {
            if delta["type"] == kind {
                block[key] =
                    format!("{}{}", block[key].as_str().unwrap(), delta[key].as_str().unwrap()).into();
            }
        }
        if delta["type"] == "input_json_delta" {
            inputs
                .last_mut()
                .unwrap()
                .push_str(delta["partial_json"].as_str().unwrap());
        }
    }
    for (block, input) in blocks
        .iter_mut()
        .zip(&inputs)
        .filter(|(_, input)| !input.is_empty())
    {
        block["input"] = serde_json::from_str(input).unwrap();
    }
    let last = events
        .iter()
        .find(|event| event["type"] == "message_delta")
        .unwrap()
        .clone();
    (
        events
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect(),
        blocks,
        last,
    )
}

#[tokio::test]
async fn a_stream_joins_to_the_answer_in_one_piece() {
    let local = Local::start().await;
    let body = with(
        with(
            claude("Refunds take five days. How long does a refund take?"),
            &thinking(),
        ),
        &json!({ "system": "Be kind." }),
    );
    let whole = ask(&local, &body).await;
    let (kinds, blocks, last) = streamed(&local, &body).await;
    assert_eq!(Value::from(blocks), whole["content"]);
    assert_eq!(
        (&last["usage"], &last["delta"]["stop_reason"]),
        (&whole["usage"], &json!("end_turn"))
    );
    assert_eq!(
        (kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()),
        ("message_start", "message_stop")
    );
    assert!(kinds.iter().any(|kind| kind == "ping"));
    assert_eq!(whole["content"][1]["text"], "Refunds take five days.");
}

#[tokio::test]
async fn tools_round_trip_with_signed_thinking() {
    let local = Local::start().await;
    let body = with(
        with(claude("What is the weather in Paris?"), &thinking()),
        &weather(),
    );
    let first = ask(&local, &body).await;
    assert_eq!(first["stop_reason"], "tool_use");
    let call = first["content"][1].clone();
    assert_eq!(
        (&call["name"], &call["input"]),
        (&json!("get_weather"), &json!({ "city": "Paris" }))
    );
    let (_, blocks, _) = streamed(&local, &body).await;
    assert_eq!(
        (&blocks[0], &blocks[1]["input"]),
        (&first["content"][0], &call["input"])
    );
    let next = |content: Value| {
        let result = json!([{ "type": "tool_result", "tool_use_id": call["id"], "content": "21 degrees" }]);
        let messages = json!([body["messages"][0], { "role": "assistant", "content": content }, { "role": "user", "content": result }]);
        with(body.clone(), &json!({ "messages": messages }))
    };
    let done = ask(&local, &next(first["content"].clone())).await;
    assert_eq!(done["content"][1]["text"], "According to get_weather: 21 degrees");
    let mut changed = first["content"].clone();
    changed[0]["thinking"] = "Something else.".into();
    assert!(message(&ask(&local, &next(changed)).await).contains("Invalid `signature` in `thinking` block"));
    assert!(
        message(&ask(&local, &next(json!([call]))).await)
            .contains("Expected `thinking` or `redacted_thinking`")
    );
    let mut open = next(first["content"].clone());
    open["messages"][2]["content"] = "never mind".into();
    assert!(
        message(&ask(&local, &open).await).contains("`tool_use` ids were found without `tool_result` blocks")
    );
}

fn message(answer: &Value) -> String {
    assert_eq!(
        (&answer["type"], &answer["error"]["type"]),
        (&json!("error"), &json!("invalid_request_error")),
        "{answer}"
    );
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn marked_prompts_are_created_then_read() {
    let local = Local::start().await;
    let system =
        json!([{ "type": "text", "text": "A long document.", "cache_control": { "type": "ephemeral" } }]);
    let body = |text: &str| with(claude(text), &json!({ "system": system }));
    let first = ask(&local, &body("one")).await["usage"].clone();
    let second = ask(&local, &body("two")).await["usage"].clone();
    assert_eq!(first["cache_read_input_tokens"], 0);
    assert!(first["cache_creation_input_tokens"].as_u64() > Some(0));
    assert_eq!(
        second["cache_read_input_tokens"],
        first["cache_creation_input_tokens"]
    );
    let plain = local.post(
        "/anthropic/v1/messages/count_tokens",
        &with(claude("one"), &json!({ "system": system })),
    );
    let plain = plain
        .header("x-api-key", "key")
        .header("anthropic-version", "2023-06-01")
        .send()
        .await
        .unwrap();
    let counted = plain.json::<Value>().await.unwrap()["input_tokens"]
        .as_u64()
        .unwrap();
    let sum = |usage: &Value| {
        usage["input_tokens"].as_u64().unwrap() + usage["cache_creation_input_tokens"].as_u64().unwrap()
    };
    assert_eq!(sum(&first), counted);
}

#[tokio::test]
async fn stop_reasons_and_structured_output() {
    let local = Local::start().await;
    let stopped = ask(
        &local,
        &with(claude("Hi"), &json!({ "stop_sequences": ["context"] })),
    )
    .await;
    assert_eq!(
        (&stopped["stop_reason"], &stopped["stop_sequence"]),
        (&json!("stop_sequence"), &json!("context"))
    );
    let short = ask(&local, &with(claude("Hi"), &json!({ "max_tokens": 2 }))).await;
    assert_eq!(
        (&short["stop_reason"], &short["usage"]["output_tokens"]),
        (&json!("max_tokens"), &json!(2))
    );
    let format =
        json!({ "output_config": { "format": { "type": "json_schema", "schema": weather_schema() } } });
    let made = ask(&local, &with(claude("I live in Oslo"), &format)).await;
    assert_eq!(made["content"][0]["text"], "{\"city\":\"Oslo\"}");
}

#[tokio::test]
async fn bad_requests_are_refused_in_its_words() {
    let local = Local::start().await;
    for (body, part) in [
        (
            json!({ "model": "m", "messages": user("x") }),
            "max_tokens: Field required",
        ),
        (
            json!({ "max_tokens": 1, "messages": user("x") }),
            "model: Field required",
        ),
        (
            json!({ "model": "m", "max_tokens": 1 }),
            "messages: Field required",
        ),
        (
            with(claude("x"), &json!({ "messages": [] })),
            "at least one message",
        ),
        (
            with(claude("x"), &json!({ "max_tokens": "many" })),
            "valid integer",
        ),
        (
            with(
                claude("x"),
                &json!({ "messages": [{ "role": "system", "content": "x" }] }),
            ),
            "top-level `system`",
        ),
        (
            with(
                claude("x"),
                &json!({ "messages": [{ "role": "user", "content": "" }] }),
            ),
            "non-empty content",
        ),
        (
            with(
                claude("x"),
                &json!({ "messages": [{ "role": "user", "content": [{ "type": "video" }] }] }),
            ),
            "Input tag 'video'",
        ),
        (
            with(claude("x"), &json!({ "temperature": 2 })),
            "temperature: range: 0..1",
        ),
        (
            with(
                claude("x"),
                &json!({ "thinking": { "type": "enabled", "budget_tokens": 1024 } }),
            ),
            "must be greater than",
        ),
        (
            with(
                claude("x"),
                &json!({ "tools": [{ "name": "a b", "input_schema": { "type": "object" } }] }),
            ),
            "should match pattern",
        ),
        (
            with(claude("x"), &json!({ "tools": [{ "name": "a" }] })),
            "input_schema: Field required",
        ),
    ] {
        let answer = ask(&local, &body).await;
        assert!(message(&answer).contains(part), "{body}: {answer}");
        assert!(answer["request_id"].as_str().unwrap().starts_with("req_"));
    }
    let response = local
        .post("/anthropic/v1/messages", &claude("x"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers().contains_key("request-id")
        ),
        (401, true)
    );
    let unversioned = local
        .post("/anthropic/v1/messages", &claude("x"))
        .header("x-api-key", "key")
        .send()
        .await
        .unwrap();
    assert!(message(&unversioned.json().await.unwrap()).contains("anthropic-version"));
    let missing = local
        .anthropic(&with(claude("x"), &json!({ "model": "missing-one" })))
        .await;
    assert_eq!(missing.status(), 404);
    let marks: Vec<Value> = (0..5)
        .map(|_| json!({ "type": "text", "text": "x", "cache_control": { "type": "ephemeral" } }))
        .collect();
    assert!(message(&ask(&local, &with(claude("x"), &json!({ "system": marks }))).await).contains("Found 5"));
}
