use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Local, claude, data, gpt, with};

async fn faulty(local: &Local, spec: &str, stream: bool) -> Response {
    local
        .openai(&with(
            gpt(&format!("Hello [[fault: {spec}]]")),
            &json!({ "stream": stream }),
        ))
        .await
}

/// Reads a body as far as it comes, and says whether it ended well.
async fn read(mut response: Response) -> (String, bool) {
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => return (String::from_utf8(text).unwrap(), true),
            Err(_) => return (String::from_utf8(text).unwrap(), false),
        }
    }
}

#[tokio::test]
async fn statuses_come_in_each_dialect() {
    let local = Local::start().await;
    let limited = faulty(&local, "status=429, retry-after=2, retry-after-ms=700", false).await;
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
    assert_eq!(limited.headers()["retry-after-ms"], "700");
    assert_eq!(
        limited.json::<Value>().await.unwrap()["error"]["code"],
        "rate_limit_exceeded"
    );
    let overloaded = local.anthropic(&claude("[[fault: status=529]]")).await;
    assert_eq!(overloaded.status(), 529);
    assert_eq!(
        overloaded.json::<Value>().await.unwrap()["error"]["type"],
        "overloaded_error"
    );
    let capacity = local
        .run(
            "@cf/openai/gpt-oss-20b",
            json!({ "prompt": "[[fault: status=429]]" }),
            json!({}),
        )
        .await;
    assert_eq!(capacity.json::<Value>().await.unwrap()["internalCode"], 3040);
    let busy = local
        .post("/vectorize/docs/query", &json!({ "vector": [1] }))
        .header("x-edge-ai-fault", "status=429");
    assert_eq!(
        busy.send().await.unwrap().json::<Value>().await.unwrap()["code"],
        40041
    );
    let spent = faulty(&local, "status=429, code=insufficient_quota", false)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(
        (&spent["error"]["type"], &spent["error"]["code"]),
        (&json!("insufficient_quota"), &json!("insufficient_quota"))
    );
    let daily = json!({ "prompt": "[[fault: status=429, code=3036]]" });
    let daily = local.run("@cf/openai/gpt-oss-20b", daily, json!({})).await;
    assert_eq!(daily.json::<Value>().await.unwrap()["internalCode"], 3036);
    let mistaken = faulty(&local, "sttus=1", false).await;
    assert_eq!(mistaken.status(), 400);
    assert!(mistaken.text().await.unwrap().contains("unknown fault `sttus=1`"));
}

#[tokio::test]
async fn a_cut_stream_breaks_after_its_frames() {
    let local = Local::start().await;
    let (text, ended) = read(faulty(&local, "cut=3", true).await).await;
    assert_eq!((data(&text).len(), ended), (3, false));
    assert_eq!(local.await_outcome("broken").await["frames"], 3);
    let (text, ended) = read(faulty(&local, "cut=0", false).await).await;
    assert!(!ended && serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn a_stream_can_end_early_err_or_break_a_frame() {
    let local = Local::start().await;
    let (text, ended) = read(faulty(&local, "end=2", true).await).await;
    assert!(ended && data(&text).len() == 2 && !text.contains("[DONE]"));
    let (text, ended) = read(faulty(&local, "error-event=2", true).await).await;
    assert!(ended && data(&text).len() == 3 && data(&text)[2].contains("server_error"));
    let (text, ended) = read(faulty(&local, "malformed=2", true).await).await;
    let broken: Vec<bool> = data(&text)
        .iter()
        .map(|d| serde_json::from_str::<Value>(d).is_err() && d != "[DONE]")
        .collect();
    assert!(ended && broken[1] && broken.iter().filter(|b| **b).count() == 1);
    let erring = local
        .anthropic(&with(
            claude("[[fault: error-event=1]]"),
            &json!({ "stream": true }),
        ))
        .await;
    let (text, _) = read(erring).await;
    assert!(
        text.contains("event: error\ndata: {\"error\":{\"message\":\"Overloaded\""),
        "{text}"
    );
}

#[tokio::test]
async fn answers_can_be_no_answers() {
    let local = Local::start().await;
    let empty = faulty(&local, "empty", false).await;
    assert_eq!(
        (empty.status().as_u16(), empty.bytes().await.unwrap().len()),
        (200, 0)
    );
    let page = faulty(&local, "wrong-type", true).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html".parse().unwrap())
    );
    assert!(
        faulty(&local, "wrong-shape", false)
            .await
            .json::<Value>()
            .await
            .unwrap()["choices"]
            .is_null()
    );
    let half = read(faulty(&local, "malformed=1", false).await).await;
    assert!(half.1 && serde_json::from_str::<Value>(&half.0).is_err());
}

#[tokio::test]
async fn a_client_that_leaves_is_seen() {
    let local = Local::start().await;
    let (url, http) = (local.url.clone(), local.http.clone());
    let waiting = tokio::spawn(async move {
        let body = gpt("[[fault: hang]]");
        http.post(format!("{url}/openai/v1/chat/completions"))
            .bearer_auth("key")
            .json(&body)
            .send()
            .await
    });
    local.await_outcome("broken").await;
    waiting.abort();
    let left = local.await_outcome("aborted").await;
    assert_eq!(
        (&left["aborted"], &left["status"], &left["fault"]),
        (&json!(true), &Value::Null, &json!("hang"))
    );
    let mut response = faulty(&local, "hang-after=2", true).await;
    let mut text = String::new();
    while data(&text).len() < 2 {
        text.push_str(&String::from_utf8_lossy(
            &response.chunk().await.unwrap().unwrap(),
        ));
    }
    drop(response);
    assert_eq!(local.await_outcome("aborted").await["frames"], 2);
}

#[tokio::test(start_paused = true)]
async fn waits_are_waited() {
    let local = Local::start().await;
    let start = tokio::time::Instant::now();
    faulty(&local, "latency=60s", false).await.bytes().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(60));
    let start = tokio::time::Instant::now();
    let (text, _) = read(faulty(&local, "slow=10s", true).await).await;
    assert!(start.elapsed() >= Duration::from_secs(10) * data(&text).len() as u32);
}

#[tokio::test]
async fn rules_strike_what_they_match() {
    let local = Local::start().await;
    let rule = json!({ "match": { "surface": "openai", "contains": "marked" }, "fault": "status=503", "times": 1, "after": 1 });
    let added = local.post("/_local/faults", &rule).send().await.unwrap();
    assert_eq!(added.json::<Value>().await.unwrap()["id"], 1);
    let mut statuses = Vec::new();
    for text in ["plain", "marked", "marked", "marked"] {
        statuses.push(local.openai(&gpt(text)).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 503, 200]);
    assert_eq!(local.anthropic(&claude("marked")).await.status(), 200);
    let bad = local
        .post("/_local/faults", &json!({ "fault": "nonsense" }))
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), 400);
    assert_eq!(local.get("/_local/faults").await[0]["matched"], 2);
    local
        .http
        .delete(format!("{}/_local/faults", local.url))
        .send()
        .await
        .unwrap();
    assert_eq!(local.get("/_local/faults").await, json!([]));
}

#[tokio::test]
async fn directives_can_be_counted_and_aimed() {
    let local = Local::start().await;
    assert_eq!(faulty(&local, "status=500, times=1", false).await.status(), 500);
    assert_eq!(faulty(&local, "status=500, times=1", false).await.status(), 200);
    assert_eq!(
        faulty(&local, "status=500, only=anthropic", false).await.status(),
        200
    );
    assert_eq!(
        local
            .anthropic(&claude("[[fault: status=500, only=anthropic]]"))
            .await
            .status(),
        500
    );
    let answer: Value = faulty(&local, "latency=0", false).await.json().await.unwrap();
    assert!(
        !answer.to_string().contains("fault:"),
        "the directive is not part of the question"
    );
}
