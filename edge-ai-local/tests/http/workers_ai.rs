use serde_json::{Value, json};

use crate::support::{Local, frames, parsed, user};

const LLAMA: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
const QWEN: &str = "@cf/qwen/qwen3-30b-a3b-fp8";
const BGE: &str = "@cf/baai/bge-small-en-v1.5";

#[tokio::test]
async fn the_binding_gets_json_or_a_stream_by_the_content_type() {
    let local = Local::start().await;
    let response = local
        .run(LLAMA, json!({ "messages": user("Hello") }), json!({}))
        .await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().contains_key("cf-ai-req-id"));
    let whole: Value = response.json().await.unwrap();
    let frames = frames(
        local
            .run(
                LLAMA,
                json!({ "messages": user("Hello"), "stream": true }),
                json!({}),
            )
            .await,
    )
    .await;
    assert_eq!(frames.last().unwrap(), "[DONE]");
    let parts = parsed(&frames);
    let text: String = parts
        .iter()
        .filter_map(|part| part["response"].as_str())
        .collect();
    assert_eq!(
        (whole["response"].as_str(), &whole["usage"]),
        (Some(text.as_str()), &parts.last().unwrap()["usage"])
    );
    assert!(parts.iter().all(|part| part["p"].is_string()));
}

#[tokio::test]
async fn the_other_dialect_speaks_as_openai_does() {
    let local = Local::start().await;
    let whole: Value = local
        .run(QWEN, json!({ "messages": user("Hello") }), json!({}))
        .await
        .json()
        .await
        .unwrap();
    let message = &whole["choices"][0]["message"];
    let parts = parsed(
        &frames(
            local
                .run(
                    QWEN,
                    json!({ "messages": user("Hello"), "stream": true }),
                    json!({}),
                )
                .await,
        )
        .await,
    );
    for key in ["content", "reasoning_content"] {
        let text: String = parts
            .iter()
            .filter_map(|part| part["choices"][0]["delta"][key].as_str())
            .collect();
        assert_eq!(message[key], text.as_str());
    }
    assert_eq!(parts.last().unwrap()["usage"], whole["usage"]);
}

#[tokio::test]
async fn tools_come_in_the_form_of_the_dialect() {
    let local = Local::start().await;
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let tool = json!({ "name": "get_weather", "description": "Weather of a city", "parameters": schema });
    let native = json!({ "messages": user("Weather in Oslo?"), "tools": [tool] });
    let answer: Value = local.run(LLAMA, native, json!({})).await.json().await.unwrap();
    assert_eq!(
        answer["tool_calls"],
        json!([{ "name": "get_weather", "arguments": { "city": "Oslo" } }])
    );
    let openai =
        json!({ "messages": user("Weather in Oslo?"), "tools": [{ "type": "function", "function": tool }] });
    let answer: Value = local.run(QWEN, openai, json!({})).await.json().await.unwrap();
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        "{\"city\":\"Oslo\"}"
    );
}

#[tokio::test]
async fn errors_have_the_shape_that_the_binding_throws() {
    let local = Local::start().await;
    for (model, inputs, status, code) in [
        ("@cf/no/such", json!({ "prompt": "x" }), 400, 5007),
        (BGE, json!({}), 400, 5006),
        (LLAMA, json!({ "messages": [] }), 400, 5006),
        (LLAMA, json!({ "prompt": "word ".repeat(36_000) }), 413, 5021),
        (
            LLAMA,
            json!({ "prompt": "x", "stream": true, "response_format": { "type": "json_object" } }),
            400,
            5006,
        ),
    ] {
        let response = local.run(model, inputs, json!({})).await;
        assert_eq!(response.status().as_u16(), status);
        let error: Value = response.json().await.unwrap();
        assert_eq!(
            (&error["name"], &error["internalCode"]),
            (&json!("AiError"), &json!(code)),
            "{error}"
        );
        assert!(error["description"].is_string() && error["message"].is_string());
    }
}

#[tokio::test]
async fn miniflare_s_proxy_and_plain_paths_reach_the_same() {
    let local = Local::start().await;
    let body = json!({ "inputs": { "text": "hello" }, "options": {} });
    let through_proxy = local
        .post("/", &body)
        .header("MF-URL", "https://workers-binding.ai/run?version=3")
        .header("MF-Binding", "AI")
        .header("MF-Header-cf-consn-model-id", BGE)
        .header("MF-Header-content-type", "application/json");
    let a: Value = through_proxy.send().await.unwrap().json().await.unwrap();
    let by_path = local.post(&format!("/workers-ai/run/{BGE}"), &json!({ "text": "hello" }));
    let b: Value = by_path.send().await.unwrap().json().await.unwrap();
    let c: Value = local
        .run(BGE, json!({ "text": "hello" }), json!({}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(a["shape"], json!([1, 384]));
    assert!(a == b && b == c);
    let socket = local
        .http
        .get(format!("{}/?MF-Binding=AI", local.url))
        .header("upgrade", "websocket");
    assert_eq!(
        socket
            .header("connection", "upgrade")
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn the_rest_of_the_binding() {
    let local = Local::start().await;
    let host = ("host", "workers-binding.ai");
    let get = async |path: &str| {
        let request = local
            .http
            .get(format!("{}{path}", local.url))
            .header(host.0, host.1);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let found = get("/ai-api/models/search?search=bge-small&per_page=10").await;
    assert_eq!(found["result"][0]["id"], BGE);
    assert!(
        get("/to-everything/markdown/supported").await["result"]
            .as_array()
            .unwrap()
            .len()
            > 2
    );
    let url = get("/ai-gateway/gateways/mine/url/openai").await;
    assert_eq!(url["result"]["url"], format!("{}/openai/v1", local.url));
    let files =
        json!({ "files": [{ "name": "a.html", "mimeType": "text/html", "data": "PGgxPkhpPC9oMT4=" }] });
    let converted = local
        .post("/to-everything/markdown/transformer", &files)
        .header(host.0, host.1);
    assert_eq!(
        converted.send().await.unwrap().json::<Value>().await.unwrap()["result"][0]["data"],
        "# Hi\n"
    );
    let through = local.post(
        "/ai-gateway/run?version=3",
        &json!({ "inputs": { "text": "x" }, "options": { "gateway": { "id": "g" } } }),
    );
    let through = through
        .header(host.0, host.1)
        .header("cf-consn-model-id", BGE)
        .send()
        .await
        .unwrap();
    assert!(through.headers().contains_key("cf-aig-log-id"));
}

#[tokio::test]
async fn a_batch_is_queued_and_fetched() {
    let local = Local::start().await;
    let requests = json!({ "requests": [{ "text": "a" }, { "text": "", "external_reference": "second" }] });
    assert_eq!(local.run(BGE, requests.clone(), json!({})).await.status(), 400);
    let queued: Value = local
        .run(BGE, requests, json!({ "queueRequest": true }))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(queued["status"], "queued");
    let done: Value = local
        .run(BGE, json!({ "request_id": queued["request_id"] }), json!({}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (
            &done["responses"][0]["success"],
            &done["responses"][0]["result"]["shape"]
        ),
        (&json!(true), &json!([1, 384]))
    );
    assert_eq!(
        (
            &done["responses"][1]["success"],
            &done["responses"][1]["external_reference"]
        ),
        (&json!(false), &json!("second"))
    );
    assert_eq!(
        local
            .run(BGE, json!({ "request_id": "none" }), json!({}))
            .await
            .status(),
        400
    );
}
