use serde_json::json;

use crate::support::{Local, gpt};

#[tokio::test]
async fn it_tells_what_it_is() {
    let local = Local::start().await;
    let text = local
        .http
        .get(&local.url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains("STAND-IN") && text.contains(&local.url));
    assert_eq!(local.get("/_local/health").await["ok"], true);
    assert_eq!(
        local
            .http
            .get(format!("{}/nowhere", local.url))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert!(local.url.starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn the_journal_shows_each_request_and_no_key() {
    let local = Local::start().await;
    local.openai(&gpt("remember me")).await.bytes().await.unwrap();
    let request = local
        .post("/openai/v1/chat/completions", &gpt("x"))
        .bearer_auth("sk-secret-key-9876");
    request.send().await.unwrap().bytes().await.unwrap();
    let journal = local.journal().await;
    assert_eq!(journal.len(), 2);
    let first = &journal[0];
    assert_eq!(
        (&first["surface"], &first["model"], &first["status"]),
        (&json!("openai"), &json!("gpt-4o"), &json!(200))
    );
    assert_eq!(
        (&first["body"], &first["outcome"], &first["stream"]),
        (&gpt("remember me"), &json!("answered"), &json!(false))
    );
    assert_eq!(journal[1]["headers"]["authorization"], "Bearer …9876");
    assert!(!json!(journal).to_string().contains("sk-secret"));
    local
        .http
        .delete(format!("{}/_local/requests", local.url))
        .send()
        .await
        .unwrap();
    assert!(local.journal().await.is_empty());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let local = Local::start().await;
    let huge = local
        .http
        .post(format!("{}/openai/v1/chat/completions", local.url))
        .bearer_auth("key");
    let response = huge.body(vec![b' '; 100 * 1024 * 1024 + 1]).send().await.unwrap();
    assert_eq!(response.status(), 413);
}
